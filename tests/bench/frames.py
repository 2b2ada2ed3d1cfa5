"""Frames of the viewer against plain WebGL2 and regl-scatterplot over the same arrays, in interleaved rounds."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from chrome import FIRST_FRAME, Pages

GENES = 4
MOVES = 200
# Where the tissue lies in the page, by some of its cells.
SPREAD = """() => {
  const spots = Array.from({length: 2000}, (_, cell) => karospace.project(cell));
  const [xs, ys] = [spots.map(({x}) => x), spots.map(({y}) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}"""
CHANGE = "gene => bench.change({color: {kind: 'gene', gene: `gene${gene}`}})"


def first_frames(pages: Pages, rounds: int, others: tuple[str, ...]) -> dict[str, float]:
    """Median milliseconds from the request of the page until its first frame stood."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        with pages.viewer() as page:
            found["viewer"].append(page.evaluate(FIRST_FRAME))
            picture = page.evaluate("bench.picture()")
            page.wait_for_load_state("networkidle")
        for name in others:
            with pages.other(name, picture) as page:
                found[name].append(page.evaluate("window.first"))
    return medians(found)


def work(pages: Pages, cells: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of what a person does with the tissue, taking turns with plain WebGL2 and regl-scatterplot."""
    found: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as opened:
        page = opened.enter_context(pages.viewer())
        page.wait_for_load_state("networkidle")
        picture = page.evaluate("bench.picture()")
        others = {name: opened.enter_context(pages.other(name, picture)) for name in ("plain", "regl")}
        for _ in range(rounds):
            turns = page.evaluate("cells => bench.turns(8, cells)", cells)
            found["moving"] += turns["moving"]
            found["frame"].append(turns["full"])
            rest(page)
            for name, other in others.items():
                found[f"{name} frame"].append(other.evaluate("frame()"))
                rest(other)
        # Once round before it counts: the values are in the viewer's cache then, and programs are compiled.
        colours: dict[str, tuple[Any, str]] = {
            "colour": (page, CHANGE),
            **{f"{name} colour": (other, "gene => colour(gene)") for name, other in others.items()},
        }
        order = [*colours]
        for turn in range(GENES + 3 * rounds):
            for name in order:
                painted, change = colours[name]
                ms = painted.evaluate(change, turn % GENES)
                rest(painted)
                if turn >= GENES:
                    found[name].append(ms)
            # Each comes after each of the others as often: one that leaves the processor's caches to itself costs the next.
            order = order[1:] + order[:1] if turn % 2 else order[::-1]
        found["hover"] = [hover(page) for _ in range(3)]
        for _ in range(rounds):
            ours = lasso(page, cells)
            found["lasso"].append(ours["script"])
            found["lasso drawn"].append(ours["drawn"])
            rest(page)
            found["regl lasso"].append(quarter(others["regl"].evaluate("lasso()"), cells)["script"])
            rest(others["regl"])
    return medians(found)


def first_lasso(pages: Pages, cells: int, rounds: int) -> float:
    """Median milliseconds of script of a lasso by finger: no pointer has hovered, so it builds the index, too."""
    found = []
    for _ in range(rounds):
        with pages.viewer() as page:
            page.wait_for_load_state("networkidle")
            found.append(lasso(page, cells, finger=True)["script"])
    return statistics.median(found)


def layouts(pages: Pages, cells: int, rounds: int, grid: dict[str, Any]) -> dict[str, float]:
    """Median milliseconds of full frames and of those while the view moves, in the tissue and in the grid."""
    found: dict[str, list[float]] = defaultdict(list)
    with pages.viewer() as page:
        page.wait_for_load_state("networkidle")
        for _ in range(rounds):
            for name, state in (("tissue", {"layout": {"kind": "tissue"}}), ("grid", grid)):
                page.evaluate("state => bench.change(state)", state)
                # Until the cells have arrived there.
                page.wait_for_timeout(600)
                turns = page.evaluate("cells => bench.turns(6, cells)", cells)
                found[f"{name} moving"] += turns["moving"]
                found[name].append(turns["full"])
    return medians(found)


def rest(page: Any) -> None:
    """Let the browser put on the screen what was drawn, whatever follows: the next one is not to pay for it."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(600)


def medians(found: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(times) for name, times in found.items()}


def hover(page: Any) -> float:
    """Milliseconds of script for each move of the pointer over the cells, by the browser's own account."""
    page.evaluate("() => { window.moves = 0; addEventListener('pointermove', () => { window.moves++; }, true); }")
    page.mouse.move(400, 400)
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    moved, before = page.evaluate("window.moves"), script(session)
    for i in range(MOVES):
        page.mouse.move(400 + 90 * math.cos(i / 7), 400 + 60 * math.sin(i / 5))
    spent = script(session) - before
    moves = page.evaluate("window.moves") - moved
    session.detach()
    return 1000 * spent / moves


def script(session: Any) -> float:
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"])


def lasso(page: Any, cells: int, *, finger: bool = False) -> dict[str, float]:
    """Milliseconds from letting go of a lasso around a quarter of the cells, as `bench.lasso` tells them."""
    page.keyboard.press("l")
    # Uniform noise: half the tissue each way holds a quarter of the cells.
    left, top, right, bottom = page.evaluate(SPREAD)
    x0, y0 = left + (right - left) / 4, top + (bottom - top) / 4
    wide, high = (right - left) / 2, (bottom - top) / 2
    edge = [i / 50 for i in range(50)]
    ring = [*((e, 0) for e in edge), *((1, e) for e in edge), *((1 - e, 1) for e in edge), *((0, 1 - e) for e in edge)]
    line = [(x0 + x * wide, y0 + y * high) for x, y in ring]
    draw_by = touch if finger else press
    draw_by(page, line, lambda: page.evaluate("() => { window.lasso = bench.lasso(); }"))
    return quarter(page.evaluate("window.lasso"), cells)


Line = list[tuple[float, float]]


def press(page: Any, line: Line, before_the_end: Callable[[], None]) -> None:
    page.mouse.move(*line[0])
    page.mouse.down()
    for point in line[1:]:
        page.mouse.move(*point)
    before_the_end()
    page.mouse.up()


def touch(page: Any, line: Line, before_the_end: Callable[[], None]) -> None:
    session = page.context.new_cdp_session(page)
    for kind, (x, y) in zip(["touchStart", *["touchMove"] * (len(line) - 1)], line, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    before_the_end()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def quarter(took: dict[str, float], cells: int) -> dict[str, float]:
    assert 0.2 < took["count"] / cells < 0.3, f"the lasso took {took['count']:.0f} of {cells} cells"
    return took
