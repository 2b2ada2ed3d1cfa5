"""Run command lines as users type them in the activated environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from waiting import PATIENCE_S


def activated() -> dict[str, str]:
    """Return the environment of the activated virtual environment, with a browser that shows nothing."""
    bin_folder = Path(sys.executable).parent
    if not (bin_folder / "karospace-export").exists():
        pytest.skip("the command karospace-export is not installed: pip install -e .")
    return {**os.environ, "PATH": os.pathsep.join([str(bin_folder), os.environ["PATH"]]), "BROWSER": "true %s"}


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=activated(), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def serve(command: list[str], folder: Path, check: Callable[[str], object]) -> None:
    """Run a command that serves a bundle, call `check` with the address that it prints, and interrupt it."""
    with subprocess.Popen(
        command, cwd=folder, env=activated(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            check(first_match(r"http://127\.0\.0\.1:\d+/", process.stdout))
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, output
        finally:
            process.kill()


def first_match(pattern: str, output: Iterable[str]) -> str:
    """Read lines until one matches a pattern, and return the match; fail with the lines if none matches."""
    lines = []
    for line in output:
        if found := re.search(pattern, line):
            return found[0]
        lines.append(line)
    raise AssertionError(f"the output does not match {pattern}:\n{''.join(lines)}")
