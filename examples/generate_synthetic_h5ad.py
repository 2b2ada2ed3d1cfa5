"""Write a synthetic tissue to an ``.h5ad`` file: ``python generate_synthetic_h5ad.py [OUT.h5ad] [--cells N]``.

Without a path it writes ``synthetic_tiny.h5ad`` into the current folder.
"""

from __future__ import annotations

from pathlib import Path

from karospace_jupyter.datasets import main

if __name__ == "__main__":
    raise SystemExit(main(default=Path("synthetic_tiny.h5ad")))
