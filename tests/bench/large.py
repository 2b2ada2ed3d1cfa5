"""What 5,000,000 cells take of memory while they are opened, moved and coloured anew.

Two accounts: the page's heap with its array buffers, as the browser's debugger states it after each step, and the
largest resident memory of the whole process that runs the page, as the kernel kept it. The second holds the first, and
the browser's own code, and what one step takes and gives back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chrome import Pages

MB = 1_000_000


def measure(pages: Pages, cells: int) -> dict[str, float]:
    """Megabytes: the heap after the hungriest step, and the most that the process ever held."""
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
    """Of the largest of the browser's pages; the others are empty."""
    processes = pages.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(high_water(process["id"]) for process in processes if process["type"] == "renderer")


def high_water(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, value = line.split(":")
        if name == "VmHWM":
            return int(value.removesuffix("kB")) * 1024 / MB
    raise LookupError(process)
