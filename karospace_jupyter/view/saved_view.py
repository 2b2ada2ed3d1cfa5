"""Read and validate a view file that was saved from the viewer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from karospace_jupyter.errors import ConfigError
from karospace_jupyter.gene_sets import LONGEST_SET_NAME, MAX_SETS
from karospace_jupyter.paths import bounded_text, expanded
from karospace_jupyter.view.outline import Outline
from karospace_jupyter.view.state import LATER, ViewPart, ViewState, from_wire

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 32_000_000
"""Maximum size of the file, which becomes part of the manifest that every page loads first."""
VERSION = 1
"""Supported version of views with regions, the value of `karospace_view`."""

_FIELDS = {to_camel(name): name for name in ViewState.model_fields}
_SAVE = "Save the view in the viewer again and use that file."


class SavedRegion(ViewPart):
    """A named set of cells."""

    name: str
    color: str = ""
    """`#rrggbb`; empty if the viewer chooses the color."""
    bits: str
    """Base64 of one bit per cell of the bundle, first cell in the lowest bit."""
    outline: Outline = Field(default_factory=list)
    """The closed line that was drawn around its cells: x and y of each corner, in coordinate units of the tissue; empty
    if the region was not drawn as one line."""


class LinkedGeneSet(ViewPart):
    """A gene set in a link."""

    name: str = Field(min_length=1, max_length=LONGEST_SET_NAME)
    of: str = ""
    """Name of the gene set of the bundle that has the same genes."""
    genes: list[str] = Field(default_factory=list)
    """Empty for a set that the bundle contains."""


class SavedView(ViewPart):
    """A view as stored in a file or a link. Fields of the state that are left out keep their values."""

    karospace_view: Literal[1]
    n_cells: int = Field(default=0, ge=0)
    """Number of cells of the bundle; required if there are regions."""
    state: ViewState
    regions: list[SavedRegion] = Field(default_factory=list)
    """If omitted, opening the view leaves the regions unchanged."""
    gene_sets: list[LinkedGeneSet] = Field(default_factory=list, max_length=MAX_SETS)
    """In links, in place of `geneSets` of the state, because a link must be short."""
    regions_left_out: int = Field(default=0, ge=0)
    """Number of regions that were left out because they were too large for the link."""
    gene_sets_left_out: int = Field(default=0, ge=0)
    """Number of gene sets that were left out because they were too large for the link."""


def read_view(path: Path) -> dict[str, Any]:
    """Read a saved view: a state, or an object with `karospace_view`, `state` and optionally `regions`.

    Known fields must have the types of :class:`~karospace_jupyter.view.state.ViewState`. Unknown fields, which later
    viewers may add, are not checked.

    Returns
    -------
    dict
        The object in the file, with Python names of state fields replaced by those of the viewer.

    Raises
    ------
    ConfigError
        If the file is not a valid view. The message names the invalid field.
    """
    path = expanded(path)
    limit = f"a manifest can contain at most {MAX_BYTES / 1e6:.0f} MB. Save the view with fewer regions."
    text = bounded_text(path, f"The view {path}", max_bytes=MAX_BYTES, if_larger=limit, if_not_text=_SAVE)
    value = _parsed(text, path)
    if not isinstance(value, dict):
        msg = f"The view {path} is {_kind(value)}, not a JSON object. {_SAVE}"
        raise ConfigError(msg)
    if "karospace_view" not in value:
        return _checked_state(value, path, "")
    version = value["karospace_view"]
    if type(version) is not int or version < 1:
        msg = f"The view {path} has karospace_view: {_short(version)}; expected the number {VERSION}. {_SAVE}"
        raise ConfigError(msg)
    if version > VERSION:
        msg = f"The view {path} has version {version}; this package supports {VERSION}. Update karospace-jupyter."
        raise ConfigError(msg)
    state = value.get("state")
    if not isinstance(state, dict):
        found = _kind(state) if "state" in value else "nothing"
        msg = f"The view {path}: 'state' must be an object, got {found}. {_SAVE}"
        raise ConfigError(msg)
    spelled = {**value, "state": _checked_state(state, path, "state.", empty=True)}
    try:
        view = SavedView.model_validate(spelled, strict=True, context=LATER)
    except ValidationError as exc:
        raise _error(exc, path) from None
    _check_regions(view, path)
    return spelled


def _check_regions(view: SavedView, path: Path) -> None:
    if view.regions and not view.n_cells:
        msg = f"The view {path} has regions, but not the number of cells, n_cells. {_SAVE}"
        raise ConfigError(msg)
    for at, region in enumerate(view.regions):
        try:
            n_bytes = len(base64.b64decode(region.bits, validate=True))
        except ValueError:
            n_bytes = -1
        if n_bytes != -(-view.n_cells // 8):
            where = f"regions[{at}] ({region.name!r})"
            msg = f"The view {path}: the bits of {where} are not one bit per cell. {_SAVE}"
            raise ConfigError(msg)


def _parsed(text: str, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    def refuse(name: str) -> None:
        msg = f"{name} is not strict JSON"
        raise ValueError(msg)

    def number(digits: str) -> float:
        value = float(digits)
        if value in {float("inf"), float("-inf")}:
            refuse(digits)
        return value

    try:
        value = json.loads(text, parse_constant=refuse, parse_float=number)
        # Lone surrogates such as "\ud800" cannot be encoded in a file.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as exc:
        msg = f"The view {path} is nested too deeply. {_SAVE}"
        raise ConfigError(msg) from exc
    except ValueError as exc:
        msg = f"The view {path} is not JSON: {exc}. {_SAVE}"
        raise ConfigError(msg) from exc
    return value


def _checked_state(value: Mapping[str, Any], path: Path, within: str, *, empty: bool = False) -> dict[str, Any]:
    spelled = {to_camel(name) if name in ViewState.model_fields else name: item for name, item in value.items()}
    known = {name: item for name, item in spelled.items() if name in _FIELDS}
    if not known and not (empty and not value):
        contents = ", ".join(map(repr, list(value)[:8])) or "nothing"
        known_names = ", ".join(_FIELDS)
        msg = f"The view {path} has no known field. It contains: {contents}. Known fields are: {known_names}. {_SAVE}"
        raise ConfigError(msg)
    try:
        from_wire(spelled)
    except ValidationError as exc:
        raise _error(exc, path, within) from None
    return spelled


def _error(invalid: ValidationError, path: Path, within: str = "") -> ConfigError:
    first = invalid.errors()[0]
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    where = within + "".join(parts).removeprefix(".")
    if first["type"] == "list_type":
        return ConfigError(f"The view {path}: {where!r} must be a list, got {_kind(first['input'])}. {_SAVE}")
    return ConfigError(f"The view {path}: {where}: {first['msg']}, got {_short(first['input'])}. {_SAVE}")


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
