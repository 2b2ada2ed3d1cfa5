"""Print the number of bytes of a bundle's expression if compressed with gzip level 9.

Usage: python tests/bench/level9.py BUNDLE
"""

from __future__ import annotations

import json
import sys
import zlib

from karospace_jupyter import Bundle

bundle = Bundle(sys.argv[1])
paths = [file.path for file in bundle.manifest.asset_files if file.kind == "expression_chunk"]
print(json.dumps({"bytes": sum(len(zlib.compress(bundle.read(path), 9)) + 12 for path in paths)}))
