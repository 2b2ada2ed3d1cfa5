"""Measure the longest task of the main thread after the first frame, while a simulated user uses every feature."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import user
from chrome import FIRST_FRAME, Pages

# The browser reports each task of more than 50 ms.
OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const {startTime, duration} of list.getEntries()) tasks.push([startTime, startTime + duration]);
}).observe({type: 'longtask', buffered: true});
"""
# A task that started earlier counts from `since`.
LONGEST = "since => Math.max(0, ...tasks.map(([start, end]) => end - Math.max(start, since)))"
# Wait for a frame, with a pause before and after it, because a task is reported only after its end.
SETTLED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 400)), 400))"

LongestTasks = dict[str, float]
"""For each action, its longest task in milliseconds; 0 if none took more than 50 ms."""


class Watch:
    """Record the longest task of each action in a page, starting with its first frame."""

    def __init__(self, page: Any, longest_tasks: LongestTasks) -> None:
        self._page = page
        self._longest_tasks = longest_tasks
        self._since = page.evaluate(FIRST_FRAME)

    def done(self, name: str) -> None:
        """Record the longest task since the previous action as the one of the action `name`."""
        self._page.evaluate(SETTLED)
        longest = self._page.evaluate(LONGEST, self._since)
        self._longest_tasks[name] = max(self._longest_tasks.get(name, 0), longest)
        self._since = self._page.evaluate("performance.now()")
        print(f"  {name}: {longest:.0f} ms", file=sys.stderr)


def measure_core(pages: Pages) -> LongestTasks:
    """Measure the core actions, for any number of cells: viewing, selecting, coloring."""
    longest_tasks: LongestTasks = {}
    with pages.viewer(OBSERVE) as page:
        watch = watch_loading(page, longest_tasks, "loading after the first frame")
        user.explore(page, watch.done)
        user.select(page, watch.done)
        user.color(page, watch.done)
    return longest_tasks


def measure(pages: Pages) -> LongestTasks:
    """Measure the core actions, and also sections, files, pictures, a link, and a page opened with a double click."""
    longest_tasks = measure_core(pages)
    with pages.viewer(OBSERVE) as page, tempfile.TemporaryDirectory() as folder:
        watch = watch_loading(page, longest_tasks, "loading after the first frame")
        user.arrange(page, watch.done)
        user.save(page, watch.done, Path(folder))
        link = user.link(page, watch.done)
    with pages.viewer(OBSERVE, at=link) as page:
        watch_loading(page, longest_tasks, "link with regions")
    with pages.viewer(OBSERVE, at=(pages.bundle / "index.html").as_uri()) as page:
        watch = watch_loading(page, longest_tasks, "opened with a double click")
        for gene in ("gene4", "gene5", "gene4"):
            user.set_state(page, {"color": {"kind": "gene", "gene": gene}})
        watch.done("genes of a page opened with a double click")
    return longest_tasks


def watch_loading(page: Any, longest_tasks: LongestTasks, name: str) -> Watch:
    """Wait until everything is loaded, record this as the action `name`, and return the watch."""
    watch = Watch(page, longest_tasks)
    # Everything is loaded once regions can be opened (cell IDs) and values are grouped (categories).
    page.get_by_role("region", name="Regions").get_by_role("button", name="Open").wait_for()
    page.wait_for_function("() => karospace.getState().groupBy !== null")
    watch.done(name)
    return watch
