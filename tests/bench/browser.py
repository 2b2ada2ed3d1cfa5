"""The viewer in a browser: 1,000,000 and 5,000,000 cells against plain WebGL2 and regl-scatterplot; prints rows.

Everything is drawn in software on the processor: trust the ratios. A frame counts as drawn when a pixel was read back
from it. `plain.html` draws the very picture that the viewer drew from the same files, and nothing else.
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

from karospace_jupyter.static import static_file

Row = tuple[str, str, str]
BOTH = ("plain", "regl")
MOVING_BUDGET = 200_000
GRID = {"layout": {"kind": "sections", "columns": 12, "order": "file"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1_000_000, help="of the bundles that are compared")
    parser.add_argument("--large", type=int, default=5_000_000, help="cells of the large bundle; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.cells <= MOVING_BUDGET:
        parser.error(f"--cells: more than {MOVING_BUDGET:,}, of which the viewer draws all while it moves")
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
                rows += of_many(playwright, cells.build(work / "large", options.large), options.large)
        print(json.dumps(rows))
    finally:
        shutil.rmtree(work)


def page_size() -> list[Row]:
    size = len(gzip.compress(static_file("viewer.html"), 9))
    return [("`index.html`, gzip", f"{size / 1000:.1f} kB", "≤ 120 kB")]


def against_others(playwright: Playwright, bundle: Path, n: int, rounds: int) -> list[Row]:
    say(f"frames of {n:,} cells …")
    bundle_regl(bundle)
    with pages(playwright, bundle) as opened:
        first = frames.first_frames(opened, rounds, BOTH)
        took = frames.work(opened, n, rounds)
        regl = frames.rival(opened, n, rounds)

    def row(what: str, ours: float, plain: float, theirs: float, limit: str) -> Row:
        found = f"{ours:.0f} ms = {ours / plain:.2f} × plain ({plain:.0f} ms); regl-scatterplot {theirs:.0f} ms"
        return (what, found, limit)

    return [
        row(f"first frame of {n:,} cells", first["viewer"], first["plain"], first["regl"], "≤ 1.3 ×"),
        row("values in the cache → colours drawn", took["colour"], took["plain colour"], regl["colour"], "≤ 1.2 ×"),
        row("a full frame", took["frame"], took["plain frame"], regl["frame"], ""),
        (
            "a frame while moving",
            f"{took['moving']:.0f} ms = {took['moving'] / took['frame']:.2f} × the full",
            "≤ 0.35 ×",
        ),
        ("hover, script for each move of the pointer", f"{took['hover']:.2f} ms", "≤ 1 ms"),
        (
            "a lasso around a quarter of the cells",
            f"{took['lasso']:.0f} ms; regl-scatterplot {regl['lasso']:.0f} ms",
            "≤ 60 ms",
        ),
    ]


def with_sections(playwright: Playwright, bundle: Path, n: int, rounds: int) -> list[Row]:
    say(f"{cells.SECTIONS} sections of {n:,} cells …")
    with pages(playwright, bundle) as opened:
        first = frames.first_frames(opened, rounds, ("plain",))
        grid = frames.layouts(opened, n, rounds, GRID)
        longest = stalls.measure(opened, sections=True)
    return [
        (
            f"first frame with {cells.SECTIONS} sections and an embedding",
            f"{first['viewer']:.0f} ms = {first['viewer'] / first['plain']:.2f} × plain ({first['plain']:.0f} ms)",
            "≤ 1.3 ×",
        ),
        (
            f"a frame of {cells.SECTIONS} sections side by side",
            f"{grid['grid']:.0f} ms = {grid['grid'] / grid['tissue']:.2f} × the tissue's; "
            f"while moving {grid['grid moving']:.0f} ms = {grid['grid moving'] / grid['tissue moving']:.2f} ×",
            "≤ 1.2 ×",
        ),
        stall(f"longest task of the page, {n:,} cells", longest),
    ]


def of_many(playwright: Playwright, bundle: Path, n: int) -> list[Row]:
    say(f"memory of {n:,} cells …")
    with pages(playwright, bundle) as opened:
        taken = large.measure(opened, n)
    with pages(playwright, bundle) as opened:
        longest = stalls.measure(opened, sections=False)
    return [
        (f"heap and array buffers, {n:,} cells", f"{taken['heap']:.0f} MB", "≤ 1,500 MB"),
        ("the most that their process ever held", f"{taken['resident']:.0f} MB", "≤ 1,500 MB"),
        stall(f"longest task of the page, {n:,} cells", longest),
    ]


def stall(what: str, longest: dict[str, float]) -> Row:
    name = max(longest, key=lambda step: longest[step])
    return (what, f"{longest[name]:.0f} ms ({name})", "≤ 200 ms")


def say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
