"""Try one input in a fork of this process, where everything is already imported and a crash does no harm."""

from __future__ import annotations

import faulthandler
import io
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from karospace_jupyter.errors import KaroSpaceError

SECONDS = 10
"""Limit of CPU time, which does not depend on how busy the machine is."""
MEBIBYTES = 1000
"""Limit of memory, in addition to what the process already uses when the attempt starts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome: ``read``, ``refused`` (a clear error), ``bug``, ``hang``, ``memory``, ``crash`` or ``library``.

    ``bug`` is any other exception. ``library`` is a crash or hang inside libhdf5, or a crash inside a decoder of zarr:
    neither can raise an error.
    """

    kind: str
    text: str

    @property
    def good(self) -> bool:
        return self.kind in {"read", "refused", "library"}


def attempt(work: Callable[[], object]) -> Outcome:
    """Run `work` in a child process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _in_child(work, writer)
    os.close(writer)
    output = b""
    while True:
        ready, _, _ = select.select([reader], [], [], 20 * SECONDS)
        if not ready:  # it blocks without using CPU time
            os.kill(child, signal.SIGKILL)
            break
        block = os.read(reader, 65_536)
        if not block:
            break
        output += block
    os.close(reader)
    _, status = os.waitpid(child, 0)
    text = output.decode("utf-8", "replace")
    kind, _, rest = text.partition("\n")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        how = "hang" if number in {signal.SIGXCPU, signal.SIGKILL} else "crash"
        return Outcome("library" if _is_in_library(text) else how, f"signal {number}\n{text}")
    return Outcome(kind or "crash", rest)


def _is_in_library(traces: str) -> bool:
    """Return whether a library crashed or hung: h5py in any thread, or a decoder of zarr in the crashed thread.

    `traces` is the output of `faulthandler`. h5py calls libhdf5. zarr decodes chunks on threads of a pool while the
    caller waits; c-blosc reads beyond the end of a chunk whose offsets are wrong.
    """
    tops = [trace.strip().partition("\n")[0] for trace in traces.split("(most recent call first):")[1:]]
    crashed = traces.partition("Current thread")[2].partition("first):")[2].strip().partition("\n")[0]
    in_pool = "/concurrent/futures/thread.py" in crashed and crashed.endswith(" in run")
    return any("/h5py/" in top for top in tops) or (in_pool and "/zarr/core/sync.py" in traces)


def _in_child(work: Callable[[], object], writer: int) -> None:
    """Run `work`, write the outcome to the pipe and exit; never returns."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    in_use = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEBIBYTES * 2**20,) * 2)
    faulthandler.enable(writer)
    faulthandler.register(signal.SIGXCPU, writer, chain=True)
    sys.stdout = sys.stderr = io.StringIO()
    try:
        work()
        outcome = "read\n"
    except KaroSpaceError as exc:
        outcome = f"refused\n{type(exc).__name__}: {exc}"
    except MemoryError:
        outcome = f"memory\n{traceback.format_exc()}"
    except BaseException:  # any other exception is a bug
        outcome = f"bug\n{traceback.format_exc()}"
    try:
        os.write(writer, outcome.encode("utf-8", "backslashreplace")[-60_000:])
    finally:
        os._exit(0)
