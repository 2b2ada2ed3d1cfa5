"""Check the rules that keep the tests reliable on a slow machine; see `tests/support/waiting.py`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
EXEMPT = {
    "support/waiting.py",  # the only module that waits
    "notebook/held.py",  # runs in kernels
    "pins.py",  # downloads hashes; not a test
    *("e2e/picture.py", "notebook/picture.py", "desktop/picture.py"),  # make images for the README
}
FILES = sorted(
    str(file.relative_to(TESTS))
    for file in TESTS.rglob("*.py")
    if file.relative_to(TESTS).parts[0] != "bench" and str(file.relative_to(TESTS)) not in EXEMPT
)

WAITS = {
    "sleep": "use a function of `waiting`",
    "wait_for_timeout": "use a function of `waiting`",
    "wait_for_function": "use `until_js`: the page's content security policy forbids evaluating strings",
    "monotonic": "use `eventually`; tests do not measure time",
    "perf_counter": "use `eventually`; tests do not measure time",
}
READS = {
    "all_inner_texts", "all_text_contents", "count", "get_attribute", "inner_html", "inner_text", "input_value",
    "is_checked", "is_disabled", "is_editable", "is_enabled", "is_hidden", "is_visible", "text_content",
}  # fmt: skip
"""Playwright methods that return the current state without retrying."""
ITERATES = {"zip", "list", "tuple", "enumerate", "sorted", "set", "len", "map"}


def called(node: ast.AST) -> str:
    """Return the name of the function or method that a node calls, or an empty string."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement that run with it, excluding the bodies of functions and classes."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda | ast.FunctionDef | ast.ClassDef):
            yield child
            yield from within(child)


def violations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the description of each broken rule."""
    for node in ast.walk(tree):
        name = called(node)
        if name in WAITS:
            yield node.lineno, f"{name}: {WAITS[name]}"
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "timeout" and isinstance(keyword.value, ast.Constant):
                    yield node.lineno, "literal timeout: omit it, or use PATIENCE_S"
        iterated = []
        if isinstance(node, ast.For | ast.comprehension):
            iterated = [node.iter]
        elif name in ITERATES and isinstance(node, ast.Call):
            iterated = node.args
        for part in iterated:
            if called(part) == "all" and isinstance(part, ast.Call) and not part.args and not part.keywords:
                yield part.lineno, "all(): the list may change before it is read; use `evaluate_all` or `boxes`"
        if isinstance(node, ast.Assert):
            for part in within(node):
                if called(part) in READS and isinstance(part, ast.Call) and not part.args:
                    yield part.lineno, f"{called(part)} in an assert: use `expect`, `becomes` or `holds`"
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for part in within(node):
                if isinstance(part, ast.Assign) and called(part.value) in READS:
                    yield (
                        part.lineno,
                        f"{called(part.value)} is read only once: use `expect`, `becomes` or `eventually`",
                    )


@pytest.mark.parametrize("name", FILES)
def test_tests_follow_the_waiting_rules(name: str) -> None:
    found = sorted(set(violations(ast.parse((TESTS / name).read_text()))))
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "page.wait_for_timeout(300)", "page.wait_for_function('() => true')", "time.sleep(1)", "sleep(1)",
        "card.wait_for(timeout=1000)", "end = time.monotonic() + 3", "assert rows.count() == 3",
        "assert 'a' in row.inner_text()", "texts = [row.title for row in rows.all()]", "for row in rows.all(): pass",
        "def test_a(): text = row.inner_text()", "for row, name in zip(rows.all(), names): pass",
    ],
)  # fmt: skip
def test_each_rule_finds_what_it_forbids(line: str) -> None:
    assert list(violations(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "assert (a == b).all()", "assert text.count('a') == 3", "expect(rows).to_have_count(3)",
        "becomes(lambda: row.inner_text(), 'a')", "subprocess.run(command, timeout=PATIENCE_S)",
    ],
)  # fmt: skip
def test_rules_allow_valid_code(line: str) -> None:
    assert not list(violations(ast.parse(line)))
