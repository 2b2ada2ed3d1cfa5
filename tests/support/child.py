"""Running code in a process of its own, as nothing that a file holds may take the tests down with it."""

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
    try:  # what `resource` says holds what the parent took before this program began
        status = open("/proc/self/status").read()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

given = json.loads({given!r})
start = time.process_time()
said = None
try:
{code}
except Exception as raised:
    from karospace_jupyter.errors import KaroSpaceError
    said = {{"type": type(raised).__name__, "clear": isinstance(raised, KaroSpaceError), "text": str(raised)}}
print("\\n" + json.dumps({{
    "error": said,
    "seconds": time.process_time() - start,
    "megabytes": most_resident(),
}}))
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    code: int
    error: dict[str, Any] | None
    """Type, text, and whether it is one of this package; None when nothing was raised."""
    seconds: float
    """Of the processor."""
    megabytes: float
    """The most that were resident."""
    output: str


def run(code: str, given: Any = None, *, env: dict[str, str] | None = None) -> Ended:
    """Run `code`, to which `given` is what was handed over, as JSON."""
    indented = "\n".join(f"    {line}" for line in code.strip().splitlines())
    script = _FRAME.format(paths=[str(Path(__file__).parent)], given=json.dumps(given), code=indented)
    ended = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    last = ended.stdout.strip().rsplit("\n", 1)[-1]
    if ended.returncode or not last.startswith("{"):
        return Ended(ended.returncode, None, 0, 0, ended.stdout + ended.stderr)
    told = json.loads(last)
    return Ended(0, told["error"], told["seconds"], told["megabytes"], ended.stdout + ended.stderr)
