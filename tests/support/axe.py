"""Find barriers in a page with axe-core: for people who use a screen reader or a keyboard, or have low vision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parents[2] / "js/node_modules/axe-core/axe.min.js"
# WCAG 2.2 A and AA, and the best practices of axe-core.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Any, within: str = "body") -> list[str]:
    """Return one line for each element within `within`, a CSS selector, that breaks a rule."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci --prefix js")
    if not page.evaluate("window.axe !== undefined"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "([within, rules]) => axe.run(within, { runOnly: rules }).then(({ violations }) => violations)", [within, RULES]
    )
    return [
        f"{rule['impact']} {rule['id']}: {node['failureSummary']} {node['html']}"
        for rule in found
        for node in rule["nodes"]
    ]
