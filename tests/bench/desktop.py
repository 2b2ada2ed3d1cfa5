"""Measure how long the window of the desktop app does not respond during demanding actions; the limit is 100 ms.

Requires a display; without one, run `xvfb-run python tests/bench/desktop.py`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from karospace_jupyter.datasets import synthetic_tissue

LIMIT_S = 0.1
_TICK_MS = 2
_COLUMNS = 600
_LINES = 2_000
_GENE_COUNTS = (1_500, 5_000)


class Watch:
    """Record the longest time between two iterations of the event loop during each action.

    Also record the maximum CPU time of the thread between two iterations; the rest is waiting for a core or the screen.
    """

    def __init__(self, root: Any) -> None:
        self._root = root
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._stage = "start"
        self.longest: dict[str, float] = {}
        self.most_work: dict[str, float] = {}
        self.took: dict[str, float] = {}
        self._tick()

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.longest[self._stage] = max(self.longest.get(self._stage, 0), now - self._last)
        self.most_work[self._stage] = max(self.most_work.get(self._stage, 0), worked - self._worked)
        self._last, self._worked = now, worked
        self._root.after(_TICK_MS, self._tick)

    def until(self, name: str, done: Callable[[], Any], seconds: float = 0) -> None:
        """Run the event loop until `done`, and for at least `seconds`."""
        self._stage = name
        start = time.perf_counter()
        while not done() or time.perf_counter() - start < seconds:
            self._root.update()
            time.sleep(0.001)
        self.took[name] = self.took.get(name, 0) + time.perf_counter() - start


def main() -> None:
    from karospace_jupyter.desktop.window import Window

    with tempfile.TemporaryDirectory() as folder:
        os.environ["KAROSPACE_SETTINGS"] = str(Path(folder) / "settings.json")
        file, wide = Path(folder) / "tissue.h5ad", Path(folder) / "wide.h5ad"
        adata = synthetic_tissue(36_000, 5_000, seed=1)
        adata.write_h5ad(file)
        small = synthetic_tissue(2_000, 50, seed=1)
        rng = np.random.default_rng(0)
        extra = {f"column {at}": rng.choice(list("abcdefgh"[: 2 + at % 6]), small.n_obs) for at in range(_COLUMNS)}
        small.obs = pd.concat([small.obs, pd.DataFrame(extra, index=small.obs_names)], axis=1)
        small.write_h5ad(wide)
        window = Window()
        app_state, root = window.app_state, window.root
        watch = Watch(root)
        watch.until("start", root.winfo_viewable, 1)
        window.open(str(file))
        watch.until("open and draw the form", lambda: app_state.shown.path and not app_state.shown.pending, 1)
        for _ in range(2):
            root.after(1, window.form.advanced.toggle)
            watch.until("expand and collapse the options", lambda: True, 0.5)
        for step in (1, 1, 0):
            root.after(1, window.zoom, step)
            watch.until("zoom", lambda: True, 1)
        for name in ("dark", "light"):
            root.after(1, window.choose_theme, name)
            watch.until("change the theme", lambda: True, 1)
        app_state.change(outdir=str(Path(folder) / "out"), genes_mode="all")
        watch.until("estimate an export of all genes", lambda: not app_state.shown.pending)
        window.export()
        watch.until("export 36,000 × 5,000", lambda: app_state.shown.result and not app_state.shown.running)
        fill_the_log(window, watch)
        for n in _GENE_COUNTS:
            type_genes(window, watch, [str(name) for name in adata.var_names[:n]])
        window.open(str(wide))
        watch.until(
            f"open {_COLUMNS} columns", lambda: app_state.shown.path == str(wide) and not app_state.shown.pending, 1
        )
        assert window.form is not None
        window.form.columns.search.variable.set("column 1")
        watch.until("search the columns", lambda: True, 0.5)
        window.form.columns.search.variable.set("")
        watch.until("search the columns", lambda: True, 0.5)
        app_state.change(annotation_columns=[fact.name for fact in app_state.shown.summary.columns])
        watch.until("select all columns", lambda: not app_state.shown.pending, 0.5)
        window.close()
    print(f"{'action':<32}{'took':>8}{'longest CPU time':>20}{'longest pause':>18}{'limit':>10}  verdict")
    for name, seconds in watch.took.items():
        longest, work = watch.longest[name], watch.most_work[name]
        verdict = (
            "met"
            if longest <= LIMIT_S
            else "NOT MET"
            if work > LIMIT_S
            else "NOT MET: waiting for a core or the screen"
        )
        print(
            f"{name:<32}{seconds:>6.1f} s{work * 1000:>17.0f} ms{longest * 1000:>15.0f} ms{LIMIT_S * 1000:>7.0f} ms"
            f"  {verdict}"
        )


def fill_the_log(window: Any, watch: Watch) -> None:
    """Append lines to the expanded log at the maximum rate; then replace all of them at once."""
    shown, export_bar = window.app_state.shown, window.export_bar
    lines: tuple[str, ...] = ()
    window.root.after(1, export_bar.log.toggle)
    for at in range(0, _LINES, _LINES // 20):
        lines += tuple(f"{at + i:7.1f} s  Writing genes" for i in range(_LINES // 20))
        shown.export = replace(shown.export, log=lines)
        window.root.after(1, window._on_change, "export")
        watch.until(f"append {_LINES:,} lines to the log", lambda: True, 0.1)
    shown.export = replace(shown.export, log=tuple(reversed(lines)))
    window.root.after(1, window._on_change, "export")
    watch.until("replace the log", lambda: True, 0.5)
    window.root.after(1, export_bar.log.toggle)
    shown.export = replace(shown.export, log=())
    window._on_change("export")
    watch.until("replace the log", lambda: True, 0.2)


def type_genes(window: Any, watch: Watch, names: list[str]) -> None:
    """Type at the end of a long list of genes."""
    stage = f"type after {len(names):,} genes"
    window.root.after(1, lambda: window.app_state.change(genes_mode=names))
    watch.until(stage, lambda: not window.app_state.shown.pending, 0.5)
    text = window.form.genes.typed.text
    text.focus_force()
    for letter in "\nCD3E KRT8 ":
        window.root.after(1, text.insert, "end", letter)
        watch.until(stage, lambda: True, 0.1)


if __name__ == "__main__":
    main()
