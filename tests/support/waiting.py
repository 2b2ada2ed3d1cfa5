"""Wait for asynchronous state. No other module of the tests polls or sleeps.

A test reads a state that may still change either with Playwright's `expect` or with a function of this module. Both
retry until the state is as expected. The timeout is the same everywhere and only ends hanging tests: a busy machine
takes longer, but does not fail tests.
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
    """Call `read` until `check` accepts its result, and return the result.

    `page` handles its events in the meantime, which is necessary if `read` does not access a page. `pause` is called
    between two reads, for example to let a window handle its events.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        found = read()
        if check(found):
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what() if callable(what) else what or 'never as expected'}: {found!r}")
        if pause is not None:
            pause()
        let_time_pass(_PAUSE_S, page=page)


def becomes(read: Callable[[], T], wanted: Any, *, page: Any = None, pause: Callable[[], None] | None = None) -> None:
    """Call `read` until its result equals `wanted`, which may be a `pytest.approx`."""
    eventually(read, lambda found: found == wanted, page=page, pause=pause, what=f"not {wanted!r}")


def holds(assertion: Callable[[], None], *, page: Any = None, pause: Callable[[], None] | None = None) -> None:
    """Call `assertion` until it raises no AssertionError."""
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
    """Wait until a JavaScript expression, or a function of `arg`, is true in a page.

    Unlike `wait_for_function`, which evaluates a string inside the page and so violates its content security policy,
    this evaluates the expression anew for each check.
    """

    def look() -> Any:
        try:
            return frame.evaluate(expression, arg)
        except Error as error:
            if "context was destroyed" in str(error) or "navigat" in str(error):
                return False  # the page is navigating
            raise

    eventually(look, what=f"never true: {expression}")


def let_time_pass(seconds: float, *, page: Any = None) -> None:
    """Give a program time to do something that it must not do. On a slow machine, the test proves less but passes."""
    if page is None:
        time.sleep(seconds)
    else:
        page.wait_for_timeout(1000 * seconds)


def two_frames(page: Any) -> None:
    """Return after the page has painted all changes so far."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def patient(browser: Any) -> Any:
    """Set the default timeout of each new context of a browser to PATIENCE_MS."""
    new_context = browser.new_context

    def made(**options: Any) -> Any:
        context = new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        return context

    browser.new_context = made
    return browser
