"""Rows of what was measured, each with its verdict."""

from __future__ import annotations

import re

Row = tuple[str, str, str, str]
"""What, measured, limit, verdict."""


def row(what: str, found: str, *, value: float | None = None, limit: str = "") -> Row:
    """`value` is held against the number in a limit like `≤ 1.3 ×`."""
    if value is None:
        return (what, found, limit, "")
    wanted = float(re.sub(r"[^\d.]", "", limit))
    met = value <= wanted if limit.startswith("≤") else value >= wanted
    return (what, found, limit, "met" if met else "not met")


def table(rows: list[Row]) -> str:
    head = "| what | measured | limit | verdict |\n|---|---|---|---|"
    return "\n".join([head, *("| " + " | ".join(one) + " |" for one in rows)])
