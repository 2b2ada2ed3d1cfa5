"""Rows of the benchmark tables: measurements with their verdicts."""

from __future__ import annotations

import re

Row = tuple[str, str, str, str]
"""Name, measurement, limit, verdict."""


def row(what: str, measured: str, *, value: float | None = None, limit: str = "") -> Row:
    """Return a row whose verdict compares `value` with the number in a limit such as `≤ 1.3 ×`."""
    if value is None:
        return (what, measured, limit, "")
    threshold = float(re.sub(r"[^\d.]", "", limit))
    met = value <= threshold if limit.startswith("≤") else value >= threshold
    return (what, measured, limit, "met" if met else "not met")


def table(rows: list[Row]) -> str:
    header = "| what | measured | limit | verdict |\n|---|---|---|---|"
    return "\n".join([header, *("| " + " | ".join(entries) + " |" for entries in rows)])
