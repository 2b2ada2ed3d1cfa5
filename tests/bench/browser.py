"""1,000,000 cells in a browser, against plain WebGL2 over the same arrays: prints rows of the table.

`plain.html` fetches the same two files (coordinates, codes), uploads them and draws once: nothing could be left out.
A frame counts as drawn when a pixel was read back from it.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from playwright.sync_api import sync_playwright

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.serve import BundleServer

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import FLAGS, find_chromium

N = 1_000_000
GENES = 6

# The fetch of the same bytes is timed beside each change of gene: what is left is decoding, upload and drawing.
CHANGE = """async ([gene, path]) => {
  const before = performance.now();
  await (await fetch(path, {cache: 'no-store'})).arrayBuffer();
  const fetched = performance.now();
  await window.karospace.setState({color: {kind: 'gene', gene}});
  return [fetched - before, performance.now() - fetched];
}"""


def build(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(
        sp.random(N, GENES, 0.1, format="csc", dtype=np.float32, random_state=0),
        obs=pd.DataFrame({"cluster": pd.Categorical(rng.integers(0, 12, N).astype(str))}),
    )
    adata.obsm["spatial"] = rng.random((N, 2)) * 10_000
    return adata_to_karospace(adata, folder / "bundle", genes_mode="all").path


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="karospace-bench-"))
    try:
        bundle = build(work)
        shutil.copy(Path(__file__).with_name("plain.html"), bundle / "plain.html")
        print(json.dumps(measure(bundle)))
    finally:
        shutil.rmtree(work)


def measure(bundle: Path) -> list[tuple[str, str, str]]:
    manifest = json.loads((bundle / "manifest.json").read_text())
    plain, ours, changes = [], [], []
    with BundleServer(bundle, port=0) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for _ in range(5):
            page: Any = browser.new_page(viewport={"width": 1320, "height": 800})
            page.goto(server.url + "plain.html")
            plain.append(page.evaluate("window.done"))
            page.close()
            page = browser.new_page(viewport={"width": 1320, "height": 800})
            page.goto(server.url)
            page.evaluate("window.karospace.ready")
            ours.append(page.evaluate("performance.getEntriesByName('karospace:first-frame')[0].startTime"))
            page.wait_for_load_state("networkidle")
            for entry in manifest["expression"]["genes"][1:]:
                changes.append(page.evaluate(CHANGE, [entry["gene"], entry["chunks"][0]["path"]]))
            page.close()
        browser.close()
    a, b = statistics.median(p[0] for p in plain), statistics.median(ours)
    frame = statistics.median(p[1] for p in plain)
    fetch, rest = (statistics.median(c[i] for c in changes) for i in (0, 1))
    return [
        ("plain WebGL2, first frame of 1,000,000 cells", f"{a:.0f} ms", ""),
        ("the viewer's first frame", f"{b:.0f} ms = {b / a:.2f} × plain", "≤ 2 ×"),
        (
            "changing gene, until the new frame is drawn in software",
            f"{rest:.0f} ms; fetch {fetch:.0f} ms, plain redraw {frame:.0f} ms",
            "fetch + 50 ms, and drawing",
        ),
    ]


if __name__ == "__main__":
    main()
