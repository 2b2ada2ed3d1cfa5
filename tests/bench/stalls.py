"""The longest task of the main thread, from the first frame on, while a person uses everything."""

from __future__ import annotations

import sys
from typing import Any

from chrome import Pages

# The browser reports each task of more than 50 ms.
OBSERVE = """
window.tasks = [];
new PerformanceObserver((list) => {
  for (const {startTime, duration} of list.getEntries()) tasks.push([startTime, duration]);
}).observe({type: 'longtask', buffered: true});
"""
# Two frames and a moment more: a report comes after its task.
SETTLED = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 400)), 400))"


def measure(pages: Pages, *, sections: bool) -> dict[str, float]:
    """The longest task in milliseconds, by what was done meanwhile; 0 where none was over 50 ms."""
    found: dict[str, float] = {}
    with pages.viewer(OBSERVE) as page:
        since = page.evaluate("performance.getEntriesByName('karospace:first-frame')[0].startTime")

        def done(name: str) -> None:
            nonlocal since
            page.evaluate(SETTLED)
            found[name] = page.evaluate(
                "since => Math.max(0, ...tasks.filter(([start]) => start >= since).map(([, duration]) => duration))",
                since,
            )
            since = page.evaluate("performance.now()")
            print(f"  {name}: {found[name]:.0f} ms", file=sys.stderr)

        page.wait_for_load_state("networkidle")
        done("what loads after the first frame")
        use(page, done, sections=sections)
    return found


def use(page: Any, done: Any, *, sections: bool) -> None:
    """Everything that a person does often."""
    drag(page, [(400 + 5 * i, 400 + 3 * i) for i in range(30)])
    done("pan")
    for i in range(12):
        page.mouse.wheel(0, 120 if i % 2 else -120)
    done("zoom")
    for i in range(60):
        page.mouse.move(300 + 4 * i, 300 + 3 * (i % 20))
    done("hover")
    page.keyboard.press("l")
    drag(page, [(250, 200), *((250 + 8 * i, 200) for i in range(50)), (650, 600), (250, 600), (250, 210)])
    done("lasso")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    done("end of the selection")
    page.get_by_role("tab", name="Gene").or_(page.get_by_role("radio", name="Gene")).first.click()
    box = page.get_by_role("combobox").first
    box.click()
    box.press_sequentially("gene2", delay=30)
    done("gene search")
    box.press("Enter")
    done("gene")
    page.evaluate("karospace.setState({color: {kind: 'gene', gene: 'gene3'}})")
    page.evaluate("karospace.setState({color: {kind: 'gene', gene: 'gene2'}})")
    done("gene by script")
    page.evaluate("karospace.setState({color: {kind: 'annotation', column: 'total_counts'}})")
    done("numbers")
    page.evaluate("karospace.setState({color: {kind: 'annotation', column: 'cluster'}})")
    done("classes")
    for _ in range(2):
        page.get_by_text("type 3", exact=True).first.click()
        done("legend")
    page.keyboard.press("p")
    page.keyboard.press("p")
    done("side panel")
    if not sections:
        return
    page.evaluate("karospace.setState({layout: {kind: 'sections', columns: 12, order: 'file'}})")
    done("grid of sections")
    page.mouse.move(500, 400)
    for i in range(12):
        page.mouse.wheel(0, 120 if i % 2 else -120)
    done("zoom in the grid")
    page.evaluate("karospace.setState({layout: {kind: 'embedding', name: 'X_umap'}})")
    done("embedding")
    page.evaluate("karospace.setState({layout: {kind: 'tissue'}})")
    done("back to the tissue")


def drag(page: Any, points: list[tuple[float, float]]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
