"""The exceptions of this package.

::

    KaroSpaceError
    ├── ConfigError            an option is invalid; no data was opened
    │   └── OptionError        one or more options of ExportConfig, by name
    ├── NamedFileError         a file named by an option does not exist
    ├── SourceError            the input cannot be read as AnnData
    │   └── NoSourceError      the input does not exist (also a NamedFileError)
    ├── PlanError              the data does not contain what the options request
    │   ├── CoordinatesError
    │   ├── ColumnError
    │   ├── GenesError
    │   │   └── NoMatrixError  X, a layer or raw does not exist
    │   └── ImageError
    │       ├── NoImageFileError    (also a NamedFileError)
    │       └── UnknownFormatError  the image is in none of the supported formats
    ├── SinkError              the output cannot be written
    ├── BundleError            a path is not a bundle, or does not match its manifest
    │   ├── MissingFileError   a file of a bundle does not exist
    │   └── NotExportedError   a bundle has no such gene, embedding or annotation (also a KeyError)
    ├── SessionBusyError       an export is already running
    ├── ViewError              a view does not support the request
    ├── ComparisonError        two groups of cells cannot be compared
    ├── OutOfMemoryError       an export needs more memory than is available (also a MemoryError)
    │   └── SourceMemoryError  the same, while reading the input (also a SourceError)
    └── Cancelled              the user canceled the job; nothing was written

A message says what failed, on what, what was found and what to do. It never names a command line flag, because the
command line, the notebook and the desktop app show the same text. OptionError keeps each problem next to the name of
its option, so that each front end can use its own name for the option.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class KaroSpaceError(Exception):
    """Base class of all exceptions of this package.

    Examples
    --------
    >>> from karospace_jupyter import Bundle, KaroSpaceError
    >>> try:
    ...     Bundle("missing")
    ... except KaroSpaceError as error:
    ...     print(error)
    missing is not a bundle: it does not exist.
    """


class ConfigError(KaroSpaceError):
    """An option has an invalid value."""


class OptionError(ConfigError):
    """Options of :class:`~karospace_jupyter.config.ExportConfig` have invalid values.

    Attributes
    ----------
    problems
        Pairs of an option's name and the problem with its value.
    """

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(f"Option {name}: {what}" for name, what in problems))
        self.problems = problems


class NamedFileError(KaroSpaceError):
    """A file named by an option does not exist."""


class SourceError(KaroSpaceError):
    """The input cannot be read as AnnData."""


class NoSourceError(SourceError, NamedFileError):
    """The input does not exist."""


class PlanError(KaroSpaceError):
    """The data does not contain what the options request."""


class CoordinatesError(PlanError):
    """There are no usable coordinates, or several equally likely ones."""


class ColumnError(PlanError):
    """An annotation column is missing or cannot be exported."""


class GenesError(PlanError):
    """Genes, or the matrix that should contain them, are missing."""


class NoMatrixError(GenesError):
    """The requested matrix does not exist.

    Attributes
    ----------
    instead
        The available matrices: None for raw, a name for a layer.
    """

    def __init__(self, message: str, instead: tuple[str | None, ...] = ()) -> None:
        super().__init__(message)
        self.instead = instead


class ImageError(PlanError):
    """The requested tissue image cannot be used."""


class NoImageFileError(ImageError, NamedFileError):
    """The file of the tissue image does not exist."""


class UnknownFormatError(ImageError):
    """The image is in none of the supported formats."""


class SinkError(KaroSpaceError):
    """The output cannot be written."""


class BundleError(KaroSpaceError):
    """A path is not a bundle, or does not match its manifest."""


class MissingFileError(BundleError):
    """A file of a bundle does not exist."""


class NotExportedError(BundleError, KeyError):
    """A bundle does not contain the requested gene, embedding, annotation or neighbors."""

    __str__ = Exception.__str__  # KeyError shows the repr of its message


class SessionBusyError(KaroSpaceError):
    """An export is already running."""


class ViewError(KaroSpaceError):
    """A view does not support the request."""


class ComparisonError(KaroSpaceError):
    """Two groups of cells cannot be compared."""


class OutOfMemoryError(KaroSpaceError, MemoryError):
    """An export needs more memory than is available."""


class SourceMemoryError(SourceError, OutOfMemoryError):
    """Reading the input needs more memory than is available, perhaps because it is damaged."""


class Cancelled(KaroSpaceError):  # noqa: N818 - an outcome that the user requested, not an error
    """The job was canceled."""


@contextmanager
def enough_memory() -> Iterator[None]:
    """Convert a MemoryError raised inside the block, or by the decorated function, to an OutOfMemoryError."""
    try:
        yield
    except KaroSpaceError:
        raise
    except MemoryError as exc:
        msg = f"Not enough {memory_advice(exc)}"
        raise OutOfMemoryError(msg) from exc


def memory_advice(exc: MemoryError) -> str:
    """Return the rest of a message that begins with "not enough", for every place that reports a memory shortage."""
    found = f" ({exc})" if str(exc) else ""
    remedies = "Close other programs, reduce the memory for reading the matrix, or export fewer cells or genes."
    return f"memory{found}. {remedies}"
