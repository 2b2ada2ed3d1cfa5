"""Directives that list options and limits, so that the pages cannot differ from the code.

`command-line-options` reads the parser of `karospace-export`; `export-config-options` reads the fields of ExportConfig;
`host-limits` reads the limits of web hosts.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from sphinx.util.docutils import SphinxDirective

from karospace_jupyter.cli import parser
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.formatting import counted, size
from karospace_jupyter.hosts import HOSTS

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

LITERAL = re.compile(
    r"--[a-z0-9-]+|(?:obsm|obs|hvgs|top_mean|list|uns|number|category):[A-Z]+(?:,[A-Z]+)?|https://\S+?(?=,)"
)


def markdown(program: argparse.ArgumentParser) -> str:
    """Return the options of a parser as Markdown: a heading and a definition list for each group."""
    parts = []
    for group in program._action_groups:  # noqa: SLF001 - argparse has no public list of its groups
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS]  # noqa: SLF001
        if not actions or group.title in {"options", "positional arguments"}:
            continue
        parts.append(f"**{str(group.title).capitalize()}**\n")
        parts += [entry(program, action) for action in actions]
    return "\n".join(parts)


def entry(program: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return one option as an entry of a definition list."""
    value = "" if action.nargs == 0 else action.metavar or "{" + ",".join(map(str, action.choices or ())) + "}"
    formatter = program._get_formatter()  # noqa: SLF001 - fills in %(default)s as --help does
    text = LITERAL.sub(r"`\g<0>`", formatter._expand_help(action))  # noqa: SLF001
    return f"`{' '.join(filter(None, [*action.option_strings, str(value)]))}`\n: {text}\n"


def fields_markdown() -> str:
    """Return the fields of ExportConfig as a definition list in Markdown."""
    parts = []
    for name, field in ExportConfig.model_fields.items():
        type_text = re.sub(r"Literal\[(.*?)\]", r"\1", str(ExportConfig.__annotations__[name]))
        text = " ".join(str(field.description).split())
        parts.append(f"`{name}`\n: `{type_text}`, default `{field.default!r}`. {text}\n")
    return "\n".join(parts)


def hosts_markdown() -> str:
    """Return the limits of web hosts as a table in Markdown."""
    rows = ["| host | `--host` | largest file | files | site | notes | checked |", "|---|---|---|---|---|---|---|"]
    for name, host in HOSTS.items():
        files = [] if host.max_files is None else [f"{host.max_files:,}"]
        if host.max_folder_files is not None:
            files.append(f"{counted(host.max_folder_files, 'file')} per folder")
        largest, site = ("–" if most is None else size(most) for most in (host.max_file_bytes, host.max_bytes))
        cells = (f"[{host.label}]({host.source})", f"`{name}`", largest, ", ".join(files) or "–", site, host.note)
        rows.append(f"| {' | '.join(cells)} | {host.checked} |")
    return "\n".join(rows)


class HostLimits(SphinxDirective):
    """Lists the limits of web hosts."""

    def run(self) -> list[Node]:
        """Return the table."""
        return self.parse_text_to_nodes(hosts_markdown())


class CommandLineOptions(SphinxDirective):
    """Lists the options of `karospace-export`."""

    def run(self) -> list[Node]:
        """Return the list."""
        return self.parse_text_to_nodes(markdown(parser()))


class ExportConfigOptions(SphinxDirective):
    """Lists the fields of ExportConfig."""

    def run(self) -> list[Node]:
        """Return the list."""
        return self.parse_text_to_nodes(fields_markdown())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("command-line-options", CommandLineOptions)
    app.add_directive("export-config-options", ExportConfigOptions)
    app.add_directive("host-limits", HostLimits)
    return {"parallel_read_safe": True}
