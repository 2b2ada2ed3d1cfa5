"""The hook by which a bundle shows itself in a notebook; the notebook layer registers a function here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_show: Callable[..., Any] | None = None


def show_with(show: Callable[..., Any]) -> None:
    """Register the function that shows a bundle: it gets the bundle and the arguments of ``_repr_mimebundle_``."""
    global _show
    _show = show


def mimebundle(bundle: object, **kwargs: Any) -> Any:  # noqa: ANN401 - defined by IPython
    """Return the MIME bundle that shows `bundle`, or None to show its repr."""
    return None if _show is None else _show(bundle, **kwargs)
