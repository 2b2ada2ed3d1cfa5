"""Every error that this package raises on purpose.

::

    KaroSpaceError
    ├── ConfigError            an option is wrong, before any data was opened
    ├── SourceError            the input cannot be read as AnnData
    ├── PlanError              the input is AnnData, but not what the options ask for
    │   ├── CoordinatesError
    │   ├── ColumnError
    │   ├── GenesError
    │   │   └── NoMatrixError  X, a layer or raw is not there
    │   └── ImageError
    ├── SinkError              the output cannot be written there
    ├── BundleError            a folder is not a bundle, or not the one its manifest describes
    ├── SessionBusyError       an export is running already
    ├── ViewError              what was asked of a view cannot be shown
    └── Cancelled              the user stopped the job; nothing was written

Messages say what failed, on what, what was found and what to do. They never name a command line flag: the
same text is shown by the command line, the notebook and the desktop app.
"""

from __future__ import annotations


class KaroSpaceError(Exception):
    """Base of all errors of this package."""


class ConfigError(KaroSpaceError):
    """An option has a value that can never work."""


class SourceError(KaroSpaceError):
    """The input cannot be read as AnnData."""


class PlanError(KaroSpaceError):
    """The data does not hold what the options ask for."""


class CoordinatesError(PlanError):
    """No usable coordinates, or several that are equally likely."""


class ColumnError(PlanError):
    """An annotation column is missing or cannot be exported."""


class GenesError(PlanError):
    """Genes are missing, or the matrix that should hold them is."""


class NoMatrixError(GenesError):
    """The matrix that was asked for is not there.

    Attributes
    ----------
    instead
        The matrices that are there: None for raw, a name for a layer.
    """

    def __init__(self, message: str, instead: tuple[str | None, ...] = ()) -> None:
        super().__init__(message)
        self.instead = instead


class ImageError(PlanError):
    """The tissue image that was asked for cannot be used."""


class SinkError(KaroSpaceError):
    """The output cannot be written."""


class BundleError(KaroSpaceError):
    """A folder is not a bundle, or differs from its manifest."""


class SessionBusyError(KaroSpaceError):
    """An export is running already."""


class ViewError(KaroSpaceError):
    """A view was asked for something that it does not have."""


class Cancelled(KaroSpaceError):  # noqa: N818 - it is an outcome that the user asked for, not a fault
    """The job was cancelled."""
