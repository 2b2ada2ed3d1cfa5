"""A view that was saved from the viewer, read from its file and checked."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from karospace_jupyter.bundle.state import ViewState
from karospace_jupyter.errors import ConfigError
from karospace_jupyter.paths import expanded

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 32_000_000
"""Of the file: it becomes a part of the manifest, which every page reads first."""
VERSION = 1
"""Of a view with regions, `karospace_view`."""

_FIELDS = {to_camel(name): name for name in ViewState.model_fields}
_SAVE = "Save the view in the viewer and name that file."


def read_view(path: Path) -> dict[str, Any]:
    """Read a saved view: the state itself, or an object with `karospace_view`, `state` and, say, `regions`.

    What later viewers add passes unchecked; the fields that are known have the types of
    :class:`~karospace_jupyter.bundle.state.ViewState`.

    Returns
    -------
    dict
        The object as the file holds it, but for fields of the state that are spelled as in Python: the viewer's
        spelling takes their place.

    Raises
    ------
    ConfigError
        Saying what is wrong with the file, and where.
    """
    path = expanded(path)
    value = _parsed(_text(path), path)
    if not isinstance(value, dict):
        msg = f"The view {path} holds {_kind(value)}, not a JSON object. {_SAVE}"
        raise ConfigError(msg)
    if "karospace_view" not in value:
        return _checked_state(value, path, "")
    version = value["karospace_view"]
    if type(version) is not int or version < 1:
        msg = f"The view {path} has karospace_view: {_short(version)}; the number {VERSION} was expected. {_SAVE}"
        raise ConfigError(msg)
    if version > VERSION:
        msg = f"The view {path} is of version {version}; this package knows {VERSION}. Update karospace-jupyter."
        raise ConfigError(msg)
    state = value.get("state")
    if not isinstance(state, dict):
        found = _kind(state) if "state" in value else "nothing"
        msg = f"The view {path} holds {found} as 'state', where an object is needed. {_SAVE}"
        raise ConfigError(msg)
    _check_regions(value.get("regions", []), value.get("n_cells"), path)
    return {**value, "state": _checked_state(state, path, "state.", empty=True)}


def _check_regions(regions: object, n_cells: object, path: Path) -> None:
    if not isinstance(regions, list):
        msg = f"The view {path} holds {_kind(regions)} as 'regions', where a list is needed. {_SAVE}"
        raise ConfigError(msg)
    if regions and (type(n_cells) is not int or n_cells < 1):
        msg = f"The view {path} has regions, but n_cells does not say of how many cells: {_short(n_cells)}. {_SAVE}"
        raise ConfigError(msg)
    for at, region in enumerate(regions):
        name, bits = (region.get("name"), region.get("bits")) if isinstance(region, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(bits, str):
            msg = f"The view {path}: regions[{at}] is {_short(region)}; it needs a name and its cells (bits). {_SAVE}"
            raise ConfigError(msg)
        try:
            held = len(base64.b64decode(bits, validate=True))
        except ValueError:
            held = -1
        if held != -(-n_cells // 8):  # type: ignore[operator]  # checked above
            msg = f"The view {path}: the cells (bits) of regions[{at}], {name!r}, are not one bit for each. {_SAVE}"
            raise ConfigError(msg)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            msg = (
                f"The view {path} takes {size / 1e6:,.1f} MB; at most {MOST_BYTES / 1e6:.0f} MB go into a manifest. "
                "Save it with fewer regions."
            )
            raise ConfigError(msg)
        return path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        msg = f"The view {path} cannot be read: {exc.strerror or exc}."
        raise ConfigError(msg) from exc
    except UnicodeDecodeError as exc:
        msg = f"The view {path} is not a text file in UTF-8. {_SAVE}"
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
        # Half of a character, as "\ud800" spells it: no file can hold it.
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
        msg = f"The view {path} has no field of a view. It holds: {there}. Known are: {', '.join(_FIELDS)}. {_SAVE}"
        raise ConfigError(msg)
    try:
        ViewState.model_validate(known)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = within + ".".join(str(part) for part in first["loc"])
        msg = f"The view {path}: {where}: {first['msg']}, but {_short(first['input'])} was found. {_SAVE}"
        raise ConfigError(msg) from None
    return spelled


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
