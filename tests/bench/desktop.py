"""How long the desktop app's window is silent while it opens, looks and exports 36,000 × 5,000, against 100 ms.

Needs a display: `xvfb-run python tests/bench/desktop.py` without one.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from karospace_jupyter.datasets import synthetic_tissue

LIMIT_S = 0.1
_TICK_MS = 5


def main() -> None:
    from karospace_jupyter.desktop.window import Window

    with tempfile.TemporaryDirectory() as folder:
        os.environ["KAROSPACE_SETTINGS"] = str(Path(folder) / "settings.json")
        file = Path(folder) / "tissue.h5ad"
        synthetic_tissue(36_000, 5_000, seed=1).write_h5ad(file)
        window = Window()
        desk, root = window.desk, window.root
        silences: dict[str, list[float]] = {}
        stage = "start"
        last = time.perf_counter()

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            silences.setdefault(stage, []).append(now - last)
            last = now
            root.after(_TICK_MS, tick)

        def until(done: object, name: str) -> float:
            nonlocal stage
            stage = name
            start = time.perf_counter()
            while not done():  # type: ignore[operator]
                root.update()
                time.sleep(0.001)
            return time.perf_counter() - start

        tick()
        until(lambda: root.winfo_viewable(), "start")
        window.open(str(file))
        took = {"open": until(lambda: desk.shown.path and not desk.shown.pending, "open")}
        desk.change(outdir=str(Path(folder) / "out"), genes_mode="all")
        took["look"] = until(lambda: not desk.shown.pending, "look")
        window.export()
        took["export"] = until(lambda: desk.shown.result and not desk.shown.running, "export")
        window.close()
    print(f"{'while':<10}{'took':>8}{'longest silence':>18}{'of the limit':>14}")
    for name, seconds in took.items():
        longest = max(silences[name])
        print(f"{name:<10}{seconds:>6.1f} s{longest * 1000:>15.0f} ms{longest / LIMIT_S:>13.2f}×")


if __name__ == "__main__":
    main()
