"""Alias of ``karospace_jupyter`` with a short import name; its names are imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export_h5ad

__all__ = ["Bundle", "ExportConfig", "adata_to_karospace", "export_h5ad"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - depends on the name
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import karospace_jupyter

    return getattr(karospace_jupyter, name)


def __dir__() -> list[str]:
    return sorted(__all__)
