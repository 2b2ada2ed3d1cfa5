"""What the window shows and what it can ask for, without a window."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.desktop import worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

TARGETS = {"outdir": "_karospace", "single_file": ".html", "zip_path": ".zip"}
"""The options that name what is written, and how such names end by themselves."""
_CANCEL_S = 10.0
_END_S = 3.0
_DEATHS = 3
"""So many within `_DEATHS_S`, and no other worker is started."""
_DEATHS_S = 60.0


@dataclass(slots=True)
class Shown:
    """What is on the desk."""

    path: str = ""
    """The open file; empty when none is."""
    opening: str = ""
    refused: str = ""
    """Why a file could not be opened, and what to do."""
    summary: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    estimate: dict[str, Any] = field(default_factory=dict)
    pending: bool = False
    """Whether the estimate is still that of earlier options."""
    export: dict[str, Any] = field(default_factory=lambda: {"status": "idle", "log": ()})
    exported: dict[str, Any] = field(default_factory=dict)
    """Options of the last export."""
    cancelling: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    served: str = ""
    """The bundle that is served."""
    address: str = ""
    fault: str = ""
    """What went wrong last; gone with the next thing that is done."""
    notes: tuple[str, ...] = ()
    """What should be known, and stops nothing."""

    @property
    def running(self) -> bool:
        """Whether an export runs."""
        return bool(self.export["status"] == "running")

    @property
    def target(self) -> str:
        """The option that names what is written."""
        return target_of(self.options)


def target_of(options: dict[str, Any]) -> str:
    """Return the option that names what is written."""
    return next((name for name in TARGETS if options.get(name) is not None), "outdir")


class Desk:
    """Keeps the state of the window and speaks to the worker.

    Parameters
    ----------
    changed
        Called with the name of a field of :class:`Shown` that has changed, in the thread that called the desk.
    """

    def __init__(self, changed: Callable[[str], None] = lambda _: None) -> None:
        self.shown = Shown()
        self.changed = changed
        self._numbers = self._opening = 0
        self._revision = 0
        self._waiting: dict[int, Callable[[list[str]], None]] = {}
        self._commanded: list[Callable[[str], None]] = []
        self._choices: dict[str, Any] = {}
        self._written: dict[str, str] = {}
        self._deaths: list[float] = []
        self._before: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        """The last result, and the options that it is of, while another export runs."""
        self._alive = self._closed = False
        self._start_worker()

    # What people do

    def open(self, path: str | Path, choices: dict[str, Any] | None = None) -> None:
        """Look into an .h5ad file or a .zarr folder.

        Parameters
        ----------
        choices
            Options for a file that is not the open one, where they can work; ``target`` is one of TARGETS.
        """
        self._ready()
        self._numbers += 1
        self._opening, self._choices = self._numbers, choices or {}
        try:
            path = Path(path).expanduser()
        except RuntimeError:  # a home that nobody has
            path = Path(path)
        self.shown.opening, self.shown.refused, self.shown.fault = str(path.absolute()), "", ""
        choices = {name: value for name, value in self._choices.items() if name != "target"}
        self._send("open", self._opening, self.shown.opening, choices)
        self._tell("opening", "refused", "fault")

    def change(self, **options: Any) -> None:  # noqa: ANN401 - ExportConfig checks each
        """Set some options."""
        changed = {name: value for name, value in options.items() if self.shown.options.get(name) != value}
        if not changed:
            return
        self.shown.options = {**self.shown.options, **changed}
        self._look()
        self._tell("options")

    def write_as(self, target: str) -> None:
        """Choose what is written: one of TARGETS; the name stays."""
        old = self.shown.target
        if target == old and self.shown.options.get(old) is not None:
            return
        value = str(self.shown.options.get(old) or "")
        stem = value.removesuffix(TARGETS[old]) or str(_beside(self.shown.path))
        # A name that was typed is there again when its kind is: as long as nobody changed the one in between.
        known = self._written if self._written.get(old) == value else {old: value}
        self._written = {**known, target: known.get(target) or f"{stem}{TARGETS[target]}"}
        self.change(**{name: self._written[name] if name == target else None for name in TARGETS})

    def look_again(self) -> None:
        """Predict the same export again: what is on disk may have changed."""
        if self.shown.path:
            self._look()

    def complete(self, query: str, then: Callable[[list[str]], None]) -> None:
        """Complete the beginning of a gene's name."""
        self._numbers += 1
        self._waiting = {self._numbers: then}  # earlier questions do not matter any more
        self._send("complete", self._numbers, self.shown.path, query, bool(self.shown.options.get("raw")))

    def command(self, then: Callable[[str], None]) -> None:
        """Ask for the shell command that does the same."""
        self._commanded.append(then)
        self._send("command", self.shown.path, self.shown.exported or self.shown.options)

    def export(self) -> None:
        """Begin the export."""
        if self.shown.running or self.shown.opening or not self.shown.path:
            return
        self._ready()
        self._before = self.shown.result, self.shown.exported
        self.shown.export = {"status": "running", "stage": "", "progress": 0.0, "message": "Starting", "log": ()}
        self.shown.cancelling, self.shown.result, self.shown.fault = False, {}, ""
        self.shown.exported, self.shown.notes = self.shown.options, ()
        self._send("export", self.shown.path, self.shown.options)
        self._tell("export", "result", "fault", "notes")

    def cancel(self) -> None:
        """Stop the running export; nothing half-written stays."""
        if self.shown.running:
            self.shown.cancelling = True
            self._send("cancel")
            self._tell("export")

    def serve(self, path: str, port: int = 8000) -> None:
        """Serve a bundle on this machine only."""
        self._ready()
        self.shown.fault = ""
        self._send("serve", path, port)
        self._tell("fault")

    def hush(self) -> None:
        """Stop serving."""
        self._send("hush")

    def close(self) -> None:
        """Cancel what runs and end the worker; once is enough."""
        if self._closed:
            return
        self._closed = True
        if not self._alive:
            return
        self._alive = False
        self._pipe.close()
        self._process.join(_CANCEL_S if self.shown.running else _END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    # What the worker says

    def poll(self) -> None:
        """Take what the worker has said; never waits."""
        if not self._alive:
            return
        try:
            while self._pipe.poll():
                word, *values = self._pipe.recv()
                getattr(self, f"_on_{word}")(*values)
        except (EOFError, OSError):
            self._on_death()

    def _on_opened(self, number: int, summary: dict[str, Any], options: dict[str, Any], wrong: list[str]) -> None:
        if number != self._opening:
            return
        s = self.shown
        again = s.path == s.opening
        s.path, s.opening, s.summary, s.estimate = s.opening, "", summary, {}
        if not again:
            target = self._choices.get("target")
            target = target if isinstance(target, str) and target in TARGETS else "outdir"
            s.options = {**options, target: f"{_beside(s.path)}{TARGETS[target]}"}
            s.result, s.exported, s.fault, s.export = {}, {}, "", {"status": "idle", "log": ()}
            if wrong:
                names = ", ".join(wrong)
                s.notes = (*s.notes, f"The remembered choices of {names} cannot work; they are as at the first start.")
        self._look()
        self._tell("path", "summary", "options", "opening", "export", "result", "fault", "notes")

    def _on_refused(self, number: int, why: str, details: str) -> None:
        if number != self._opening:
            return
        self.shown.opening, self.shown.refused = "", why
        if details:
            self.shown.export = {**self.shown.export, "log": (*self.shown.export.get("log", ()), details)}
        self._tell("opening", "refused", "export")

    def _on_looked(self, revision: int, estimate: dict[str, Any]) -> None:
        if revision == self._revision:
            self.shown.estimate, self.shown.pending = estimate, False
            self._tell("estimate")

    def _on_hits(self, number: int, hits: list[str]) -> None:
        then = self._waiting.pop(number, None)
        if then:
            then(hits)

    def _on_command(self, text: str) -> None:
        for then in self._commanded:
            then(text)
        self._commanded = []

    def _on_state(self, state: dict[str, Any]) -> None:
        self.shown.export = state
        if state["status"] != "running":
            self.shown.cancelling = False
            self.shown.fault = ""  # of what was refused meanwhile
            if state["status"] != "done":
                # What was exported before is still there, and so is the way to it.
                self.shown.result, self.shown.exported = self._before
            self._look()  # what the folder holds is another answer now
        self._tell("export", "result", "fault")

    def _on_done(self, result: dict[str, Any]) -> None:
        self.shown.result = result
        self._tell("result")

    def _on_serving(self, path: str, address: str) -> None:
        self.shown.served, self.shown.address = path, address
        self._tell("address")

    def _on_hushed(self) -> None:
        self.shown.served = self.shown.address = ""
        self._tell("address")

    def _on_fault(self, text: str) -> None:
        if self.shown.running and not self.shown.export.get("log"):
            self.shown.export = {"status": "idle", "log": ()}
        self.shown.fault = text
        self._tell("fault", "export")

    def _on_death(self) -> None:
        """Say that the worker ended by itself, and go on with another one."""
        self._process.join(_END_S)
        code = self._process.exitcode
        self._process.close()
        self._pipe.close()
        self._alive = False
        text = (
            "The process that reads the data ended by itself"
            + (" (killed, probably because memory ran out)" if code == -9 else f" (exit code {code})")
            + ". Nothing half-written stays. Close other programs, or choose fewer cells or less memory, and try again."
        )
        s = self.shown
        running, opening = s.running, s.opening
        log = (*s.export.get("log", ()), text)
        s.cancelling, s.served, s.address, s.opening = False, "", "", ""
        now = time.monotonic()
        self._deaths = [*(at for at in self._deaths if now - at < _DEATHS_S), now]
        again = len(self._deaths) < _DEATHS
        if again:
            self._start_worker()
            if running:
                self._send("sweep", str(s.exported[target_of(s.exported)]))
        else:
            text += (
                f" It ended {_DEATHS} times within a minute and is not started again by itself: open a file to try"
                " once more, or use the command line, which says more: karospace-export --h5ad FILE --outdir FOLDER."
            )
            s.pending = False
        if running:
            s.export = {"status": "failed", "message": text, "error": text, "log": log}
        elif opening:
            s.refused = text
        else:
            s.fault = text
        if again and s.path and s.path != opening:
            fault = s.fault
            self.open(s.path)
            s.fault = fault
        elif again and s.path:
            self._look()  # what the dead one was asked is lost
        self._tell("export", "address", "opening", "refused", "fault")

    # The process

    def _ready(self) -> None:
        """Start a worker where none was left."""
        if not self._alive:
            self._start_worker()

    def _start_worker(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._pipe: Connection[Any, Any] = ours
        self._process: SpawnProcess = context.Process(target=worker.run, args=(theirs,), name="karospace-worker")
        self._process.start()
        self._alive = True
        theirs.close()

    def _look(self) -> None:
        self._revision += 1
        self.shown.pending = True
        self._send("look", self._revision, self.shown.path, self.shown.options)

    def _send(self, *message: Any) -> None:  # noqa: ANN401
        # A worker that has ended is noticed by poll(), which starts another.
        with contextlib.suppress(BrokenPipeError, OSError):
            self._pipe.send(message)

    def _tell(self, *names: str) -> None:
        for name in names:
            self.changed(name)


def _beside(path: str) -> Path:
    """Where a bundle of this file lies unless somebody chooses another place."""
    file = Path(path)
    import os

    folder = file.parent if os.access(file.parent, os.W_OK) else Path.home()
    return folder / file.name.removesuffix(".h5ad").removesuffix(".zarr").removesuffix(".h5")
