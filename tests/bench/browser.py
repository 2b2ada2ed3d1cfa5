"""Compare the viewer with plain WebGL2 and regl-scatterplot, for 1,000,000 and 5,000,000 cells; print a table.

Everything is drawn in software on the CPU, so only the ratios are meaningful. A frame counts as drawn when a pixel was read
back from it. `plain.html` draws the same image as the viewer from the same files, and nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
from pathlib import Path

import cells
import frames
import large
import stalls
from chrome import bundle_regl, pages
from playwright.sync_api import Playwright, sync_playwright
from rows import Row, row, table

from karospace_jupyter.static import static_file

BOTH = ("plain", "regl")
MOVING_BUDGET = 200_000
LONGEST_TASK = 200
GRID = {"layout": {"kind": "sections", "columns": 12, "order": "file"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1_000_000, help="number of cells in the compared bundles")
    parser.add_argument("--large", type=int, default=5_000_000, help="number of cells in the large bundle; 0 omits it")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON, for run.py")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.cells <= MOVING_BUDGET:
        parser.error(
            f"--cells must be above {MOVING_BUDGET:,}: up to this number, the viewer draws all cells while moving"
        )
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    try:
        with sync_playwright() as playwright:
            rows = page_size()
            rows += against_others(
                playwright, cells.build(work / "cells", options.cells), options.cells, options.rounds
            )
            bundle = cells.build(work / "sections", options.cells, sections=True)
            rows += with_sections(playwright, bundle, options.cells, options.rounds)
            if options.large:
                rows += large_bundle(playwright, cells.build(work / "large", options.large), options.large)
        print(json.dumps(rows) if options.json else table(rows))
    finally:
        shutil.rmtree(work)


def page_size() -> list[Row]:
    size = len(gzip.compress(static_file("viewer.html"), 9)) / 1000
    return [row("`index.html`, gzip", f"{size:.1f} kB", value=size, limit="≤ 120 kB")]


def against_others(playwright: Playwright, bundle: Path, n: int, rounds: int) -> list[Row]:
    """Compare the viewer with plain WebGL2 and regl-scatterplot."""
    log(f"frames of {n:,} cells …")
    bundle_regl(bundle)
    with pages(playwright, bundle) as opened:
        first = frames.first_frames(opened, rounds, BOTH)
        took = frames.work(opened, n, rounds)
        first_lasso = frames.first_lasso(opened, n, rounds)

    def compared(what: str, ours: float, plain: float, theirs: float, limit: str = "") -> Row:
        ratio = ours / plain
        text = f"{ours:.0f} ms = {ratio:.2f} × plain ({plain:.0f} ms); regl-scatterplot {theirs:.0f} ms"
        return row(what, text, value=ratio if limit else None, limit=limit)

    share = took["moving"] / took["frame"]
    return [
        compared(f"first frame of {n:,} cells", first["viewer"], first["plain"], first["regl"], "≤ 1.3 ×"),
        compared("cached values → colors drawn", took["color"], took["plain color"], took["regl color"], "≤ 1.2 ×"),
        compared("full frame", took["frame"], took["plain frame"], took["regl frame"]),
        row("frame while moving", f"{took['moving']:.0f} ms = {share:.2f} × the full", value=share, limit="≤ 0.35 ×"),
        row("hover: script time for each pointer move", f"{took['hover']:.2f} ms", value=took["hover"], limit="≤ 1 ms"),
        row(
            "lasso around a quarter of the cells: script time until the selection is known",
            f"{took['lasso']:.0f} ms; regl-scatterplot {took['regl lasso']:.0f} ms",
            value=took["lasso"],
            limit="≤ 60 ms",
        ),
        row(
            "the same for the first lasso, with building the index of all cells",
            f"{first_lasso:.0f} ms",
            value=first_lasso,
            limit="≤ 60 ms",
        ),
        row("the same until drawn, with upload and frame", f"{took['lasso drawn']:.0f} ms"),
    ]


def with_sections(playwright: Playwright, bundle: Path, n: int, rounds: int) -> list[Row]:
    """Measure a bundle with sections and an embedding."""
    log(f"{cells.SECTIONS} sections of {n:,} cells …")
    with pages(playwright, bundle) as opened:
        first = frames.first_frames(opened, rounds, ("plain",))
        grid = frames.layouts(opened, n, rounds, GRID)
        longest = stalls.measure(opened)
    ratio = first["viewer"] / first["plain"]
    full, moving = grid["grid"] / grid["tissue"], grid["grid moving"] / grid["tissue moving"]
    return [
        row(
            f"first frame with {cells.SECTIONS} sections and an embedding",
            f"{first['viewer']:.0f} ms = {ratio:.2f} × plain ({first['plain']:.0f} ms)",
            value=ratio,
            limit="≤ 1.3 ×",
        ),
        row(
            f"frame of {cells.SECTIONS} sections side by side",
            f"{grid['grid']:.0f} ms = {full:.2f} × the tissue",
            value=full,
            limit="≤ 1.2 ×",
        ),
        row(
            "the same while moving",
            f"{grid['grid moving']:.0f} ms = {moving:.2f} × the tissue",
            value=moving,
            limit="≤ 1.2 ×",
        ),
        longest_task(f"longest task in the page, {n:,} cells", longest),
    ]


def large_bundle(playwright: Playwright, bundle: Path, n: int) -> list[Row]:
    """Measure the memory and the longest task of a large bundle."""
    log(f"memory of {n:,} cells …")
    with pages(playwright, bundle) as opened:
        used = large.measure(opened, n)
    with pages(playwright, bundle) as opened:
        longest = stalls.measure_core(opened)

    def memory(what: str, megabytes: float) -> Row:
        return row(what, f"{megabytes:.0f} MB", value=megabytes, limit="≤ 1,500 MB")

    return [
        memory(f"heap and array buffers, {n:,} cells", used["heap"]),
        memory("peak memory of that process", used["resident"]),
        longest_task(f"longest task in the page, {n:,} cells: viewing, selecting, coloring", longest),
    ]


def longest_task(what: str, longest: stalls.LongestTasks) -> Row:
    """Return a row with all tasks above the limit; if there are none, with the longest one."""
    over = sorted(((ms, name) for name, ms in longest.items() if ms > LONGEST_TASK), reverse=True)
    reported = over or [max((ms, name) for name, ms in longest.items())]
    text = ", ".join(f"{ms:.0f} ms ({name})" for ms, name in reported)
    return row(what, text, value=reported[0][0], limit=f"≤ {LONGEST_TASK} ms")


def log(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
