"""Compare frames of the viewer with plain WebGL2 and regl-scatterplot on the same arrays, in interleaved rounds."""

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
# The bounding box of the tissue in the page, from a sample of its cells.
SPREAD = """() => {
  const spots = Array.from({length: 2000}, (_, cell) => karospace.project(cell));
  const [xs, ys] = [spots.map(({x}) => x), spots.map(({y}) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}"""
CHANGE = "gene => bench.change({color: {kind: 'gene', gene: `gene${gene}`}})"


def first_frames(pages: Pages, rounds: int, others: tuple[str, ...]) -> dict[str, float]:
    """Return the median milliseconds from the request of the page to its first frame."""
    samples: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        with pages.viewer() as page:
            samples["viewer"].append(page.evaluate(FIRST_FRAME))
            picture = page.evaluate("bench.picture()")
            page.wait_for_load_state("networkidle")
        for name in others:
            with pages.other(name, picture) as page:
                samples[name].append(page.evaluate("window.first"))
    return medians(samples)


def work(pages: Pages, cells: int, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each interaction, alternating with plain WebGL2 and regl-scatterplot."""
    samples: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as opened:
        page = opened.enter_context(pages.viewer())
        page.wait_for_load_state("networkidle")
        picture = page.evaluate("bench.picture()")
        others = {name: opened.enter_context(pages.other(name, picture)) for name in ("plain", "regl")}
        for _ in range(rounds):
            turns = page.evaluate("cells => bench.turns(8, cells)", cells)
            samples["moving"] += turns["moving"]
            samples["frame"].append(turns["full"])
            settle(page)
            for name, other in others.items():
                samples[f"{name} frame"].append(other.evaluate("frame()"))
                settle(other)
        # The first round is not measured: it fills the cache of the viewer and compiles the shader programs.
        changes: dict[str, tuple[Any, str]] = {
            "color": (page, CHANGE),
            **{f"{name} color": (other, "gene => color(gene)") for name, other in others.items()},
        }
        order = [*changes]
        for turn in range(GENES + 3 * rounds):
            for name in order:
                target, change = changes[name]
                ms = target.evaluate(change, turn % GENES)
                settle(target)
                if turn >= GENES:
                    samples[name].append(ms)
            # Each page follows each other page equally often, because a page leaves the CPU caches cold for the next.
            order = order[1:] + order[:1] if turn % 2 else order[::-1]
        samples["hover"] = [hover(page) for _ in range(3)]
        for _ in range(rounds):
            ours = lasso(page, cells)
            samples["lasso"].append(ours["script"])
            samples["lasso drawn"].append(ours["drawn"])
            settle(page)
            samples["regl lasso"].append(quarter(others["regl"].evaluate("lasso()"), cells)["script"])
            settle(others["regl"])
    return medians(samples)


def first_lasso(pages: Pages, cells: int, rounds: int) -> float:
    """Return the median script time in ms of a lasso by touch, including the index that the first hover would build."""
    times = []
    for _ in range(rounds):
        with pages.viewer() as page:
            page.wait_for_load_state("networkidle")
            times.append(lasso(page, cells, by_touch=True)["script"])
    return statistics.median(times)


def layouts(pages: Pages, cells: int, rounds: int, grid: dict[str, Any]) -> dict[str, float]:
    """Return the median milliseconds of full frames and of frames while moving, in the tissue and in the grid."""
    samples: dict[str, list[float]] = defaultdict(list)
    with pages.viewer() as page:
        page.wait_for_load_state("networkidle")
        for _ in range(rounds):
            for name, state in (("tissue", {"layout": {"kind": "tissue"}}), ("grid", grid)):
                page.evaluate("state => bench.change(state)", state)  # resolves after the transition
                settle(page)
                turns = page.evaluate("cells => bench.turns(6, cells)", cells)
                samples[f"{name} moving"] += turns["moving"]
                samples[name].append(turns["full"])
    return medians(samples)


def settle(page: Any) -> None:
    """Wait until the browser has presented the frame, so that this does not slow down the next measurement."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_timeout(600)


def medians(samples: dict[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(times) for name, times in samples.items()}


def hover(page: Any) -> float:
    """Return the script milliseconds per pointer move over the cells, as measured by the browser."""
    page.evaluate("() => { window.moves = 0; addEventListener('pointermove', () => { window.moves++; }, true); }")
    page.mouse.move(400, 400)
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    moved, before = page.evaluate("window.moves"), script_seconds(session)
    for i in range(MOVES):
        page.mouse.move(400 + 90 * math.cos(i / 7), 400 + 60 * math.sin(i / 5))
    spent = script_seconds(session) - before
    moves = page.evaluate("window.moves") - moved
    session.detach()
    return 1000 * spent / moves


def script_seconds(session: Any) -> float:
    """Return the total script time of the page, in seconds."""
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"])


def lasso(page: Any, cells: int, *, by_touch: bool = False) -> dict[str, float]:
    """Return the milliseconds from the release of a lasso around a quarter of the cells, measured by `bench.lasso`."""
    page.keyboard.press("l")
    # In uniform noise, half the width and half the height contain a quarter of the cells.
    left, top, right, bottom = page.evaluate(SPREAD)
    x0, y0 = left + (right - left) / 4, top + (bottom - top) / 4
    wide, high = (right - left) / 2, (bottom - top) / 2
    edge = [i / 50 for i in range(50)]
    ring = [*((e, 0) for e in edge), *((1, e) for e in edge), *((1 - e, 1) for e in edge), *((0, 1 - e) for e in edge)]
    line = [(x0 + x * wide, y0 + y * high) for x, y in ring]
    draw = draw_by_touch if by_touch else draw_by_mouse
    draw(page, line, lambda: page.evaluate("() => { window.lasso = bench.lasso(); }"))
    return quarter(page.evaluate("window.lasso"), cells)


Line = list[tuple[float, float]]


def draw_by_mouse(page: Any, line: Line, before_the_end: Callable[[], None]) -> None:
    """Draw a line; call `before_the_end` before the release."""
    page.mouse.move(*line[0])
    page.mouse.down()
    for point in line[1:]:
        page.mouse.move(*point)
    before_the_end()
    page.mouse.up()


def draw_by_touch(page: Any, line: Line, before_the_end: Callable[[], None]) -> None:
    session = page.context.new_cdp_session(page)
    for kind, (x, y) in zip(["touchStart", *["touchMove"] * (len(line) - 1)], line, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    before_the_end()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def quarter(took: dict[str, float], cells: int) -> dict[str, float]:
    """Return the measurements, after checking that the lasso selected about a quarter of the cells."""
    assert 0.2 < took["count"] / cells < 0.3, f"the lasso selected {took['count']:.0f} of {cells} cells"
    return took
