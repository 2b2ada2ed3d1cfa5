"""Start worker processes quickly, from a fork server."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_IMPORTED = [
    "anndata",
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
        return self._context.Process(target=_in_place, args=(dict(os.environ), Path.cwd(), target, args), name=name)


def _in_place(environment: dict[str, str], folder: Path, target: Callable[..., None], args: tuple[Any, ...]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    target(*args)
