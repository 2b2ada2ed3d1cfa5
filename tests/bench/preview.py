"""Draw the preview of 1,000,000 cells five times, and print the median seconds."""

from __future__ import annotations

import json
import statistics
import time
from types import SimpleNamespace

import numpy as np
import PIL.Image  # noqa: F401 - not part of the measured time

from karospace_jupyter.encode.preview import draw_preview
from karospace_jupyter.plan.model import CategoryAnnotation

rng = np.random.default_rng(0)
n = 1_000_000
annotation = CategoryAnnotation("c", ("a", "b"), ("#ff0000", "#00ff00"), rng.integers(0, 2, n), False, False)
plan = SimpleNamespace(coordinates=SimpleNamespace(xy=rng.random((n, 2)), y_axis="down"), annotations=(annotation,))
times = []
for _ in range(5):
    start = time.perf_counter()
    draw_preview(plan)  # type: ignore[arg-type]  # only the parts that it uses
    times.append(time.perf_counter() - start)
print(json.dumps({"seconds": statistics.median(times)}))
