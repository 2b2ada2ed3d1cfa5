"""Start processes quickly, from a fork server that has imported everything."""

from __future__ import annotations

import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from waiting import PATIENCE_S

_IMPORTED = [
    "anndata",
    "karospace_jupyter.cli",
    "karospace_jupyter.desktop.worker",
    "karospace_jupyter.export",
    "karospace_jupyter.form.prediction",
    "karospace_jupyter.form.summary",
    "karospace_jupyter.session",
    __name__,
]


class Forks:
    """Start workers as forks of a process that has imported everything; a new interpreter takes seconds for that.

    Workers get the environment and the working directory of the process that starts them, like a new interpreter. The
    tests of `test_app.py`, and those with the fixture `new_python`, start workers as the app does.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*_IMPORTED])
        self.Pipe = self._context.Pipe

    def Process(self, target: Callable[..., None], args: tuple[Any, ...], name: str) -> Any:  # noqa: N802
        return self._context.Process(
            target=_with_environment, args=(dict(os.environ), Path.cwd(), target, args), name=name
        )


def _with_environment(
    environment: dict[str, str], folder: Path, target: Callable[..., None], args: tuple[Any, ...]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    target(*args)


def forked(main: Callable[[list[str]], int], arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the main function of a command with these arguments in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder, "out"), Path(folder, "err")
        process = _shared().Process(target=_run, args=(main, arguments, outputs), name="command")
        process.start()
        try:
            process.join(PATIENCE_S)
            assert process.exitcode is not None, f"{arguments} does not end"
        finally:
            process.kill()
            process.join()
        return subprocess.CompletedProcess(arguments, process.exitcode, *[path.read_text() for path in outputs])


@functools.cache
def _shared() -> Forks:
    return Forks()


def _run(main: Callable[[list[str]], int], arguments: list[str], outputs: tuple[Path, Path]) -> None:
    for descriptor, path in enumerate(outputs, 1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    sys.exit(main(arguments))
