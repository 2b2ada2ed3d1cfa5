"""Export AnnData objects to a static WebGL viewer of the tissue.

Most public names are imported on first use, so that importing the package imports neither anndata nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from karospace_jupyter import display
from karospace_jupyter.errors import (
    BundleError,
    Cancelled,
    ColumnError,
    ComparisonError,
    ConfigError,
    CoordinatesError,
    GenesError,
    ImageError,
    KaroSpaceError,
    MissingFileError,
    NamedFileError,
    NoImageFileError,
    NoMatrixError,
    NoSourceError,
    NotExportedError,
    OptionError,
    OutOfMemoryError,
    PlanError,
    SessionBusyError,
    SinkError,
    SourceError,
    SourceMemoryError,
    UnknownFormatError,
    ViewError,
)

if TYPE_CHECKING:
    from karospace_jupyter.api import adata_to_karospace, export_h5ad
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.index_page import publish_index
    from karospace_jupyter.job import Job
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget import karospace_grid, karospace_view, karospace_widget

__version__ = "0.1.0"

_MODULES = {
    "Bundle": "karospace_jupyter.publish.bundle",
    "ExportConfig": "karospace_jupyter.config",
    "Job": "karospace_jupyter.job",
    "adata_to_karospace": "karospace_jupyter.api",
    "export_h5ad": "karospace_jupyter.api",
    "karospace_grid": "karospace_jupyter.widget.grid",
    "karospace_view": "karospace_jupyter.widget.show",
    "karospace_widget": "karospace_jupyter.widget.export_form",
    "publish_index": "karospace_jupyter.index_page",
}

__all__ = [
    "Bundle", "ExportConfig", "Job", "__version__", "adata_to_karospace", "export_h5ad", "karospace_grid",
    "karospace_view", "karospace_widget", "publish_index",
    "BundleError", "Cancelled", "ColumnError", "ComparisonError", "ConfigError", "CoordinatesError", "GenesError",
    "ImageError", "KaroSpaceError", "MissingFileError", "NamedFileError", "NoImageFileError", "NoMatrixError",
    "NoSourceError", "NotExportedError", "OptionError", "OutOfMemoryError", "PlanError", "SessionBusyError",
    "SinkError", "SourceError", "SourceMemoryError", "UnknownFormatError", "ViewError",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401 - depends on the name
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _show(bundle: Bundle, **kwargs: Any) -> Any:  # noqa: ANN401 - defined by IPython
    from karospace_jupyter.widget.view import KaroSpaceView

    return KaroSpaceView(bundle)._repr_mimebundle_(**kwargs)


display.show_with(_show)
