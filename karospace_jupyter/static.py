"""Read the built JavaScript that is shipped with the package."""

from __future__ import annotations

from importlib.resources import files

from karospace_jupyter.errors import KaroSpaceError


def static_file(name: str) -> bytes:
    """Return a file of ``karospace_jupyter/_static``.

    Raises
    ------
    KaroSpaceError
        If the JavaScript is not built, which only happens in a source checkout.
    """
    try:
        return (files("karospace_jupyter") / "_static" / name).read_bytes()
    except FileNotFoundError as exc:
        msg = f"The viewer is not built: {name} is missing. In a source checkout, run: make js"
        raise KaroSpaceError(msg) from exc


def static_text(name: str) -> str:
    """Return a text file of ``karospace_jupyter/_static``.

    Raises
    ------
    KaroSpaceError
        If the JavaScript is not built, which only happens in a source checkout.
    """
    return static_file(name).decode()
