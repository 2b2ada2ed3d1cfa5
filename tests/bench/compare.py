"""Measure the comparison of all genes in the page: 20% of the cells against the rest, in a worker, and in slices.

Usage: python tests/bench/compare.py [--rounds N] [BUNDLE ...]

Without bundles, it packs matrices of 200,000 × 5,000, and the largest file in KAROSPACE_REAL_DATA whose X is CSR.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from chrome import Pages, pages
from playwright.sync_api import sync_playwright
from rows import Row, row, table
from run import KINDS, generate, real_file
from stalls import LONGEST, OBSERVE, SETTLED

from karospace_jupyter import ExportConfig, export_h5ad

NO_WORKER = "window.Worker = class { constructor() { throw new DOMException('none', 'SecurityError'); } };"
# Every fifth cell.
SELECT = "karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i % 5 === 0 ? 1 : 0))"
# From the click until the table is in the page, in milliseconds.
COMPARE = """() => new Promise((done) => {
  const [button] = [...document.querySelectorAll('.ks-selection .ks-pill')].filter((pill) => /Compare/.test(pill.textContent));
  const begin = performance.now();
  new MutationObserver((_, observer) => {
    if (!document.querySelector('.ks-genes tbody tr')) return;
    observer.disconnect();
    done(performance.now() - begin);
  }).observe(document.body, {childList: true, subtree: true});
  button.click();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    rows: list[Row] = []
    try:
        with sync_playwright() as playwright:
            for name, bundle in bundles(options.bundles, work):
                with pages(playwright, bundle) as opened:
                    print(f"{name} …", file=sys.stderr)
                    rows += measure(opened, name, options.rounds)
    finally:
        shutil.rmtree(work)
    print(table(rows))


def bundles(given: list[Path], work: Path) -> Any:
    """Yield names and folders of bundles; a bundle that was made is removed afterwards."""
    for folder in given:
        yield folder.name, folder
    if given:
        return
    files = [(f"200,000 × 5,000, {description}", kind) for kind, description in KINDS.items()]
    for name, kind in files:
        generate(work / "t.h5ad", 200_000, 5_000, kind)
        yield name, export(work / "t.h5ad", work / "bundle")
        shutil.rmtree(work / "bundle")
    if real := real_file():
        yield f"real file ({real.name})", export(real, work / "bundle")


def export(file: Path, folder: Path) -> Path:
    export_h5ad(
        ExportConfig(
            h5ad_path=file, outdir=folder, packed="yes", genes_mode="top_mean:10", image_path="none", scripts="no"
        )
    )
    return folder


def measure(opened: Pages, name: str, rounds: int) -> list[Row]:
    seconds, longest, sliced = [], [], []
    for _ in range(rounds):
        with opened.viewer(OBSERVE) as page:
            page.evaluate(SELECT)
            page.evaluate(SETTLED)
            since = page.evaluate("performance.now()")
            seconds.append(page.evaluate(COMPARE) / 1000)
            page.evaluate(SETTLED)
            longest.append(page.evaluate(LONGEST, since))
    with opened.viewer(OBSERVE + NO_WORKER) as page:
        page.evaluate(SELECT)
        page.evaluate(SETTLED)
        since = page.evaluate("performance.now()")
        sliced.append(page.evaluate(COMPARE) / 1000)
        page.evaluate(SETTLED)
        in_slices = page.evaluate(LONGEST, since)
    took, task = statistics.median(seconds), statistics.median(longest)
    return [
        row(f"20% against the rest, {name}", f"{took:.2f} s", value=took, limit="≤ 2.5 s"),
        row("longest task of the page", f"{task:.0f} ms", value=task, limit="≤ 50 ms"),
        row(
            "without a worker: longest task of the page",
            f"{in_slices:.0f} ms ({sliced[0]:.2f} s)",
            value=in_slices,
            limit="≤ 50 ms",
        ),
    ]


if __name__ == "__main__":
    main()
