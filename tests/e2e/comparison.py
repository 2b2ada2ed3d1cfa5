"""Drive the panel that compares genes, and read its table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from conftest import Viewer


def panel(viewer: Viewer) -> Any:
    return viewer.page.get_by_role("region", name="Compare genes")


def compare_category(viewer: Viewer, name: str, column: str = "cell_type") -> Any:
    """Compare a category with the rest by its button in the legend, and wait for the table."""
    viewer.set(color={"kind": "annotation", "column": column})
    viewer.page.get_by_role("list", name="Categories").get_by_text(name, exact=True).hover()
    viewer.page.get_by_role("button", name=f"Markers of {name}").click()
    panel(viewer).get_by_role("table").wait_for()
    return panel(viewer)


def saved_table(viewer: Viewer) -> dict[str, dict[str, float]]:
    """Save the table as CSV, and return the numbers of each gene, NaN where there is none."""
    with viewer.page.expect_download() as saved:
        panel(viewer).get_by_role("button", name="CSV").click()
    with Path(saved.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row.pop("gene"): {name: float(value or "nan") for name, value in row.items()} for row in rows}
