"""Progress bars for terminals and notebooks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from karospace_jupyter.job import Job

if TYPE_CHECKING:
    from types import TracebackType

    from karospace_jupyter.job import Progress


class ProgressBar:
    """Show each stage as a tqdm bar: tqdm's notebook bar in a notebook, text on stderr elsewhere.

    Parameters
    ----------
    notebook
        Whether to use the notebook bar in a notebook. If False, notebook packages are not imported.
    """

    def __init__(self, *, notebook: bool = True) -> None:
        self._notebook = notebook
        self._bar: Any = None
        self._stage = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def watch(self, job: Job | None) -> Job:
        """Show the progress of `job`, or of a new job if it is None, and return that job."""
        job = job or Job()
        job.listen(self)
        return job

    def __call__(self, progress: Progress) -> None:
        """Show one progress report."""
        if self._bar is None or self._stage != progress.stage:
            self.close()
            self._stage = progress.stage
            self._bar = self._open(progress)
        self._bar.update(progress.done - self._bar.n)
        if progress.finished:
            self.close()

    def _open(self, progress: Progress) -> Any:  # noqa: ANN401 - tqdm is untyped
        options: dict[str, Any] = {
            "desc": progress.stage,
            "total": progress.total,
            "unit": f" {progress.unit}",
            "file": sys.stderr,
        }
        # A notebook imports ipykernel before its first cell. Elsewhere, importing tqdm.auto is slow and warns.
        if self._notebook and "ipykernel" in sys.modules:
            from tqdm.auto import tqdm as notebook_bar

            return notebook_bar(**options)
        from tqdm import tqdm

        return tqdm(**options, dynamic_ncols=True)

    def close(self) -> None:
        """Close the current bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
