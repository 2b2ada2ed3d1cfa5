"""The process behind the window: it looks into files, exports, and serves previews.

Every message is a tuple of a word and plain values. From the window: ``open``, ``look``, ``complete``, ``command``,
``export``, ``cancel``, ``serve``, ``hush``. To it: ``opened``, ``refused``, ``looked``, ``hits``, ``command``,
``state``, ``done``, ``serving``, ``hushed``, ``fault``.
"""

from __future__ import annotations

import logging
import threading
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
        self._path = ""
        self._opening: tuple[int, str] = (0, "")
        self._looking: tuple[int, str, dict[str, Any]] = (0, "", {})
        self._names: dict[bool, list[str]] = {}
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

    def on_open(self, number: int, path: str) -> None:
        """Look into a file."""
        self._opening = (number, path)
        self._opener.ask()

    def on_look(self, revision: int, path: str, options: dict[str, Any]) -> None:
        """Predict an export with these options."""
        self._looking = (revision, path, options)
        self._looker.ask()

    def on_complete(self, number: int, query: str, raw: bool) -> None:  # noqa: FBT001 - a message
        """Complete the beginning of a gene's name."""
        from karospace_jupyter.form.look import complete

        self._send("hits", number, complete(self._names.get(raw, []), query))

    def on_command(self, options: dict[str, Any]) -> None:
        """Say the shell command that does the same."""
        from karospace_jupyter.form.options import config_of, shell_of

        self._send("command", shell_of(config_of(options), file=self._path))

    def on_export(self, options: dict[str, Any]) -> None:
        """Begin an export of the open file."""
        from karospace_jupyter.errors import KaroSpaceError
        from karospace_jupyter.form.options import config_of

        try:
            self._session.start(Path(self._path), config_of(options))
        except KaroSpaceError as exc:
            self._send("fault", str(exc))

    def on_cancel(self) -> None:
        """Stop the running export."""
        self._session.cancel()

    def on_serve(self, path: str, port: int) -> None:
        """Serve one bundle on this machine, instead of what was served."""
        from karospace_jupyter.bundle.read import Bundle

        self.on_hush()
        self._server = Bundle(path).serve(port=port)
        self._send("serving", path, self._server.url)

    def on_hush(self) -> None:
        """Serve nothing any more."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            self._send("hushed")

    def _open(self) -> None:
        number, path = self._opening
        # Here, in one thread, and at once: while somebody still looks for the file, and never from two threads.
        import anndata  # noqa: F401

        from karospace_jupyter.config import ExportConfig
        from karospace_jupyter.form.look import problem_of
        from karospace_jupyter.form.options import plain
        from karospace_jupyter.form.summary import gene_names, summarise

        if not path:
            return
        try:
            summary = summarise(path)
            names = {raw: gene_names(path, raw=raw) for raw in ((False, True) if summary["raw"] else (False,))}
        except Exception as exc:  # noqa: BLE001 - whatever it is, the window says it
            self._send("refused", number, next(iter(problem_of(exc, {}).values())))
            return
        self._path, self._names = path, names
        self._send("opened", number, summary, plain(ExportConfig()))

    def _look(self) -> None:
        from karospace_jupyter.form.look import look

        revision, path, options = self._looking
        self._send("looked", revision, look(path, options))

    def _on_state(self, state: SessionState) -> None:
        from dataclasses import asdict

        bundle = self._session.bundle
        if state.status == "done" and bundle is not None:
            files = bundle.manifest.asset_files
            result = {
                "name": bundle.manifest.dataset_name,
                "path": str(bundle.path),
                "bytes": sum(file.size_bytes for file in files),
                "files": len(files) + 2,
                "warnings": list(bundle.warnings),
            }
            self._send("done", result)
        self._send("state", asdict(state))

    def _send(self, *message: Any) -> None:  # noqa: ANN401
        with self._lock:
            try:
                self._pipe.send(message)
            except (BrokenPipeError, OSError):
                self._session.cancel()  # the window is gone
