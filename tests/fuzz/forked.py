"""Trying one input in a copy of this process: everything is imported there already, and it may die."""

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
"""Of the processor: however busy the machine is."""
MEGABYTES = 1000
"""More than the process has when it begins."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: ``read``, ``refused`` (a clear error), ``fault``, ``hang``, ``memory`` or ``crash``.

    ``library``: it crashed or hung inside libhdf5, from where no error comes back.
    """

    kind: str
    text: str

    @property
    def good(self) -> bool:
        return self.kind in {"read", "refused", "library"}


def attempt(work: Callable[[], object]) -> Outcome:
    """Run `work` in a child."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _in_child(work, tell)
    os.close(tell)
    said = b""
    while True:
        ready, _, _ = select.select([told], [], [], 20 * SECONDS)
        if not ready:  # it waits for something: that takes no time of the processor
            os.kill(child, signal.SIGKILL)
            break
        block = os.read(told, 65_536)
        if not block:
            break
        said += block
    os.close(told)
    _, status = os.waitpid(child, 0)
    text = said.decode("utf-8", "replace")
    kind, _, rest = text.partition("\n")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        how = "hang" if number in {signal.SIGXCPU, signal.SIGKILL} else "crash"
        return Outcome("library" if _is_in_library(text) else how, f"signal {number}\n{text}")
    return Outcome(kind or "crash", rest)


def _is_in_library(traces: str) -> bool:
    """Whether a thread of what `faulthandler` tells was last in h5py, which calls libhdf5."""
    tops = [trace.strip().partition("\n")[0] for trace in traces.split("(most recent call first):")[1:]]
    return any("/h5py/" in top for top in tops)


def _in_child(work: Callable[[], object], tell: int) -> None:
    """Never returns."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    has = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
    resource.setrlimit(resource.RLIMIT_AS, (has + MEGABYTES * 2**20,) * 2)
    faulthandler.enable(tell)
    faulthandler.register(signal.SIGXCPU, tell, chain=True)
    sys.stdout = sys.stderr = io.StringIO()
    try:
        work()
        said = "read\n"
    except KaroSpaceError as exc:
        said = f"refused\n{type(exc).__name__}: {exc}"
    except MemoryError:
        said = f"memory\n{traceback.format_exc()}"
    except BaseException:  # whatever it is, it should not have been raised
        said = f"fault\n{traceback.format_exc()}"
    try:
        os.write(tell, said.encode("utf-8", "backslashreplace")[-60_000:])
    finally:
        os._exit(0)
