"""Rows of the benchmark tables: measurements with their verdicts."""

from __future__ import annotations

import re

Row = tuple[str, str, str, str]
"""Name, measurement, limit, verdict."""


def row(what: str, found: str, *, value: float | None = None, limit: str = "") -> Row:
    """Return a row whose verdict compares `value` with the number in a limit such as `≤ 1.3 ×`."""
    if value is None:
        return (what, found, limit, "")
    wanted = float(re.sub(r"[^\d.]", "", limit))
    met = value <= wanted if limit.startswith("≤") else value >= wanted
    return (what, found, limit, "met" if met else "not met")


def table(rows: list[Row]) -> str:
    head = "| what | measured | limit | verdict |\n|---|---|---|---|"
    return "\n".join([head, *("| " + " | ".join(one) + " |" for one in rows)])
