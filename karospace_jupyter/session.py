"""Run exports in a background thread with an observable state, for the notebook, the panel and the desktop app."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from karospace_jupyter import export
from karospace_jupyter.config import matrix_name
from karospace_jupyter.contracts.form import SessionState
from karospace_jupyter.errors import Cancelled, KaroSpaceError, SessionBusyError
from karospace_jupyter.formatting import counted, shape, size
from karospace_jupyter.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.contracts.form import Status
    from karospace_jupyter.job import Progress
    from karospace_jupyter.publish.bundle import Bundle

logger = logging.getLogger(__name__)

_SHARES = {
    "Reading statistics": 0.2,
    "Writing genes": 0.3,
    "Reading all genes": 0.25,
    "Writing all genes": 0.15,
    "Writing tables": 0.07,
    "Encoding images": 0.03,
}
"""Approximate share of each stage in the duration of an export; stages that do not occur are ignored."""


def _shares_of(config: ExportConfig) -> dict[str, float]:
    """Return the share of each stage of an export, in order; those of additional matrices follow those of the first."""
    names = list(_SHARES)
    last = names.index("Writing all genes") + 1
    packed = names[last - 2 : last]
    more = {f"{stage} of {matrix_name(one)}": _SHARES[stage] for one in config.other_matrices for stage in packed}
    shares = {name: _SHARES[name] for name in names[:last]} | more | {name: _SHARES[name] for name in names[last:]}
    if isinstance(config.outdir, str):
        shares["Uploading"] = sum(shares.values())  # as long as all other stages: a guess for a fast connection
    whole = sum(shares.values())
    return {name: share / whole for name, share in shares.items()}


class ExportSession:
    """Run one export at a time in a background thread.

    Parameters
    ----------
    listener
        Called with each new state, from the thread that changed it.

    Notes
    -----
    Every export that starts ends in exactly one of the states ``done``, ``failed`` and ``cancelled``.
    """

    def __init__(self, listener: Callable[[SessionState], None] | None = None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._state = SessionState()
        self._job: Job | None = None
        self._ended = threading.Event()
        self._ended.set()
        self._started = 0.0
        self._shares = _SHARES
        self._before = 0.0
        self._stage = ""
        self._bundle: Bundle | None = None

    @property
    def state(self) -> SessionState:
        """The latest state."""
        return self._state

    @property
    def running(self) -> bool:
        """Whether an export is running or the listener is still being notified of its end."""
        return not self._ended.is_set()

    @property
    def bundle(self) -> Bundle | None:
        """The bundle of the last successful export."""
        return self._bundle

    def start(self, subject: Any, config: ExportConfig) -> None:  # noqa: ANN401 - a path or an AnnData
        """Start to export `subject`, to memory if the options name no target.

        Raises
        ------
        SessionBusyError
            If an export is already running.
        """
        with self._lock:
            if self.running:
                msg = "An export is already running. Wait for it to finish, or cancel it."
                raise SessionBusyError(msg)
            self._job = Job(self._on_progress)
            self._ended.clear()
            self._shares = _shares_of(config)
            self._started, self._before, self._stage = time.monotonic(), 0.0, ""
            self._state = SessionState("running", stage="Opening", message="Opening the data", log=())
        # The context is copied so that the output of the thread is attributed to the request that started it.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(self._work, subject, config), name="karospace-export", daemon=True
        )
        self._notify()
        thread.start()

    def cancel(self) -> None:
        """Cancel the running export, if any, at its next block."""
        job = self._job
        if job is not None:
            job.cancel()

    def wait(self, timeout: float | None = None) -> SessionState:
        """Wait at most `timeout` seconds until no export is running, and return the state."""
        self._ended.wait(timeout)
        return self._state

    def _work(self, subject: Any, config: ExportConfig) -> None:  # noqa: ANN401
        assert self._job is not None  # noqa: S101 - start() made it
        to_memory = config.outdir is None and config.single_file is None and config.zip_path is None
        run = export.run_to_memory if to_memory else export.run
        try:
            bundle = run(subject, config, self._job)
        except Cancelled as exc:
            self._finish("cancelled", str(exc))
        except KaroSpaceError as exc:
            self._finish("failed", str(exc), error=str(exc))
        except Exception as exc:
            # Listeners must be notified of every outcome; the traceback goes to the log.
            logger.exception("the export failed unexpectedly")
            self._log(traceback.format_exc().rstrip())
            text = (
                f"Unexpected error: {type(exc).__name__}: {exc}. "
                "This is a bug in karospace-jupyter; please report it with the log."
            )
            self._finish("failed", text, error=text)
        else:
            self._bundle = bundle
            m = bundle.manifest
            n_bytes = sum(file.size_bytes for file in m.asset_files)
            for warning in bundle.warnings:
                self._log(f"Warning: {warning}")
            cells_and_genes = shape(m.n_cells, m.n_genes, m.n_cells_source, m.observations)
            n_files = len(m.asset_files) + 2  # index.html and manifest.json
            self._finish("done", f"{cells_and_genes}, {counted(n_files, 'file')}, {size(n_bytes)}")

    def _finish(self, status: Status, message: str, *, error: str | None = None) -> None:
        with self._lock:
            log = (*self._state.log, self._line(message))
            progress = 1.0 if status == "done" else self._state.progress
            self._state = SessionState(status, "", progress, message, None, error, log)
            self._job = None
        try:
            self._notify()
        finally:
            self._ended.set()  # wait() must return even if the listener raises

    def _on_progress(self, p: Progress) -> None:
        if p.stage != self._stage:
            known = list(self._shares)
            earlier = known[: known.index(p.stage)] if p.stage in known else []
            self._before = max(self._before, sum(self._shares[name] for name in earlier))
            self._stage = p.stage
            self._log(p.stage)
        within = p.done / p.total if p.total else 1.0
        # The statistics may be read in several passes; progress must never decrease.
        progress = max(self._state.progress, min(0.99, self._before + self._shares.get(p.stage, 0.0) * within))
        elapsed = time.monotonic() - self._started
        eta = None
        if progress > 0.03 and elapsed > 0.3:
            # The rest of this stage at its current rate, plus the later stages in proportion to their shares.
            share = self._shares.get(p.stage, 0.0)
            later = max(0.0, 1 - self._before - share)
            rest = elapsed * share * (1 - within) / progress if p.eta_s is None else p.eta_s
            eta = rest + elapsed * later / progress
        rate = f" · {p.rate:,.0f} {p.unit}/s" if p.total > 1 and p.rate > 0 else ""
        message = f"{p.stage} · {p.done:,} of {p.total:,}{rate}" if p.total > 1 else p.stage
        with self._lock:
            self._state = replace(self._state, stage=p.stage, progress=progress, message=message, eta_s=eta)
        self._notify()

    def _line(self, text: str) -> str:
        return f"{time.monotonic() - self._started:7.1f} s  {text}"

    def _log(self, text: str) -> None:
        with self._lock:
            self._state = replace(self._state, log=(*self._state.log, self._line(text)))

    def _notify(self) -> None:
        if self._listener is not None:
            self._listener(self._state)
