"""Entry point of ``python -m karospace_jupyter.desktop``."""

from __future__ import annotations

import sys

from karospace_jupyter.desktop.app import main

# The worker process imports the main module again, under another name.
if __name__ == "__main__":
    sys.exit(main())
