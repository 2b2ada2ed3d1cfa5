"""Measure the memory of 5,000,000 cells while they are opened, moved and recolored.

There are two measurements: the heap of the page with its array buffers, as reported by the debugger of the browser after
each step, and the peak resident memory of the process that runs the page, as reported by the operating system. The second
includes the first, the code of the browser, and temporary memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chrome import Pages

MB = 1_000_000


def measure(pages: Pages, cells: int) -> dict[str, float]:
    """Return megabytes: the largest heap after a step, and the peak resident memory of the process."""
    with pages.viewer() as page:
        session = page.context.new_cdp_session(page)
        heaps = [heap(session)]
        page.wait_for_load_state("networkidle")
        heaps.append(heap(session))
        page.evaluate("cells => bench.turns(3, cells)", cells)
        heaps.append(heap(session))
        for gene in ("gene0", "gene1", "gene2"):
            page.evaluate("gene => bench.change({color: {kind: 'gene', gene}})", gene)
            heaps.append(heap(session))
        return {"heap": max(heaps), "resident": peak(pages)}


def heap(session: Any) -> float:
    usage = session.send("Runtime.getHeapUsage")
    return float(usage["usedSize"] + usage["embedderHeapUsedSize"] + usage["backingStorageSize"]) / MB


def peak(pages: Pages) -> float:
    """Return the peak memory of the largest page of the browser; the others are empty."""
    processes = pages.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(peak_resident(process["id"]) for process in processes if process["type"] == "renderer")


def peak_resident(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, value = line.split(":")
        if name == "VmHWM":
            return int(value.removesuffix("kB")) * 1024 / MB
    raise LookupError(process)
