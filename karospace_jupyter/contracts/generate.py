"""Generate contracts from the models: JSON Schemas, and the types of keyword arguments."""

from __future__ import annotations

import json
import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter

from karospace_jupyter.config import NOT_IN_FORMS, ExportConfig
from karospace_jupyter.contracts.bundle_index import BundleIndex
from karospace_jupyter.contracts.form import Estimate, Result, SessionState, Summary
from karospace_jupyter.contracts.messages import ToKernel, ToPage
from karospace_jupyter.contracts.output import Output
from karospace_jupyter.contracts.panel import PanelAnswers, PanelRequest
from karospace_jupyter.view.saved_view import SavedView

FOLDER = Path(__file__).parent
CONTRACTS: dict[str, tuple[str, Any]] = {
    "bundle-index": ("BundleIndex", BundleIndex),
    "estimate": ("Estimate", Estimate),
    "output": ("Output", Output),
    "result": ("Result", Result),
    "session-state": ("SessionState", SessionState),
    "summary": ("Summary", Summary),
    "view": ("SavedView", SavedView),
    "to-kernel": ("ToKernel", ToKernel),
    "to-page": ("ToPage", ToPage),
    "panel-requests": ("PanelRequest", PanelRequest),
    "panel-answers": ("PanelAnswers", PanelAnswers),
}
"""For each schema: the name of its type in TypeScript, and the model or union of models."""
_NOT_KEYWORDS = {"h5ad_path", "outdir"}
"""Options that are separate parameters of the Python functions."""

_ACCEPTED = {
    "gene_sets": "str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[str, Sequence[str]] | None",
    "neighbors": "str | int",
    "host": "HostName | None",
    "storage_options": "Mapping[str, object] | None",
}
"""Types of options that accept more than the model stores, or that have a named type."""


def generated() -> dict[str, str]:
    """Return the text of each generated file, by its name in this folder."""
    schemas = {f"{name}.schema.json": schema_of(title, type_) for name, (title, type_) in CONTRACTS.items()}
    return {"options.py": options_types(), "options.schema.json": options_schema(), **schemas}


def schema_of(title: str, type_: Any) -> str:  # noqa: ANN401 - any annotation
    """Return the JSON Schema of a model or of a union of models, in serialization mode."""
    schema = {**TypeAdapter(type_).json_schema(mode="serialization"), "title": title}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def options_schema() -> str:
    """Return the JSON Schema of the options as forms send and receive them: every field is present."""
    schema = ExportConfig.model_json_schema(mode="serialization")
    for name in NOT_IN_FORMS:
        del schema["properties"][name]
    schema["title"] = "Options"
    schema["required"] = list(schema["properties"])
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def options_types() -> str:
    """Return a module with the types of the options as keyword arguments."""
    return "\n".join(_options_lines()) + "\n"


def _options_lines() -> Iterator[str]:
    yield '"""Types of the options as keyword arguments.'
    yield ""
    yield "Generated from ExportConfig by `python -m karospace_jupyter.contracts`. Do not edit."
    yield '"""'
    yield ""
    yield "from __future__ import annotations"
    yield ""
    yield "import os"
    yield "from collections.abc import Mapping, Sequence"
    yield "from typing import Literal, TypedDict"
    yield ""
    yield "from karospace_jupyter.hosts import HostName"
    yield ""
    yield ""
    yield "class ExportOptions(TypedDict, total=False):"
    yield '    """Options of an export; see :class:`~karospace_jupyter.ExportConfig`."""'
    for name, field in ExportConfig.model_fields.items():
        if name in _NOT_KEYWORDS:
            continue
        yield ""
        yield f"    {name}: {_ACCEPTED.get(name) or written(field.annotation)}"
        text = " ".join((field.description or "").split())
        lines = textwrap.wrap(f'"""{text}"""', width=116, break_long_words=False, break_on_hyphens=False)
        yield from (f"    {line}" for line in lines)


def written(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    """Return an annotation as source code, widened to all types that the option accepts."""
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        return " | ".join(dict.fromkeys(written(one) for one in get_args(annotation)))
    if origin is tuple:
        return f"Sequence[{written(get_args(annotation)[0])}]"
    if origin is Literal:
        return f"Literal[{', '.join(json.dumps(one) for one in get_args(annotation))}]"
    if annotation is types.NoneType:
        return "None"
    if annotation is Path:
        return "str | os.PathLike[str]"
    return str(annotation.__name__)


def write() -> None:
    """Write the generated files."""
    for name, text in generated().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
