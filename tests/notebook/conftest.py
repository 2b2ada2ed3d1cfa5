"""One JupyterLab for all tests of it, and a page for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Notebook


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def notebook(lab: Lab, browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook of these cells; its kernel is ended with the test."""
    contexts: list[Any] = []
    opened: list[Notebook] = []

    def open_notebook(
        cells: list[str], *, width: int = 1300, height: int = 1100, dark: bool = False, **options: Any
    ) -> Notebook:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
        )
        contexts.append(context)
        name = f"{request.node.name.partition('[')[0]}_{len(opened)}.ipynb"
        opened.append(lab.notebook(context, cells, name=name, **options))
        return opened[-1]

    yield open_notebook
    for one in opened:
        one.shut_down()
    for context in contexts:
        context.close()


@pytest.fixture
def shots() -> Path | None:
    """Where pictures for people go, when someone asked for them."""
    import os

    folder = os.environ.get("KAROSPACE_SHOTS")
    return Path(folder) if folder else None
