"""Read and validate a view file that was saved from the viewer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from karospace_jupyter.errors import ConfigError
from karospace_jupyter.paths import expanded
from karospace_jupyter.view.state import ViewState

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 32_000_000
"""Maximum size of the file, which becomes part of the manifest that every page loads first."""
VERSION = 1
"""Supported version of views with regions, the value of `karospace_view`."""

_FIELDS = {to_camel(name): name for name in ViewState.model_fields}
_SAVE = "Save the view in the viewer again and use that file."


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
    value = _parsed(_text(path), path)
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
    _check_regions(value.get("regions", []), value.get("n_cells"), path)
    return {**value, "state": _checked_state(state, path, "state.", empty=True)}


def _check_regions(regions: object, n_cells: object, path: Path) -> None:
    if not isinstance(regions, list):
        msg = f"The view {path}: 'regions' must be a list, got {_kind(regions)}. {_SAVE}"
        raise ConfigError(msg)
    if regions and (type(n_cells) is not int or n_cells < 1):
        msg = f"The view {path} has regions, but n_cells is {_short(n_cells)}, not a number of cells. {_SAVE}"
        raise ConfigError(msg)
    for at, region in enumerate(regions):
        name, bits = (region.get("name"), region.get("bits")) if isinstance(region, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(bits, str):
            msg = f"The view {path}: regions[{at}] is {_short(region)}; expected a name and its cells (bits). {_SAVE}"
            raise ConfigError(msg)
        try:
            held = len(base64.b64decode(bits, validate=True))
        except ValueError:
            held = -1
        if held != -(-n_cells // 8):  # type: ignore[operator]  # checked above
            msg = f"The view {path}: the cells (bits) of regions[{at}], {name!r}, are not one bit per cell. {_SAVE}"
            raise ConfigError(msg)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            msg = (
                f"The view {path} takes {size / 1e6:,.1f} MB; a manifest can contain at most "
                f"{MOST_BYTES / 1e6:.0f} MB. Save the view with fewer regions."
            )
            raise ConfigError(msg)
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        msg = f"The view {path} cannot be read: {exc.strerror or exc}."
        raise ConfigError(msg) from exc
    except UnicodeDecodeError as exc:
        msg = f"The view {path} is not UTF-8 text. {_SAVE}"
        raise ConfigError(msg) from exc


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
        there = ", ".join(map(repr, list(value)[:8])) or "nothing"
        known_names = ", ".join(_FIELDS)
        msg = f"The view {path} has no known field. It contains: {there}. Known fields are: {known_names}. {_SAVE}"
        raise ConfigError(msg)
    try:
        ViewState.model_validate(known)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = within + ".".join(str(part) for part in first["loc"])
        msg = f"The view {path}: {where}: {first['msg']}, got {_short(first['input'])}. {_SAVE}"
        raise ConfigError(msg) from None
    return spelled


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
