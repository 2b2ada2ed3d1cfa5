"""The longest task of the main thread, from the first frame on, while a person uses everything."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import person
from chrome import FIRST_FRAME, Pages

# The browser reports each task of more than 50 ms.
OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const {startTime, duration} of list.getEntries()) tasks.push([startTime, startTime + duration]);
}).observe({type: 'longtask', buffered: true});
"""
# Of a task that had begun before, what came after.
LONGEST = "since => Math.max(0, ...tasks.map(([start, end]) => end - Math.max(start, since)))"
# Two frames and a moment more: a report comes after its task.
SETTLED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 400)), 400))"

Found = dict[str, float]
"""The longest task in milliseconds, by what was done meanwhile; 0 where none was over 50 ms."""


class Watch:
    """Takes down the longest task of each thing that is done in a page, from its first frame on."""

    def __init__(self, page: Any, found: Found) -> None:
        self._page = page
        self._found = found
        self._since = page.evaluate(FIRST_FRAME)

    def done(self, name: str) -> None:
        self._page.evaluate(SETTLED)
        longest = self._page.evaluate(LONGEST, self._since)
        self._found[name] = max(self._found.get(name, 0), longest)
        self._since = self._page.evaluate("performance.now()")
        print(f"  {name}: {longest:.0f} ms", file=sys.stderr)


def measure_core(pages: Pages) -> Found:
    """What is done with any number of cells: look, select, colour."""
    found: Found = {}
    with pages.viewer(OBSERVE) as page:
        watch = opened(page, found, "what loads after the first frame")
        person.looks(page, watch.done)
        person.selects(page, watch.done)
        person.colours(page, watch.done)
    return found


def measure(pages: Pages) -> Found:
    """The same, and all else there is: sections, files, pictures, a link, and a page opened by double click."""
    found = measure_core(pages)
    with pages.viewer(OBSERVE) as page, tempfile.TemporaryDirectory() as folder:
        watch = opened(page, found, "what loads after the first frame")
        person.arranges(page, watch.done)
        person.keeps(page, watch.done, Path(folder))
        link = person.links(page, watch.done)
    with pages.viewer(OBSERVE, at=link) as page:
        opened(page, found, "a link with regions")
    with pages.viewer(OBSERVE, at=(pages.bundle / "index.html").as_uri()) as page:
        watch = opened(page, found, "opened by double click")
        for gene in ("gene4", "gene5", "gene4"):
            person.sets(page, {"color": {"kind": "gene", "gene": gene}})
        watch.done("genes of a page opened by double click")
    return found


def opened(page: Any, found: Found, name: str) -> Watch:
    watch = Watch(page, found)
    # With the names of the cells, and the classes by which values are split, everything is there.
    page.get_by_role("region", name="Regions").get_by_role("button", name="Open").wait_for()
    page.wait_for_function("() => karospace.getState().groupBy !== null")
    watch.done(name)
    return watch
