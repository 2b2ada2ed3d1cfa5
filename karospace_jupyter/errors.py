"""Every error that this package raises on purpose.

::

    KaroSpaceError
    ├── ConfigError            an option is wrong, before any data was opened
    │   └── OptionError        options of ExportConfig, by their names
    ├── NamedFileError         a file that an option names is not there
    ├── SourceError            the input cannot be read as AnnData
    │   └── NoSourceError      it is not there (a NamedFileError)
    ├── PlanError              the input is AnnData, but not what the options ask for
    │   ├── CoordinatesError
    │   ├── ColumnError
    │   ├── GenesError
    │   │   └── NoMatrixError  X, a layer or raw is not there
    │   └── ImageError
    │       └── NoImageFileError  (a NamedFileError)
    ├── SinkError              the output cannot be written there
    ├── BundleError            a folder is not a bundle, or not the one its manifest describes
    ├── SessionBusyError       an export is running already
    ├── ViewError              what was asked of a view cannot be shown
    └── Cancelled              the user stopped the job; nothing was written

Messages say what failed, on what, what was found and what to do. They never name a command line flag: the
same text is shown by the command line, the notebook and the desktop app. What is wrong with an option is kept beside
the option's name, which each of them spells its own way.
"""

from __future__ import annotations


class KaroSpaceError(Exception):
    """Base of all errors of this package."""


class ConfigError(KaroSpaceError):
    """An option has a value that can never work."""


class OptionError(ConfigError):
    """Options of :class:`~karospace_jupyter.config.ExportConfig` have values that can never work.

    Attributes
    ----------
    problems
        Names of options, each with what is wrong with it.
    """

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(f"Option {name}: {what}" for name, what in problems))
        self.problems = problems


class NamedFileError(KaroSpaceError):
    """A file that an option names is not there."""


class SourceError(KaroSpaceError):
    """The input cannot be read as AnnData."""


class NoSourceError(SourceError, NamedFileError):
    """The input is not there."""


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


class NoImageFileError(ImageError, NamedFileError):
    """The file of the tissue image is not there."""


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
