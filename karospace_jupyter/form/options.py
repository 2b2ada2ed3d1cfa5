"""Options of a form: the fields of ExportConfig as plain JSON, validated one by one."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.config import NOT_IN_FORMS, ExportConfig
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.flags import flag_of
from karospace_jupyter.view.saved_view import read_view

if TYPE_CHECKING:
    from karospace_jupyter.contracts.options import ExportOptions


SETS_FILE = "gene_sets.json"
"""Placeholder in shell commands for a file of gene sets that are not stored in a file."""


def with_name(options: ExportOptions, name: str | None) -> ExportOptions:
    """Return the options with `name` as the name of the dataset.

    Raises
    ------
    ConfigError
        If the options name the dataset, too.
    """
    if name is None:
        return options
    if options.get("dataset_name") is not None:
        msg = f"Got name={name!r} and dataset_name={options['dataset_name']!r}, which mean the same. Pass one of them."
        raise ConfigError(msg)
    return {**options, "dataset_name": name}


def plain(config: ExportConfig) -> dict[str, Any]:
    """Convert the options to JSON values."""
    return config.model_dump(mode="json", exclude=set(NOT_IN_FORMS))


def config_of(options: dict[str, Any]) -> ExportConfig:
    """Validate options and return them as an ExportConfig.

    Raises
    ------
    ConfigError
        Lists each invalid option.
    """
    return ExportConfig(**{key: value for key, value in options.items() if value is not None})


def valid_choices(choices: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Split saved choices into the valid ones and the names of invalid ones; a settings file may contain anything."""
    kept: dict[str, Any] = {}
    wrong = []
    for name, value in choices.items():
        try:
            config = ExportConfig(**{name: value})
            if name == "genes_mode":
                _ = config.genes
            kept[name] = plain(config)[name]
        except (ConfigError, TypeError, ValueError, KeyError):
            wrong.append(name)
    return kept, wrong


def problems_of(options: dict[str, Any]) -> dict[str, str]:
    """Return the problem of each invalid option; empty if all are valid."""
    found: dict[str, str] = {}
    for name, value in options.items():
        if value is None:
            continue
        try:
            config = ExportConfig(**{name: value})
            if name == "genes_mode":
                _ = config.genes
            if config.view is not None:
                read_view(config.view)
        except ConfigError as exc:
            found[name] = str(exc).removeprefix(f"Option {name}: ")
    if not found:
        try:
            config_of(options)
        except ConfigError as exc:
            found["layer"] = str(exc)
    return found


def code_of(config: ExportConfig, *, name: str, file: str | None) -> str:
    """Return the Python code and the shell command that repeat an export.

    Parameters
    ----------
    name
        The Python expression for the object.
    file
        The file of the object; None if it has none.
    """
    outdir = "karospace_bundle" if config.outdir is None else str(config.outdir)
    arguments = [name, repr(outdir), *(f"{key}={_literal(value)}" for key, value in _given(config).items())]
    first = ""
    if config.storage_options:
        arguments.append(f"storage_options={{{', '.join(f'{key!r}: ...' for key in config.storage_options)}}}")
        first = "# First: replace each ... by the value of the option, which is not shown because it may be a secret\n"
    python = f"adata_to_karospace({', '.join(arguments)})"
    note = "" if file else f'# First: {name}.write_h5ad("data.h5ad")\n'
    if isinstance(config.gene_sets, dict):
        note += f"# First: save the gene sets in {SETS_FILE}\n"
    shell = shell_of(config if config.outdir else config.model_copy(update={"outdir": Path(outdir)}), file=file)
    python = f"from karospace_jupyter import adata_to_karospace\n{first}{python}"
    return f"{python}\n\n# The same in a shell:\n{note}{shell}"


def shell_of(config: ExportConfig, *, file: str | None, program: str = "karospace-export") -> str:
    """Return the shell command that repeats an export of `file`."""
    shell = [program, "--h5ad", file or "data.h5ad"]
    if config.outdir is not None:
        shell += ["--outdir", str(config.outdir)]
    for key, value in _given(config).items():
        shell += _flags(key, value)
    # Values may be secrets.
    shell += [f"{flag_of('storage_options')}={key}=..." for key in config.storage_options or ()]
    words = [_quoted(word) for word in shell]
    if words[0][0] in "\"'":
        words.insert(0, "&")  # PowerShell, the default on Windows, treats a quoted first word as a string
    return " ".join(words)


def _given(config: ExportConfig) -> dict[str, Any]:
    """Return the options that differ from their defaults, without the input and the folder."""
    default = ExportConfig()
    return {
        key: getattr(config, key)
        for key in ExportConfig.model_fields
        if key not in {*NOT_IN_FORMS, "outdir"} and getattr(config, key) != getattr(default, key)
    }


def _flags(key: str, value: Any) -> list[str]:  # noqa: ANN401 - the value of any option
    if key == "annotation_columns":
        return [f"{flag_of(key)}={column}" for column in value] or ["--no-anno"]
    if key in {"embeddings", "proportions", "markers"}:
        return [f"{flag_of(key)}={name}" for name in value or ("none",)]
    if key == "gene_sets":
        # A shell cannot pass a dictionary.
        return [f"{flag_of(key)}={file}" for file in ((SETS_FILE,) if isinstance(value, dict) else value)]
    if key in {"embed_origins", "matrices"}:
        return [f"{flag_of(key)}={one}" for one in value]
    if key == "genes_mode":
        return _flag(flag_of(key), value) if isinstance(value, str) else [f"--gene={name}" for name in value]
    if key == "gzip":
        return [flag_of(key), "true" if value else "false"]
    if isinstance(value, bool):  # differs from its default
        return [flag_of(key)]
    return _flag(flag_of(key), str(value))


def _flag(flag: str, value: str) -> list[str]:
    # A value that starts with a dash would be parsed as another option.
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]


def _literal(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Path):
        return repr(str(value))
    if isinstance(value, dict):
        return repr({key: list(one) for key, one in value.items()})
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def _quoted(text: str) -> str:
    """Quote one word for the shell of this platform."""
    if sys.platform != "win32":
        return shlex.quote(text)
    # For PowerShell, and mostly for cmd, where quotes do not protect percent signs.
    if re.fullmatch(r"[\w+=:./\\-]+", text):
        return text
    if "$" in text or "`" in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + text.replace('"', '\\"') + '"'
