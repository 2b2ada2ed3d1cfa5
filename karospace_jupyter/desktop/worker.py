"""The process behind the window: inspects files, exports, and serves previews."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.contracts.form import Estimate, SessionState, Summary
from karospace_jupyter.desktop.messages import (
    Broken,
    CancelExport,
    CommandWritten,
    CompleteGene,
    Failed,
    Finished,
    Opened,
    OpenFile,
    Predicted,
    PredictExport,
    Refused,
    Serving,
    ServingStopped,
    StartExport,
    StartServing,
    StateChanged,
    StopServing,
    Suggested,
    WriteCommand,
)
from karospace_jupyter.errors import BundleError, KaroSpaceError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from karospace_jupyter.desktop.messages import Answer, Request
    from karospace_jupyter.serve import BundleServer
    from karospace_jupyter.session import ExportSession

logger = logging.getLogger(__name__)


def run(pipe: Connection) -> None:
    """Handle messages until the window is closed; then cancel a running export and exit."""
    import signal

    # Ctrl+C in the terminal reaches the whole process group; the window decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = Worker(pipe)
    except Exception as exc:
        pipe.send(Broken(*_described(exc)))
        raise
    try:
        worker.listen()
    finally:
        worker.end()


class Worker:
    """Handle the messages from the window.

    The listening thread never waits for a file: slow work runs on separate threads, each of which only handles its
    newest request.

    Parameters
    ----------
    pipe
        The pipe to the window.
    """

    def __init__(self, pipe: Connection) -> None:
        from karospace_jupyter.form.latest import Latest
        from karospace_jupyter.session import ExportSession

        self._pipe = pipe
        self._lock = threading.Lock()
        self._session: ExportSession = ExportSession(self._on_state)
        self._server: BundleServer | None = None
        self._served = ""
        self._loading = threading.Lock()
        self._opening = OpenFile(0, "", {})
        self._opened = 0
        """The request number of the last file that was opened successfully."""
        self._summary = ("", Summary())
        """The path and the summary of that file."""
        self._predicting = PredictExport(0, "", {})
        self._completing = CompleteGene(0, "", "", raw=False)
        self._names: tuple[tuple[str, bool, int], list[str]] = (("", False, 0), [])
        """The gene names of a file or of its raw; the key is the path, raw, and the request number of the open file."""
        self._serving: StartServing | None = None
        self._threads: dict[type[Request], Latest] = {
            OpenFile: Latest(self._open, "karospace-open"),
            PredictExport: Latest(self._predict, "karospace-predict"),
            CompleteGene: Latest(self._complete, "karospace-complete"),
            StartServing: Latest(self._serve, "karospace-serve"),
        }
        for thread in self._threads.values():
            thread.begin()
        self._threads[OpenFile].ask()  # imports the required modules while the user chooses a file

    def listen(self) -> None:
        """Handle messages until the pipe ends."""
        while True:
            try:
                request: Request = self._pipe.recv()
            except (EOFError, OSError):
                return
            try:
                self._handle(request)
            except Exception as exc:
                logger.exception("the request %s failed", type(request).__name__)
                self._send(Failed(type(request), *_described(exc)))

    def end(self) -> None:
        """Cancel a running export; no partial files remain."""
        for thread in self._threads.values():
            thread.stop()
        if self._server is not None:
            self._server.stop()
        self._session.cancel()
        self._session.wait()

    def _handle(self, request: Request) -> None:
        """Answer a request, or hand it to the thread of its kind."""
        match request:
            case OpenFile():
                self._opening = request
                self._threads[OpenFile].ask()
            case PredictExport():
                self._predicting = request
                self._threads[PredictExport].ask()
            case CompleteGene():
                self._completing = request
                self._threads[CompleteGene].ask()
            case WriteCommand():
                self._write_command(request)
            case StartExport():
                self._export(request)
            case CancelExport():
                self._session.cancel()
            case StartServing():
                self._serving = request
                self._threads[StartServing].ask()
            case StopServing():
                self._serving = None
                self._threads[StartServing].ask()

    def _write_command(self, request: WriteCommand) -> None:
        from karospace_jupyter.form.options import config_of, shell_of

        config = config_of(_with_absolute_paths(request.options))
        self._send(CommandWritten(shell_of(config, file=request.path, program=_program())))

    def _export(self, request: StartExport) -> None:
        from karospace_jupyter.form.options import config_of

        self._session.wait(1)  # the window learns of the end of the previous export slightly before its thread ends
        try:
            self._session.start(Path(request.path), config_of(request.options))
        except Exception as exc:  # noqa: BLE001 - shown in the window
            text, details = _described(exc)
            log = tuple(filter(None, (text, details)))
            self._send(StateChanged(SessionState("failed", message=text, error=text, log=log)))

    def _open(self) -> None:
        request = self._opening
        path = request.path
        try:
            self._load()
            if not path:
                return
            from karospace_jupyter.config import ExportConfig
            from karospace_jupyter.form.options import plain, valid_choices
            from karospace_jupyter.form.summary import summarize

            summary = summarize(path)
            kept, invalid = valid_choices(request.choices)
            self._opened, self._summary = request.number, (path, summary)
            options = plain(ExportConfig()) | kept
            self._send(Opened(request.number, summary, options, invalid, _default_target(path)))
        except Exception as exc:
            if not path:
                raise
            self._send(Refused(request.number, *_described(exc)))

    def _load(self) -> None:
        with self._loading:  # concurrent imports of anndata may see partially initialized modules
            import anndata  # noqa: F401

    def _predict(self) -> None:
        request = self._predicting
        try:
            self._load()
            from karospace_jupyter.form.prediction import predict_export

            opened, summary = self._summary
            found = predict_export(request.path, request.options, summary if opened == request.path else None)
        except Exception as exc:  # noqa: BLE001 - shown in the window
            text, details = _described(exc)
            found = Estimate(problems={"object": text}, details=details)
        self._send(Predicted(replace(found, revision=request.revision)))

    def _complete(self) -> None:
        request = self._completing
        self._load()
        from karospace_jupyter.form.prediction import complete
        from karospace_jupyter.form.summary import gene_names

        # The key includes the request number, because the file may have changed since it was last opened.
        key = request.path, request.raw, self._opened
        if self._names[0] != key:
            self._names = key, gene_names(request.path, raw=request.raw)
        self._send(Suggested(request.number, complete(self._names[1], request.query)))

    def _serve(self) -> None:
        from karospace_jupyter.publish.bundle import Bundle
        from karospace_jupyter.serve import wait_until_free

        wanted = self._serving
        try:
            if wanted and not Path(wanted.path).exists():
                msg = f"{wanted.path} no longer exists. Export it again."
                raise BundleError(msg)
            # Opened before the server is stopped, because the bundle may be damaged.
            bundle = Bundle(wanted.path) if wanted else None
            if self._server is not None:
                self._server.stop()
                self._server, self._served = None, ""
                self._send(ServingStopped())
            if wanted and bundle is not None:
                if wanted.again:
                    wait_until_free(wanted.port)
                self._server, self._served = bundle.serve(port=wanted.port), wanted.path
                self._send(Serving(self._served, self._server.url))
        except Exception as exc:  # noqa: BLE001 - shown in the window
            self._send(Failed(StartServing, *_described(exc)))

    def _on_state(self, state: SessionState) -> None:
        bundle = self._session.bundle
        if state.status == "done" and bundle is not None:
            try:
                from karospace_jupyter.form.result import result_of

                result = result_of(bundle)
                self._send(Finished(result))
                if self._server is not None and self._served == result.path and not Path(self._served).is_dir():
                    self._server.content = bundle.served()  # a file was replaced; a folder is read again anyway
            except Exception:
                logger.exception("the result of an export could not be shown")
        self._send(StateChanged(state))

    def _send(self, answer: Answer) -> None:
        with self._lock:
            try:
                self._pipe.send(answer)
            except (BrokenPipeError, OSError):
                self._session.cancel()  # the window has closed


def _described(exc: Exception) -> tuple[str, str]:
    """Return the error message, and the traceback if the error was unexpected."""
    if isinstance(exc, KaroSpaceError):
        return str(exc), ""
    return f"{type(exc).__name__}: {exc}", "".join(traceback.format_exception(exc)).rstrip()


def _default_target(path: str) -> str:
    """Return the default target for a file, without an ending."""
    file = Path(path)
    folder = file.parent if os.access(file.parent, os.W_OK) else Path.home()
    return str(folder / file.name.removesuffix(".h5ad").removesuffix(".zarr").removesuffix(".h5"))


def _with_absolute_paths(options: dict[str, Any]) -> dict[str, Any]:
    """Make all paths absolute, because the command may be run in another folder."""
    from karospace_jupyter.paths import is_url
    from karospace_jupyter.publish.partial import absolute

    resolved = dict(options)
    for name in ("outdir", "single_file", "zip_path", "view", "image_path"):
        value = options.get(name)
        if value and not is_url(value) and not (name == "image_path" and (value == "none" or value.startswith("uns:"))):
            resolved[name] = str(absolute(value))
    genes = options.get("genes_mode")
    if isinstance(genes, str) and genes.startswith("list:"):
        resolved["genes_mode"] = f"list:{absolute(genes.removeprefix('list:'))}"
    return resolved


def _program() -> str:
    """Return the command line program: its name if it is on the path, otherwise next to this Python."""
    name = "karospace-export"
    installed = shutil.which(name, path=str(Path(sys.executable).parent))
    return name if shutil.which(name) or installed is None else installed
