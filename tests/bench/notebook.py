"""Measure the notebook integration and print a table with limits: python tests/bench/notebook.py.

The rows are the import, the form, the overhead of the session, a gene that was not exported and, in a real JupyterLab, the
time from choosing a gene to its colors.
"""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from karospace_jupyter import ExportConfig, adata_to_karospace, karospace_widget
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.session import ExportSession
from karospace_jupyter.static import static_file
from karospace_jupyter.widget.assets import LiveCells

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "notebook"), str(TESTS / "support")]
from chromium import BASE_FLAGS, find_chromium  # noqa: E402 - needs the path above
from lab import Lab  # noqa: E402

CELLS = 1_000_000


def large(n_genes: int, per_cell: int) -> ad.AnnData:
    """Return CELLS cells with counts of `per_cell` genes each."""
    rng = np.random.default_rng(0)
    indices = np.sort(rng.integers(0, n_genes, (CELLS, per_cell), dtype=np.int32), axis=1).ravel()
    values = rng.integers(1, 6, CELLS * per_cell).astype(np.float32)
    x = sp.csr_matrix((values, indices, np.arange(0, CELLS * per_cell + 1, per_cell)), shape=(CELLS, n_genes))
    obs = pd.DataFrame(
        {"cell_type": pd.Categorical.from_codes(rng.integers(0, 12, CELLS), [f"type {i}" for i in range(12)])},
        index=[f"c{i}" for i in range(CELLS)],
    )
    adata = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(n_genes)]))
    adata.obsm["spatial"] = rng.random((CELLS, 2)) * 10_000
    return adata


def seconds(code: str) -> float:
    """Return the median seconds that a new interpreter takes to run `code`."""
    runs = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        runs.append(time.perf_counter() - started)
    return statistics.median(runs)


def imports() -> tuple[float, float]:
    """Return the seconds that the package adds to the import of ipywidgets, and those of ipywidgets alone."""
    base = seconds("import ipywidgets")
    return seconds("import ipywidgets, karospace_jupyter") - base, base


def overhead() -> float:
    """Return the time of an export by a session, relative to a direct export."""
    adata = synthetic_tissue(60_000, 600, seed=0)
    direct, session = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(3):
            started = time.perf_counter()
            adata_to_karospace(adata, Path(folder) / f"a{i}", genes_mode="all")
            direct.append(time.perf_counter() - started)
            started = time.perf_counter()
            widget = karospace_widget(adata, Path(folder) / f"b{i}", genes_mode="all")
            run = ExportSession(widget._on_session)
            run._bundle = None
            widget._session = run
            run.start(adata, ExportConfig(outdir=Path(folder) / f"b{i}", genes_mode="all"))
            run.wait()
            session.append(time.perf_counter() - started)
            widget.close()
    return min(session) / min(direct)


def click(folder: Path) -> tuple[float, float]:
    """Return the seconds from choosing a gene of 1,000,000 cells to its colors, and those of a redraw alone."""
    from playwright.sync_api import sync_playwright

    lab = Lab(folder)
    try:
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=find_chromium(), args=BASE_FLAGS)
            context = browser.new_context(viewport={"width": 1300, "height": 1000})
            nb = lab.notebook(
                context.new_page(), ["from karospace_jupyter import karospace_view\nv = karospace_view('large')\nv"]
            )
            nb.run(0)
            frame = nb.viewer(0)
            took = frame.evaluate(
                """async () => {
                    const genes = [], redraws = [];
                    for (const gene of ['g1', 'g2', 'g3']) {
                        let t = performance.now();
                        await window.karospace.setState({color: {kind: 'gene', gene}});
                        genes.push(performance.now() - t);
                        t = performance.now();
                        await window.karospace.setState({pointSize: 1 + Math.random() / 1000});
                        redraws.push(performance.now() - t);
                    }
                    const median = (list) => list.sort((a, b) => a - b)[1] / 1000;
                    return [median(genes), median(redraws)];
                }"""
            )
            nb.shut_down()
            browser.close()
            return took[0], took[1]
    finally:
        lab.stop()


def main() -> None:
    rows: list[tuple[str, str, str]] = []
    added, base = imports()
    rows.append(("import beyond ipywidgets", f"{added:.3f} s (ipywidgets {base:.2f} s)", "0.15 s"))
    size = len(gzip.compress(static_file("widget.js")))
    rows.append(("widget module, gzip", f"{size / 1000:.1f} kB", "60 kB"))
    rows.append(("widget / direct export", f"{overhead():.3f} ×", "1.05 ×"))
    adata = large(30_000, 60)
    started = time.perf_counter()
    widget = karospace_widget(adata, "nowhere")
    created = time.perf_counter() - started
    while not widget._estimate["files"]:
        time.sleep(0.01)
    rows.append(("form of 1,000,000 × 30,000", f"{created:.3f} s, filled {time.perf_counter() - started:.2f} s", "1 s"))
    widget.close()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        bundle = adata_to_karospace(adata, folder / "large", genes_mode=["g1", "g2", "g3"])
        live = LiveCells(adata, bundle, ExportConfig())
        started = time.perf_counter()
        live.gene(777)
        rows.append(("gene of the live object, kernel only", f"{time.perf_counter() - started:.2f} s", "–"))
        assert len(cell_ids(bundle)) == CELLS
        took, redraw = click(folder)
        rows.append(("gene, click to color, 1,000,000 cells", f"{took:.2f} s (redraw alone {redraw:.2f} s)", "0.3 s"))
    for name, measured, limit in rows:
        print(f"{name:42} {measured:36} limit {limit}")


if __name__ == "__main__":
    main()
