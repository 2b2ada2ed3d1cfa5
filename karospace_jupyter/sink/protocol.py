"""What a sink does, wherever it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType


class Sink(Protocol):
    """Takes files and publishes them together.

    A context manager: leaving it without :meth:`commit` discards everything that was put.
    """

    def __enter__(self) -> Sink:
        """Prepare a place beside the target.

        Raises
        ------
        SinkError
            When the target cannot be written or must not be replaced.
        """

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Discard what was not committed."""

    def put(self, path: str, data: bytes) -> None:
        """Store one file under its path inside the bundle. Safe from several threads."""

    def commit(self) -> None:
        """Make everything visible under the target's name at once."""
