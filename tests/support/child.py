"""Run code in a subprocess, so that a crash on a damaged file does not crash the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waiting import PATIENCE_S

_FRAME = """
import json, resource, sys, time
sys.path[:0] = {paths!r}

def most_resident():
    try:  # ru_maxrss includes the memory of the parent before exec
        status = open("/proc/self/status").read()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

given = json.loads({given!r})
start = time.process_time()
error = None
try:
{code}
except Exception as raised:
    from karospace_jupyter.errors import KaroSpaceError
    error = {{"type": type(raised).__name__, "clear": isinstance(raised, KaroSpaceError), "text": str(raised)}}
print("\\n" + json.dumps({{
    "error": error,
    "seconds": time.process_time() - start,
    "megabytes": most_resident(),
}}))
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """Result of a subprocess."""

    code: int
    error: dict[str, Any] | None
    """The type and text of the exception, and whether it is a KaroSpaceError; None if nothing was raised."""
    seconds: float
    """CPU time."""
    megabytes: float
    """Peak resident memory, in MiB."""
    output: str


def run(code: str, given: Any = None, *, env: dict[str, str] | None = None) -> Ended:
    """Run `code` in a subprocess, with the variable `given` passed as JSON."""
    indented = "\n".join(f"    {line}" for line in code.strip().splitlines())
    script = _FRAME.format(paths=[str(Path(__file__).parent)], given=json.dumps(given), code=indented)
    ended = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    last = ended.stdout.strip().rsplit("\n", 1)[-1]
    if ended.returncode or not last.startswith("{"):
        return Ended(ended.returncode, None, 0, 0, ended.stdout + ended.stderr)
    result = json.loads(last)
    return Ended(0, result["error"], result["seconds"], result["megabytes"], ended.stdout + ended.stderr)
