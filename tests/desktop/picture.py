"""Take the README's screenshot of the app: `python tests/desktop/picture.py OUT.png` on a display."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from karospace_jupyter.datasets import synthetic_tissue


def main(target: str) -> None:
    from PIL import ImageGrab

    from karospace_jupyter.desktop.window import Window

    with tempfile.TemporaryDirectory() as folder:
        os.environ["KAROSPACE_SETTINGS"] = str(Path(folder) / "settings.json")
        os.environ["HOME"] = folder
        file = Path(folder) / "tissue.h5ad"
        synthetic_tissue().write_h5ad(file)
        window = Window(str(file))
        app_state = window.app_state

        def until(done: object) -> None:
            while not done():  # type: ignore[operator]
                window.root.update()
                time.sleep(0.01)

        until(lambda: app_state.shown.path and app_state.shown.estimate.files and not app_state.shown.pending)
        app_state.change(outdir="~/viewers/tissue_karospace")
        until(lambda: not app_state.shown.pending)
        window.export()
        until(lambda: app_state.shown.result and not app_state.shown.running and not app_state.shown.pending)
        end = time.monotonic() + 1
        until(lambda: time.monotonic() > end)
        root = window.root
        x, y, width, height = root.winfo_rootx(), root.winfo_rooty(), root.winfo_width(), root.winfo_height()
        top = max(0, int(root.wm_geometry().rpartition("+")[2]))  # includes the menu
        ImageGrab.grab((x, top, x + width, y + height), xdisplay=os.environ["DISPLAY"]).save(target, optimize=True)
        window.close()


if __name__ == "__main__":
    main(sys.argv[1])
