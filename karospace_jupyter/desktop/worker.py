"""The process behind the window: it looks into files, exports, and serves previews.

Every message is a tuple of a word and plain values; each that is about a file names it, because the window may have
asked for another one meanwhile. From the window: ``open``, ``look``, ``complete``, ``command``, ``export``,
``sweep``, ``cancel``, ``serve``, ``hush``. To it: ``opened``, ``refused``, ``looked``, ``hits``, ``command``,
``state``, ``done``, ``serving``, ``hushed``, ``fault``.
"""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from karospace_jupyter.serve import BundleServer
    from karospace_jupyter.session import ExportSession, SessionState

logger = logging.getLogger(__name__)


def run(pipe: Connection) -> None:
    """Answer the window until it is gone; then stop what runs and end."""
    import signal

    # Ctrl-C in the terminal reaches the whole group; the window decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(pipe)
    try:
        worker.listen()
    finally:
        worker.end()


class Worker:
    """Answers the window's messages.

    Parameters
    ----------
    pipe
        To the window.
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
        self._serving = threading.RLock()  # an export that ends serves its bundle anew, from its own thread
        self._opening: tuple[int, str, dict[str, Any]] = (0, "", {})
        self._looking: tuple[int, str, dict[str, Any]] = (0, "", {})
        self._names: tuple[str, dict[bool, list[str]]] = ("", {})
        self._opener = Latest(self._open, "karospace-open")
        self._looker = Latest(self._look, "karospace-look")
        self._opener.begin()
        self._looker.begin()
        self._opener.ask()

    def listen(self) -> None:
        """Answer until the pipe ends."""
        while True:
            try:
                word, *values = self._pipe.recv()
            except (EOFError, OSError):
                return
            try:
                getattr(self, f"on_{word}")(*values)
            except Exception as exc:
                logger.exception("the message %s failed", word)
                self._send("fault", str(exc) or type(exc).__name__)

    def end(self) -> None:
        """Stop what runs: nothing half-written stays."""
        self._opener.stop()
        self._looker.stop()
        self.on_hush()
        self._session.cancel()
        self._session.wait()

    def on_open(self, number: int, path: str, choices: dict[str, Any]) -> None:
        """Look into a file; `choices` are options that are remembered from earlier files."""
        self._opening = (number, path, choices)
        self._opener.ask()

    def on_look(self, revision: int, path: str, options: dict[str, Any]) -> None:
        """Predict an export with these options."""
        self._looking = (revision, path, options)
        self._looker.ask()

    def on_complete(self, number: int, path: str, query: str, raw: bool) -> None:  # noqa: FBT001 - a message
        """Complete the beginning of a gene's name."""
        from karospace_jupyter.form.look import complete

        held, names = self._names
        self._send("hits", number, complete(names.get(raw, []) if held == path else [], query))

    def on_command(self, path: str, options: dict[str, Any]) -> None:
        """Say the shell command that does the same."""
        from karospace_jupyter.form.options import config_of, shell_of

        self._send("command", shell_of(config_of(options), file=path, program=_program()))

    def on_export(self, path: str, options: dict[str, Any]) -> None:
        """Begin an export of a file."""
        from karospace_jupyter.errors import KaroSpaceError
        from karospace_jupyter.form.options import config_of

        try:
            self._session.start(Path(path), config_of(options))
        except KaroSpaceError as exc:
            self._send("fault", str(exc))

    def on_sweep(self, path: str) -> None:
        """Remove what an export to a place left behind when its process was killed."""
        from karospace_jupyter.partial import absolute, sweep

        sweep(absolute(path))

    def on_cancel(self) -> None:
        """Stop the running export."""
        self._session.cancel()

    def on_serve(self, path: str, port: int) -> None:
        """Serve one bundle on this machine, instead of what was served."""
        from karospace_jupyter.bundle.read import Bundle

        bundle = Bundle(path)  # before the end of the other: it may be damaged
        with self._serving:
            if self._server is not None:
                self._server.stop()
            self._server, self._served = bundle.serve(port=port), path
            self._send("serving", path, self._server.url)

    def on_hush(self) -> None:
        """Serve nothing any more."""
        with self._serving:
            if self._server is not None:
                self._server.stop()
                self._server, self._served = None, ""
                self._send("hushed")

    def _open(self) -> None:
        number, path, choices = self._opening
        self._load()  # at once: while somebody still looks for the file
        from karospace_jupyter.config import ExportConfig
        from karospace_jupyter.errors import KaroSpaceError
        from karospace_jupyter.form.look import problem_of
        from karospace_jupyter.form.options import plain, sound
        from karospace_jupyter.form.summary import gene_names, summarise

        if not path:
            return
        try:
            summary = summarise(path)
            names = {raw: gene_names(path, raw=raw) for raw in ((False, True) if summary["raw"] else (False,))}
        except Exception as exc:  # noqa: BLE001 - whatever it is, the window says it
            details = "" if isinstance(exc, KaroSpaceError) else traceback.format_exc().rstrip()
            self._send("refused", number, next(iter(problem_of(exc, {}).values())), details)
            return
        if number != self._opening[0]:
            return  # another file was asked for meanwhile
        self._names = path, names
        kept, wrong = sound(choices)
        self._send("opened", number, summary, plain(ExportConfig()) | kept, wrong)

    def _load(self) -> None:
        with self._loading:  # anndata's parts need each other: imported from two threads, one may see half of it
            import anndata  # noqa: F401

    def _look(self) -> None:
        self._load()
        from karospace_jupyter.form.look import look

        revision, path, options = self._looking
        self._send("looked", revision, look(path, options))

    def _on_state(self, state: SessionState) -> None:
        from dataclasses import asdict

        bundle = self._session.bundle
        if state.status == "done" and bundle is not None:
            files, taken = bundle.size_on_disk()
            result = {
                "name": bundle.manifest.dataset_name,
                "path": str(bundle.path),
                "bytes": taken,
                "files": files,
                "cells": bundle.manifest.n_cells,
                "genes": bundle.manifest.n_genes_exported,
                "warnings": list(bundle.warnings),
            }
            self._send("done", result)
            with self._serving:
                if self._server is not None and self._served == result["path"]:
                    # A zip is another file now; the address stays.
                    self.on_serve(self._served, self._server.port)
        self._send("state", asdict(state))

    def _send(self, *message: Any) -> None:  # noqa: ANN401
        with self._lock:
            try:
                self._pipe.send(message)
            except (BrokenPipeError, OSError):
                self._session.cancel()  # the window is gone


def _program() -> str:
    """Return how a shell finds the command line: by its name, or beside the Python that runs here."""
    name = "karospace-export"
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    return name if shutil.which(name) or beside is None else beside
