"""The process behind the window: inspects files, exports, and serves previews.

Every message is a tuple of a word and plain values. Messages about a file name it, because the window may have
requested another one in the meantime. From the window: ``open``, ``look``, ``complete``, ``command``, ``export``,
``cancel``, ``serve``, ``hush``. To the window: ``opened``, ``refused``, ``looked``, ``hits``, ``command``, ``state``,
``done``, ``serving``, ``hushed``, ``fault``, ``broken``.
"""

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
from karospace_jupyter.errors import BundleError, KaroSpaceError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from karospace_jupyter.serve import BundleServer
    from karospace_jupyter.session import ExportSession

logger = logging.getLogger(__name__)


def run(pipe: Connection) -> None:
    """Handle messages until the window is gone; then cancel a running export and end."""
    import signal

    # Ctrl+C in the terminal reaches the whole process group; the window decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = Worker(pipe)
    except Exception as exc:
        pipe.send(("broken", *_described(exc)))
        raise
    try:
        worker.listen()
    finally:
        worker.end()


class Worker:
    """Handle the messages of the window.

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
        self._opening: tuple[int, str, dict[str, Any]] = (0, "", {})
        self._opened = 0
        """The number of the last file that was opened successfully."""
        self._summary = ("", Summary())
        """The path and the summary of that file."""
        self._looking: tuple[int, str, dict[str, Any]] = (0, "", {})
        self._completing: tuple[int, str, str, bool] = (0, "", "", False)
        self._names: tuple[tuple[str, bool, int], list[str]] = (("", False, 0), [])
        """The gene names of a file or of its raw, by path, raw and the number of the open file."""
        self._serving: tuple[str, int] | None = None
        work = {"open": self._open, "look": self._look, "complete": self._complete, "serve": self._serve}
        self._threads = {name: Latest(one, f"karospace-{name}") for name, one in work.items()}
        for thread in self._threads.values():
            thread.begin()
        self._threads["open"].ask()  # imports the required modules while the user chooses a file

    def listen(self) -> None:
        """Handle messages until the pipe ends."""
        while True:
            try:
                word, *values = self._pipe.recv()
            except (EOFError, OSError):
                return
            try:
                getattr(self, f"on_{word}")(*values)
            except Exception as exc:
                logger.exception("the message %s failed", word)
                self._send("fault", word, *_described(exc))

    def end(self) -> None:
        """Cancel a running export; no partial files remain."""
        for thread in self._threads.values():
            thread.stop()
        if self._server is not None:
            self._server.stop()
        self._session.cancel()
        self._session.wait()

    def on_open(self, number: int, path: str, choices: dict[str, Any]) -> None:
        """Open a file; `choices` are options remembered from earlier files."""
        self._opening = (number, path, choices)
        self._threads["open"].ask()

    def on_look(self, revision: int, path: str, options: dict[str, Any]) -> None:
        """Predict an export with these options."""
        self._looking = (revision, path, options)
        self._threads["look"].ask()

    def on_complete(self, number: int, path: str, query: str, raw: bool) -> None:  # noqa: FBT001 - a message
        """Send suggestions for a partial gene name."""
        self._completing = (number, path, query, raw)
        self._threads["complete"].ask()

    def on_command(self, path: str, options: dict[str, Any]) -> None:
        """Send the equivalent shell command."""
        from karospace_jupyter.form.options import config_of, shell_of

        self._send("command", shell_of(config_of(_with_absolute_paths(options)), file=path, program=_program()))

    def on_export(self, path: str, options: dict[str, Any]) -> None:
        """Start an export of a file."""
        from karospace_jupyter.form.options import config_of

        self._session.wait(1)  # the window learns of the end of the previous export slightly before its thread ends
        try:
            self._session.start(Path(path), config_of(options))
        except Exception as exc:  # noqa: BLE001 - shown in the window
            text, details = _described(exc)
            log = tuple(filter(None, (text, details)))
            self._send("state", SessionState("failed", message=text, error=text, log=log))

    def on_cancel(self) -> None:
        """Cancel the running export."""
        self._session.cancel()

    def on_serve(self, path: str, port: int) -> None:
        """Serve a bundle on this machine, replacing the one served before."""
        self._serving = path, port
        self._threads["serve"].ask()

    def on_hush(self) -> None:
        """Stop serving."""
        self._serving = None
        self._threads["serve"].ask()

    def _open(self) -> None:
        number, path, choices = self._opening
        try:
            self._load()
            if not path:
                return
            from karospace_jupyter.config import ExportConfig
            from karospace_jupyter.form.options import plain, sound
            from karospace_jupyter.form.summary import summarize

            summary = summarize(path)
            kept, wrong = sound(choices)
            self._opened, self._summary = number, (path, summary)
            self._send("opened", number, summary, plain(ExportConfig()) | kept, wrong, _default_target(path))
        except Exception as exc:
            if not path:
                raise
            self._send("refused", number, *_described(exc))

    def _load(self) -> None:
        with self._loading:  # concurrent imports of anndata may see partially initialized modules
            import anndata  # noqa: F401

    def _look(self) -> None:
        revision, path, options = self._looking
        try:
            self._load()
            from karospace_jupyter.form.look import look
            from karospace_jupyter.form.summary import defaults_of

            found = look(path, options)
            opened, summary = self._summary
            if opened == path:
                found = replace(found, defaults=defaults_of(summary, options["coords"]))
        except Exception as exc:  # noqa: BLE001 - shown in the window
            text, details = _described(exc)
            found = Estimate(problems={"object": text}, details=details)
        self._send("looked", replace(found, revision=revision))

    def _complete(self) -> None:
        number, path, query, raw = self._completing
        self._load()
        from karospace_jupyter.form.look import complete
        from karospace_jupyter.form.summary import gene_names

        # The key includes the number: the file may have changed since it was last opened.
        key = path, raw, self._opened
        if self._names[0] != key:
            self._names = key, gene_names(path, raw=raw)
        self._send("hits", number, complete(self._names[1], query))

    def _serve(self) -> None:
        from karospace_jupyter.bundle.read import Bundle

        wanted = self._serving
        try:
            if wanted and not Path(wanted[0]).exists():
                msg = f"{wanted[0]} no longer exists. Export it again."
                raise BundleError(msg)
            bundle = Bundle(wanted[0]) if wanted else None  # opened before stopping the server, as it may be damaged
            if self._server is not None:
                self._server.stop()
                self._server, self._served = None, ""
                self._send("hushed")
            if wanted and bundle is not None:
                self._server, self._served = bundle.serve(port=wanted[1]), wanted[0]
                self._send("serving", self._served, self._server.url)
        except Exception as exc:  # noqa: BLE001 - shown in the window
            self._send("fault", "serve", *_described(exc))

    def _on_state(self, state: SessionState) -> None:
        bundle = self._session.bundle
        if state.status == "done" and bundle is not None:
            try:
                from karospace_jupyter.form.result import result_of

                result = result_of(bundle)
                self._send("done", result)
                if self._server is not None and self._served == result.path and not Path(self._served).is_dir():
                    self._server.content = bundle.served()  # a file was replaced; a folder is read again anyway
            except Exception:
                logger.exception("the result of an export could not be shown")
        self._send("state", state)

    def _send(self, *message: Any) -> None:  # noqa: ANN401
        with self._lock:
            try:
                self._pipe.send(message)
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
    from karospace_jupyter.publish.partial import absolute

    whole = dict(options)
    for name in ("outdir", "single_file", "zip_path", "view", "image_path"):
        value = options.get(name)
        if value and not (name == "image_path" and (value == "none" or value.startswith("uns:"))):
            whole[name] = str(absolute(value))
    genes = options.get("genes_mode")
    if isinstance(genes, str) and genes.startswith("list:"):
        whole["genes_mode"] = f"list:{absolute(genes.removeprefix('list:'))}"
    return whole


def _program() -> str:
    """Return the command line program: its name if it is on the path, otherwise next to this Python."""
    name = "karospace-export"
    installed = shutil.which(name, path=str(Path(sys.executable).parent))
    return name if shutil.which(name) or installed is None else installed
