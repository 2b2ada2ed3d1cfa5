"""Waiting for what a program is about to do. No other module of the tests polls or sleeps.

A test reads a state that may still change in one of two ways: through Playwright's `expect`, or through a function here.
Both read again until the state is as wanted. The limit is the same everywhere and only ends what hangs: a busy machine
takes longer, and fails no test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from playwright.sync_api import Error

T = TypeVar("T")

PATIENCE_S = 180.0
PATIENCE_MS = 1000 * PATIENCE_S
_PAUSE_S = 0.025


def eventually(
    read: Callable[[], T],
    check: Callable[[T], Any] = bool,
    *,
    page: Any = None,
    pause: Callable[[], None] | None = None,
    what: str | Callable[[], str] = "",
) -> T:
    """Read until `check` holds for what was read, and return that.

    `page` handles its events meanwhile: needed where `read` asks something else than a page. `pause` is called between
    two reads, as to let a window handle its events.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        found = read()
        if check(found):
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what() if callable(what) else what or 'never as wanted'}: {found!r}")
        if pause is not None:
            pause()
        let_time_pass(_PAUSE_S, page=page)


def becomes(read: Callable[[], T], wanted: Any, *, page: Any = None, pause: Callable[[], None] | None = None) -> None:
    """Read until it equals `wanted`, which may be a `pytest.approx`."""
    eventually(read, lambda found: found == wanted, page=page, pause=pause, what=f"not {wanted!r}")


def holds(assertion: Callable[[], None], *, page: Any = None, pause: Callable[[], None] | None = None) -> None:
    """Run a function of assertions until none of them fails."""
    end = time.monotonic() + PATIENCE_S

    def passes() -> bool:
        try:
            assertion()
        except AssertionError:
            if time.monotonic() > end:
                raise
            return False
        return True

    eventually(passes, page=page, pause=pause)


def until_js(frame: Any, expression: str, arg: Any = None) -> None:
    """Wait until an expression, or a function of `arg`, is true in a page.

    Each look is an evaluation of its own. `wait_for_function` looks from within the page, whose policy refuses to
    evaluate a string there.
    """

    def look() -> Any:
        try:
            return frame.evaluate(expression, arg)
        except Error as error:
            if "context was destroyed" in str(error) or "navigat" in str(error):
                return False  # another page is loading
            raise

    eventually(look, what=f"never true: {expression}")


def let_time_pass(seconds: float, *, page: Any = None) -> None:
    """Give a program time for what it must not do. Where it is slow the test proves less, and passes all the same."""
    if page is None:
        time.sleep(seconds)
    else:
        page.wait_for_timeout(1000 * seconds)


def two_frames(page: Any) -> None:
    """Return once the page has painted what has changed so far."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def patient(browser: Any) -> Any:
    """Give each context of a browser the limit that all waiting has."""
    new_context = browser.new_context

    def made(**options: Any) -> Any:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        return context

    browser.new_context = made
    return browser
