"""Start a virtual display for programs with windows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

ENDING_WITH_THE_TESTS = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
"""Prefix that makes a command end with the tests, even if they are killed."""


@contextmanager
def virtual_display(size: str) -> Iterator[str]:
    """Run Xvfb, and yield the name of its display. Skip the test if Xvfb is not installed."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is missing")
    read, write = os.pipe()
    server = subprocess.Popen(
        [*ENDING_WITH_THE_TESTS, "Xvfb", "-displayfd", str(write), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    try:
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
