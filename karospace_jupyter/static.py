"""The built JavaScript that travels with the package."""

from __future__ import annotations

from importlib.resources import files

from karospace_jupyter.errors import KaroSpaceError


def static_file(name: str) -> bytes:
    """Return a file of ``karospace_jupyter/_static``.

    Raises
    ------
    KaroSpaceError
        When the JavaScript was not built, which only happens in a checkout.
    """
    try:
        return (files("karospace_jupyter") / "_static" / name).read_bytes()
    except FileNotFoundError as exc:
        msg = "The viewer is not built. In a checkout, run: make js"
        raise KaroSpaceError(msg) from exc


def static_text(name: str) -> str:
    """Return a text file of ``karospace_jupyter/_static``.

    Raises
    ------
    KaroSpaceError
        When the JavaScript was not built, which only happens in a checkout.
    """
    return static_file(name).decode()
