"""The state of the window and its actions, independent of the user interface."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from karospace_jupyter.contracts.form import Defaults, Estimate, Result, SessionState, Summary
from karospace_jupyter.desktop.messages import (
    Answer,
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
    Request,
    Serving,
    ServingStopped,
    StartExport,
    StartServing,
    StateChanged,
    StopServing,
    Suggested,
    WriteCommand,
)
from karospace_jupyter.desktop.worker_process import WorkerProcess

TARGETS = {"outdir": "_karospace", "single_file": ".html", "zip_path": ".zip"}
"""The options for the target, and the default endings of their file names."""
_SEPARATORS = os.sep + (os.altsep or "")
_CANCEL_S = 10.0
_END_S = 3.0
"""Maximum seconds to wait for the worker when the window closes, with an export to cancel or without one."""
_MAX_CRASHES = 3
"""Stop restarting the worker after this many consecutive crashes without a prediction."""
_PATIENCE_S = 5.0
"""Maximum seconds that opening a file may delay the next one; a network share may not respond."""


@dataclass(slots=True)
class Shown:
    """The state that the window shows."""

    path: str = ""
    """The open file; empty if there is none."""
    opening: str = ""
    """The file that is being opened; empty if there is none."""
    refused: str = ""
    """Why a file could not be opened, and what to do."""
    summary: Summary = field(default_factory=Summary)
    options: dict[str, Any] = field(default_factory=dict)
    estimate: Estimate = field(default_factory=Estimate)
    pending: bool = False
    """Whether the estimate is outdated because the options changed."""
    export: SessionState = field(default_factory=SessionState)
    exported: dict[str, Any] = field(default_factory=dict)
    """Options of the last export."""
    attempted: dict[str, Any] = field(default_factory=dict)
    """Options of the last attempted export, whether or not it succeeded."""
    canceling: bool = False
    result: Result | None = None
    served: str = ""
    """The path of the bundle that is served."""
    address: str = ""
    fault: str = ""
    """The last error; cleared by the next action."""
    details: str = ""
    """Traceback of `refused` or `fault` if the error was unexpected."""
    notes: tuple[str, ...] = ()
    """Notes for the user that do not prevent an export."""

    @property
    def running(self) -> bool:
        """Whether an export is running."""
        return self.export.status == "running"

    @property
    def defaults(self) -> Defaults:
        """What is exported by default."""
        return self.estimate.defaults or self.summary.defaults

    @property
    def target(self) -> str:
        """The option for the target that is set."""
        return target_of(self.options)


def target_of(options: dict[str, Any]) -> str:
    """Return the option for the target that is set."""
    return next((name for name in TARGETS if options.get(name) is not None), "outdir")


class AppState:
    """Keep the state of the window and communicate with the worker.

    Parameters
    ----------
    changed
        Called with the name of each changed field of :class:`Shown`, on the thread that called the method.
    """

    def __init__(self, changed: Callable[[str], None] = lambda _: None) -> None:
        self.shown = Shown()
        self.changed = changed
        self._request_count = self._open_request = 0
        self._open_started, self._open_waiting = 0.0, False
        """When the worker started to open the current file, and whether another file is waiting."""
        self._revision = 0
        self._suggestion_callbacks: dict[int, Callable[[list[str]], None]] = {}
        """By request number."""
        self._command_callbacks: list[Callable[[str], None]] = []
        self._serving_callback: Callable[[str], None] | None = None
        self._choices: dict[str, Any] = {}
        self._stem = ""
        """The default target of the open file, without an ending."""
        self._written: dict[str, str] = {}
        """The last name of each kind of target."""
        self._crashes = 0
        self._broken = ""
        """Why the worker could not start."""
        self._before: tuple[Result | None, dict[str, Any]] = (None, {})
        """The last result and its options, while another export runs."""
        self._closed = False
        self._worker: WorkerProcess | None = WorkerProcess()

    # User actions

    def open(self, path: str | Path, choices: dict[str, Any] | None = None) -> None:
        """Open an .h5ad file or a .zarr folder.

        Parameters
        ----------
        choices
            Options for a newly opened file, used as far as they are valid; ``target`` is one of TARGETS.
        """
        try:
            path = Path(path).expanduser()
        except RuntimeError:  # the home folder of an unknown user
            path = Path(path)
        if self.shown.opening == str(path.absolute()):
            return  # ignore double clicks
        if self.shown.opening:
            self._open_waiting = True
        else:
            self._open_started, self._open_waiting = time.monotonic(), False
        self._request_count += 1
        self._open_request, self._choices = self._request_count, choices or {}
        self.shown.opening = str(path.absolute())
        self.forget_faults()
        self._send_open()
        self._notify("opening")

    def give_up(self) -> None:
        """Cancel opening a file, even if the worker does not respond."""
        if self.shown.opening:
            self._request_count += 1
            self._open_request = self._request_count  # ignore an answer that is still in transit
            self.shown.opening = ""
            self._replace()
            self._notify("opening")

    def change(self, **options: Any) -> None:  # noqa: ANN401 - ExportConfig checks each
        """Set some options."""
        changed = {name: value for name, value in options.items() if self.shown.options.get(name) != value}
        if not changed:
            if self.shown.estimate.problems:
                self.predict_again()  # the cause may have been fixed in the meantime
            return
        self.shown.options = {**self.shown.options, **changed}
        self.forget_faults()
        self._predict()
        self._notify("options")

    def write_as(self, target: str) -> None:
        """Set the kind of target (one of TARGETS) and keep the name."""
        old = self.shown.target
        if target == old and self.shown.options.get(old) is not None:
            return
        value = str(self.shown.options.get(old) or "")
        stem = value.rstrip(_SEPARATORS)
        if stem.lower().endswith(TARGETS[old]):
            stem = stem[: -len(TARGETS[old])]
        stem = stem or self._stem
        # Restore a name that was typed for this kind earlier, unless the current name has changed since.
        known = self._written if self._written.get(old) == value else {old: value}
        self._written = {**known, target: known.get(target) or f"{stem}{TARGETS[target]}"}
        self.change(**{name: self._written[name] if name == target else None for name in TARGETS})

    def forget_faults(self) -> None:
        """Clear error messages because another action has started."""
        self.shown.refused = self.shown.fault = self.shown.details = ""
        self._notify("refused", "fault")

    def predict_again(self) -> None:
        """Predict the same export again, because files on disk may have changed."""
        if self.shown.path:
            self._predict()

    def complete(self, query: str, then: Callable[[list[str]], None]) -> None:
        """Request suggestions for a partial gene name."""
        self._request_count += 1
        self._suggestion_callbacks = {self._request_count: then}  # drop earlier requests
        raw = bool(self.shown.options.get("raw"))
        self._send(CompleteGene(self._request_count, self.shown.path, query, raw))

    def command(self, then: Callable[[str], None]) -> None:
        """Request the equivalent shell command."""
        self._command_callbacks.append(then)
        self._send(WriteCommand(self.shown.path, self.shown.exported or self.shown.options))

    def export(self) -> None:
        """Start the export."""
        if self.shown.running or self.shown.opening or not self.shown.path:
            return
        self._before = self.shown.result, self.shown.exported
        self.shown.export = SessionState("running", message="Starting")
        self.shown.canceling, self.shown.result = False, None
        self.shown.exported = self.shown.attempted = self.shown.options
        self.shown.notes = ()
        self.forget_faults()
        self._send(StartExport(self.shown.path, self.shown.options))
        self._notify("export", "result", "notes")

    def cancel(self) -> None:
        """Cancel the running export; no partial files remain."""
        if self.shown.running:
            self.shown.canceling = True
            self._send(CancelExport())
            self._notify("export")

    def serve(self, path: str, port: int = 8000, then: Callable[[str], None] | None = None) -> None:
        """Serve a bundle on this computer only; `then` is called with its address."""
        self.forget_faults()
        self._serving_callback = then
        self._send(StartServing(path, port))

    def stop_serving(self) -> None:
        """Stop serving."""
        self._send(StopServing())

    def close(self) -> None:
        """Cancel a running export and stop the worker; further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        if self._worker is not None:
            running = self.shown.running
            if self._worker.end(_CANCEL_S if running else _END_S) and running:
                self._sweep(self._worker.pid).join()
        self._worker = None

    # Messages from the worker

    def poll(self) -> None:
        """Handle the messages of the worker without waiting."""
        if self._open_waiting and time.monotonic() - self._open_started > _PATIENCE_S:
            self._replace()
        if self._worker is None:
            return
        answers = self._worker.received()
        while True:
            try:
                answer = next(answers)
            except StopIteration:
                return
            except (EOFError, OSError):
                self._on_crash()
                return
            self._handle(answer)

    def _handle(self, answer: Answer) -> None:
        match answer:
            case Opened():
                self._on_opened(answer)
            case Refused():
                self._on_refused(answer)
            case Predicted(estimate):
                self._on_predicted(estimate)
            case Suggested(number, names):
                self._on_suggested(number, names)
            case CommandWritten(text):
                self._on_command(text)
            case StateChanged(state):
                self._on_state(state)
            case Finished(result):
                self._on_finished(result)
            case Serving(path, address):
                self._on_serving(path, address)
            case ServingStopped():
                self._on_serving_stopped()
            case Failed():
                self._on_failed(answer)
            case Broken(text, details):
                self._broken, self.shown.details = text, details

    def _answers_last_request(self, number: int) -> bool:
        """Restart the wait for the worker, and return whether it responded to the last request to open a file.

        If not, the worker opens the last requested file next.
        """
        self._open_started, self._open_waiting = time.monotonic(), False
        return number == self._open_request

    def _on_opened(self, answer: Opened) -> None:
        if not self._answers_last_request(answer.number):
            return
        s = self.shown
        reopened = s.path == s.opening
        s.path, s.opening, s.summary, self._stem = s.opening, "", answer.summary, answer.stem
        if not reopened:
            target = self._choices.get("target")
            target = target if isinstance(target, str) and target in TARGETS else "outdir"
            s.options, s.estimate = {**answer.options, target: f"{answer.stem}{TARGETS[target]}"}, Estimate()
            s.result, s.exported, s.attempted, s.export = None, {}, {}, SessionState()
            if answer.invalid:
                names = ", ".join(answer.invalid)
                s.notes = (*s.notes, f"The saved choices for {names} are invalid and were reset to their defaults.")
        self._predict()
        self._notify("path", "summary", "options", "opening", "export", "result", "notes")

    def _on_refused(self, answer: Refused) -> None:
        if self._answers_last_request(answer.number):
            self.shown.opening, self.shown.refused, self.shown.details = "", answer.reason, answer.details
            self._notify("opening", "refused")

    def _on_predicted(self, estimate: Estimate) -> None:
        self._crashes = 0
        if estimate.revision == self._revision:
            self.shown.estimate, self.shown.pending = estimate, False
            self._notify("estimate")

    def _on_suggested(self, number: int, names: list[str]) -> None:
        then = self._suggestion_callbacks.pop(number, None)
        if then:
            then(names)

    def _on_command(self, text: str) -> None:
        for then in self._command_callbacks:
            then(text)
        self._command_callbacks = []

    def _on_state(self, state: SessionState) -> None:
        self.shown.export = state
        if state.status != "running":
            self.shown.canceling = False
            self.forget_faults()  # from actions that were rejected while the export was running
            if state.status != "done":
                # The previous export still exists, so its result stays available.
                self.shown.result, self.shown.exported = self._before
            self._predict()  # the target folder has changed
        self._notify("export", "result")

    def _on_finished(self, result: Result) -> None:
        self.shown.result = result
        self._notify("result")

    def _on_serving(self, path: str, address: str) -> None:
        self.shown.served, self.shown.address = path, address
        then, self._serving_callback = self._serving_callback, None
        if then:
            then(address)
        self._notify("address")

    def _on_serving_stopped(self) -> None:
        self.shown.served = self.shown.address = ""
        self._notify("address")

    def _on_failed(self, answer: Failed) -> None:
        """Show the error of a request; an export reports its own errors."""
        if answer.request is StartServing:
            self._serving_callback = None
        elif answer.request is WriteCommand:
            self._command_callbacks = []
        self.shown.fault, self.shown.details = answer.text, answer.details
        self._notify("fault")

    def _on_crash(self) -> None:
        """Report that the worker crashed, and start another one."""
        assert self._worker is not None  # noqa: S101 - poll() detected the end of the worker
        s = self.shown
        pid, code = self._worker.pid, self._worker.ended()
        self._worker = None
        self._crashes += 1
        killed = f" (exit code {code})" if code else ""
        text = (
            f"The process that reads the data cannot start: {self._broken}. Reinstall karospace-jupyter."
            if self._broken
            else "The process that reads the data ended unexpectedly"
            + (" (killed, probably because it ran out of memory)" if code == -9 else killed)
            + ". No partial files remain. Close other programs, or reduce the number of cells or the memory "
            "for blocks, and try again."
        )
        running = s.running
        if running:
            self._sweep(pid)
        restart = self._crashes < _MAX_CRASHES and bool(s.path)
        if not restart and s.path:
            text += (
                f" It ended {_MAX_CRASHES} times in a row and is not restarted automatically: change an option to try "
                "again, or use the command line, which shows more details: "
                "karospace-export --h5ad FILE --outdir FOLDER."
            )
        self._lost(text)
        if restart:
            self._predict()  # the request to the previous worker is lost

    def _lost(self, text: str) -> None:
        """Mark everything that was requested from a lost worker as failed."""
        s = self.shown
        if s.running:
            s.export = SessionState("failed", message=text, error=text, log=(*s.export.log, text))
            s.result, s.exported = self._before
        elif s.opening:
            s.refused = text
        else:
            s.fault = text
        s.canceling = s.pending = self._open_waiting = False
        s.served = s.address = s.opening = self._broken = ""
        self._suggestion_callbacks, self._command_callbacks, self._serving_callback = {}, [], None
        self._notify("export", "result", "address", "opening", "refused", "fault", "estimate")

    # Process management

    def _replace(self) -> None:
        """Replace a worker that does not respond."""
        s = self.shown
        if self._worker is not None:
            self._worker.drop()
            self._worker = None
        self._open_started, self._open_waiting = time.monotonic(), False
        if s.opening:
            self._send_open()
        if s.path and s.pending:
            self._predict()
        if s.served:
            self._send(StartServing(s.served, int(s.address.rstrip("/").rpartition(":")[2]), again=True))

    def _sweep(self, pid: int) -> threading.Thread:
        """Remove the partial files of the export of a killed process."""
        target = str(self.shown.exported[target_of(self.shown.exported)])

        def work() -> None:
            from karospace_jupyter.publish.partial import absolute, sweep
            from karospace_jupyter.publish.write import real_file

            # If the target is a link, the export wrote to its destination.
            for place in dict.fromkeys((absolute(target), real_file(absolute(target)))):
                sweep(place, gone=pid)

        thread = threading.Thread(target=work, name="karospace-sweep")
        thread.start()
        return thread

    def _predict(self) -> None:
        self._revision += 1
        self.shown.pending = True
        self._send(PredictExport(self._revision, self.shown.path, self.shown.options))

    def _send_open(self) -> None:
        choices = {name: value for name, value in self._choices.items() if name != "target"}
        self._send(OpenFile(self._open_request, self.shown.opening, choices))

    def _send(self, request: Request) -> None:
        if self._closed:
            return
        if self._worker is None:
            try:
                self._worker = WorkerProcess()
            except OSError as exc:
                self._lost(f"Cannot start a process: {exc.strerror or exc}. Close other programs and try again.")
                return
        self._worker.send(request)

    def _notify(self, *names: str) -> None:
        for name in names:
            self.changed(name)
