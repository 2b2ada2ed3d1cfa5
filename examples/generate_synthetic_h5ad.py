"""Write a synthetic tissue to an ``.h5ad`` file: ``python generate_synthetic_h5ad.py OUT.h5ad [--cells N]``."""

from __future__ import annotations

from karospace_jupyter.datasets import main

if __name__ == "__main__":
    raise SystemExit(main())
