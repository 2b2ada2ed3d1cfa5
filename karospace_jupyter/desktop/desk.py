"""What the window shows and what it can ask for, without a window."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from karospace_jupyter.desktop.link import Link

TARGETS = {"outdir": "_karospace", "single_file": ".html", "zip_path": ".zip"}
"""The options that name what is written, and how such names end by themselves."""
_SEPARATORS = os.sep + (os.altsep or "")
_CANCEL_S = 10.0
_END_S = 3.0
_DEATHS = 3
"""So many workers that end before one has predicted anything, and no other is started unasked."""
_PATIENCE_S = 5.0
"""So long a file may keep the next one waiting: it may lie on a share that is lost."""


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
    attempted: dict[str, Any] = field(default_factory=dict)
    """Options of the last attempt, whatever came of it."""
    cancelling: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    served: str = ""
    """The bundle that is served."""
    address: str = ""
    fault: str = ""
    """What went wrong last; gone with the next thing that is done."""
    details: str = ""
    """Of what was refused or went wrong, where nobody foresaw it."""
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
        self._since, self._behind = 0.0, False
        """When the worker was given the file that it looks into, and whether another one waits for that."""
        self._revision = 0
        self._waiting: dict[int, Callable[[list[str]], None]] = {}
        self._commanded: list[Callable[[str], None]] = []
        self._serving: Callable[[str], None] | None = None
        self._choices: dict[str, Any] = {}
        self._stem = ""
        """Where bundles of the open file lie unless somebody chooses another place."""
        self._written: dict[str, str] = {}
        self._deaths = 0
        self._broken = ""
        """Why the worker could not begin."""
        self._before: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        """The last result, and the options that it is of, while another export runs."""
        self._closed = False
        self._link: Link | None = Link()

    # What people do

    def open(self, path: str | Path, choices: dict[str, Any] | None = None) -> None:
        """Look into an .h5ad file or a .zarr folder.

        Parameters
        ----------
        choices
            Options for a file that is not the open one, where they can work; ``target`` is one of TARGETS.
        """
        try:
            path = Path(path).expanduser()
        except RuntimeError:  # a home that nobody has
            path = Path(path)
        if self.shown.opening == str(path.absolute()):
            return  # whoever clicks twice wants it once
        if self.shown.opening:
            self._behind = True
        else:
            self._since, self._behind = time.monotonic(), False
        self._numbers += 1
        self._opening, self._choices = self._numbers, choices or {}
        self.shown.opening = str(path.absolute())
        self.forget_faults()
        self._send_open()
        self._tell("opening")

    def give_up(self) -> None:
        """Look no longer into the file that is being opened, whatever keeps it."""
        if self.shown.opening:
            self._numbers += 1
            self._opening = self._numbers  # an answer that is on its way does not matter any more
            self.shown.opening = ""
            self._replace()
            self._tell("opening")

    def change(self, **options: Any) -> None:  # noqa: ANN401 - ExportConfig checks each
        """Set some options."""
        changed = {name: value for name, value in options.items() if self.shown.options.get(name) != value}
        if not changed:
            if self.shown.estimate.get("problems"):
                self.look_again()  # whoever chooses the same once more may have mended it
            return
        self.shown.options = {**self.shown.options, **changed}
        self.forget_faults()
        self._look()
        self._tell("options")

    def write_as(self, target: str) -> None:
        """Choose what is written: one of TARGETS; the name stays."""
        old = self.shown.target
        if target == old and self.shown.options.get(old) is not None:
            return
        value = str(self.shown.options.get(old) or "")
        stem = value.rstrip(_SEPARATORS)
        if stem.lower().endswith(TARGETS[old]):
            stem = stem[: -len(TARGETS[old])]
        stem = stem or self._stem
        # A name that was typed is there again when its kind is: as long as nobody changed the one in between.
        known = self._written if self._written.get(old) == value else {old: value}
        self._written = {**known, target: known.get(target) or f"{stem}{TARGETS[target]}"}
        self.change(**{name: self._written[name] if name == target else None for name in TARGETS})

    def forget_faults(self) -> None:
        """Say no longer what went wrong: something else is done now."""
        self.shown.refused = self.shown.fault = self.shown.details = ""
        self._tell("refused", "fault")

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
        self._before = self.shown.result, self.shown.exported
        self.shown.export = {"status": "running", "stage": "", "progress": 0.0, "message": "Starting", "log": ()}
        self.shown.cancelling, self.shown.result = False, {}
        self.shown.exported = self.shown.attempted = self.shown.options
        self.shown.notes = ()
        self.forget_faults()
        self._send("export", self.shown.path, self.shown.options)
        self._tell("export", "result", "notes")

    def cancel(self) -> None:
        """Stop the running export; nothing half-written stays."""
        if self.shown.running:
            self.shown.cancelling = True
            self._send("cancel")
            self._tell("export")

    def serve(self, path: str, port: int = 8000, then: Callable[[str], None] | None = None) -> None:
        """Serve a bundle on this machine only; `then` gets its address."""
        self.forget_faults()
        self._serving = then
        self._send("serve", path, port)

    def hush(self) -> None:
        """Stop serving."""
        self._send("hush")

    def close(self) -> None:
        """Cancel what runs and end the worker; once is enough."""
        if self._closed:
            return
        self._closed = True
        if self._link is not None:
            running = self.shown.running
            if self._link.end(_CANCEL_S if running else _END_S) and running:
                self._sweep(self._link.pid).join()
        self._link = None

    # What the worker says

    def poll(self) -> None:
        """Take what the worker has said; never waits."""
        if self._behind and time.monotonic() - self._since > _PATIENCE_S:
            self._replace()
        if self._link is None:
            return
        messages = self._link.heard()
        while True:
            try:
                word, *values = next(messages)
            except StopIteration:
                return
            except (EOFError, OSError):
                self._on_death()
                return
            getattr(self, f"_on_{word}")(*values)

    def _answers(self, number: int) -> bool:
        """Whether a file is the one that was asked for last; if not, the worker goes on with that."""
        self._since, self._behind = time.monotonic(), False
        return number == self._opening

    def _on_opened(
        self, number: int, summary: dict[str, Any], options: dict[str, Any], wrong: list[str], stem: str
    ) -> None:
        if not self._answers(number):
            return
        s = self.shown
        again = s.path == s.opening
        s.path, s.opening, s.summary, self._stem = s.opening, "", summary, stem
        if not again:
            target = self._choices.get("target")
            target = target if isinstance(target, str) and target in TARGETS else "outdir"
            s.options, s.estimate = {**options, target: f"{stem}{TARGETS[target]}"}, {}
            s.result, s.exported, s.attempted, s.export = {}, {}, {}, {"status": "idle", "log": ()}
            if wrong:
                names = ", ".join(wrong)
                s.notes = (*s.notes, f"The remembered choices of {names} cannot work; they are as at the first start.")
        self._look()
        self._tell("path", "summary", "options", "opening", "export", "result", "notes")

    def _on_refused(self, number: int, why: str, details: str) -> None:
        if self._answers(number):
            self.shown.opening, self.shown.refused, self.shown.details = "", why, details
            self._tell("opening", "refused")

    def _on_looked(self, revision: int, estimate: dict[str, Any]) -> None:
        self._deaths = 0
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
            self.forget_faults()  # of what was refused meanwhile
            if state["status"] != "done":
                # What was exported before is still there, and so is the way to it.
                self.shown.result, self.shown.exported = self._before
            self._look()  # what the folder holds is another answer now
        self._tell("export", "result")

    def _on_done(self, result: dict[str, Any]) -> None:
        self.shown.result = result
        self._tell("result")

    def _on_serving(self, path: str, address: str) -> None:
        self.shown.served, self.shown.address = path, address
        then, self._serving = self._serving, None
        if then:
            then(address)
        self._tell("address")

    def _on_hushed(self) -> None:
        self.shown.served = self.shown.address = ""
        self._tell("address")

    def _on_fault(self, word: str, text: str, details: str) -> None:
        """Say that what was asked for with this word failed; an export says so itself."""
        if word == "serve":
            self._serving = None
        elif word == "command":
            self._commanded = []
        self.shown.fault, self.shown.details = text, details
        self._tell("fault")

    def _on_broken(self, text: str, details: str) -> None:
        self._broken, self.shown.details = text, details

    def _on_death(self) -> None:
        """Say that the worker ended by itself, and go on with another one."""
        assert self._link is not None  # noqa: S101 - poll() has heard of its end
        s = self.shown
        pid, code = self._link.pid, self._link.ended()
        self._link = None
        self._deaths += 1
        killed = f" (exit code {code})" if code else ""
        text = (
            f"The process that reads the data cannot begin: {self._broken}. Install karospace-jupyter again."
            if self._broken
            else "The process that reads the data ended by itself"
            + (" (killed, probably because memory ran out)" if code == -9 else killed)
            + ". Nothing half-written stays. Close other programs, or choose fewer cells or less memory, and try again."
        )
        running = s.running
        if running:
            self._sweep(pid)
        again = self._deaths < _DEATHS and bool(s.path)
        if not again and s.path:
            text += (
                f" It ended {_DEATHS} times in a row and is not started again by itself: change something to try"
                " once more, or use the command line, which says more: karospace-export --h5ad FILE --outdir FOLDER."
            )
        self._lost(text)
        if again:
            self._look()  # what the dead one was asked is lost

    def _lost(self, text: str) -> None:
        """End whatever was asked of a worker that is not there any more."""
        s = self.shown
        if s.running:
            s.export = {"status": "failed", "message": text, "error": text, "log": (*s.export.get("log", ()), text)}
            s.result, s.exported = self._before
        elif s.opening:
            s.refused = text
        else:
            s.fault = text
        s.cancelling = s.pending = self._behind = False
        s.served = s.address = s.opening = self._broken = ""
        self._waiting, self._commanded, self._serving = {}, [], None
        self._tell("export", "result", "address", "opening", "refused", "fault", "estimate")

    # The process

    def _replace(self) -> None:
        """Go on with another worker than one that does not answer."""
        s = self.shown
        if self._link is not None:
            self._link.drop()
            self._link = None
        self._since, self._behind = time.monotonic(), False
        if s.opening:
            self._send_open()
        if s.path and s.pending:
            self._look()
        if s.served:
            self._send("serve", s.served, int(s.address.rstrip("/").rpartition(":")[2]))

    def _sweep(self, pid: int) -> threading.Thread:
        """Remove what the export of a process that was killed has left behind."""
        target = str(self.shown.exported[target_of(self.shown.exported)])

        def work() -> None:
            from karospace_jupyter.bundle.write import real_file
            from karospace_jupyter.partial import absolute, sweep

            # Where a link leads to is where the work was done.
            for place in dict.fromkeys((absolute(target), real_file(absolute(target)))):
                sweep(place, gone=pid)

        thread = threading.Thread(target=work, name="karospace-sweep")
        thread.start()
        return thread

    def _look(self) -> None:
        self._revision += 1
        self.shown.pending = True
        self._send("look", self._revision, self.shown.path, self.shown.options)

    def _send_open(self) -> None:
        choices = {name: value for name, value in self._choices.items() if name != "target"}
        self._send("open", self._opening, self.shown.opening, choices)

    def _send(self, *message: Any) -> None:  # noqa: ANN401
        if self._closed:
            return
        if self._link is None:
            try:
                self._link = Link()
            except OSError as exc:
                self._lost(f"No process can be started: {exc.strerror or exc}. Close other programs and try again.")
                return
        self._link.send(*message)

    def _tell(self, *names: str) -> None:
        for name in names:
            self.changed(name)
