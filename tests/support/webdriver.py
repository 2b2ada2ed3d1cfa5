"""A small WebDriver client, and a page with the part of Playwright's API that the tests of all engines use.

Playwright drives only its own builds of Firefox and WebKit. The browsers of a Linux distribution are driven with the
WebDriver protocol: over HTTP, or over Firefox's own socket (Marionette), for which no other program is needed.
"""

from __future__ import annotations

import base64
import json
import socket
import urllib.error
import urllib.request
from typing import Any, Protocol

from waiting import PATIENCE_MS, PATIENCE_S, eventually

# The HTTP method and path of each command, and its name in Marionette.
COMMANDS = {
    "timeouts": ("POST", "timeouts", "WebDriver:SetTimeouts"),
    "navigate": ("POST", "url", "WebDriver:Navigate"),
    "execute": ("POST", "execute/async", "WebDriver:ExecuteAsyncScript"),
    "screenshot": ("GET", "screenshot", "WebDriver:TakeScreenshot"),
    "actions": ("POST", "actions", "WebDriver:PerformActions"),
    "release": ("DELETE", "actions", "WebDriver:ReleaseActions"),
    "handle": ("GET", "window", "WebDriver:GetWindowHandle"),
    "new_window": ("POST", "window/new", "WebDriver:NewWindow"),
    "switch": ("POST", "window", "WebDriver:SwitchToWindow"),
    "close": ("DELETE", "window", "WebDriver:CloseWindow"),
    "rect": ("POST", "window/rect", "WebDriver:SetWindowRect"),
    "find": ("POST", "element", "WebDriver:FindElement"),
    "type": ("POST", "element/{id}/value", "WebDriver:ElementSendKeys"),
    "quit": ("DELETE", "", "WebDriver:DeleteSession"),
}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's ID, from the standard."""

KEYS = {
    "Backspace": "\ue003", "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009",
    "Alt": "\ue00a", "Escape": "\ue00c", "Space": " ", "End": "\ue010", "Home": "\ue011", "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Delete": "\ue017",
}  # fmt: skip
BUTTONS = {"left": 0, "middle": 1, "right": 2}


class DriverError(Exception):
    """The browser refused a command, or a script failed."""


class Driver(Protocol):
    """A session in a browser."""

    capabilities: dict[str, Any]

    def command(self, name: str, **given: Any) -> Any: ...


class HttpDriver:
    """A session of a driver that listens on a port of this machine."""

    def __init__(self, port: int, capabilities: dict[str, Any]) -> None:
        self._url = f"http://127.0.0.1:{port}"
        eventually(lambda: self._ready(port), what="the driver does not start")
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.capabilities: dict[str, Any] = made["capabilities"]
        self._url += f"/session/{made['sessionId']}"

    @staticmethod
    def _ready(port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def command(self, name: str, **given: Any) -> Any:
        method, path, _ = COMMANDS[name]
        path = path.format_map(given)
        return self._ask(method, f"/{path}" if path else "", given if method == "POST" else None)

    def _ask(self, method: str, path: str, given: Any) -> Any:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if given is None else json.dumps(given).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=2 * PATIENCE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise DriverError(json.load(error)["value"]) from error


class MarionetteDriver:
    """A session of a Firefox that was started with `--marionette`."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=2 * PATIENCE_S)
        self._answers = self._socket.makefile("rb")
        self._sent = 0
        self._read()  # the greeting
        self.capabilities: dict[str, Any] = self._ask("WebDriver:NewSession", {})["capabilities"]

    def command(self, name: str, **given: Any) -> Any:
        if name == "switch":  # raises the tab, which the standard does not require
            given["focus"] = True
        if name == "screenshot":
            given = {"full": False}
        found = self._ask(COMMANDS[name][2], given)
        if name == "quit":
            self._answers.close()
            self._socket.close()
        return found["value"] if isinstance(found, dict) and set(found) == {"value"} else found

    def _ask(self, name: str, given: dict[str, Any]) -> Any:
        self._sent += 1
        text = json.dumps([0, self._sent, name, given]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        _, number, error, result = self._read()
        assert number == self._sent
        if error:
            raise DriverError(error)
        return result

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            byte = self._answers.read(1)
            assert byte, "Firefox closed the connection"
            length += byte
        return json.loads(self._answers.read(int(length[:-1])))


class DriverPage:
    """A browser window, with the part of Playwright's Page that `Viewer` and `screen` use."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        driver.command("timeouts", script=PATIENCE_MS, pageLoad=PATIENCE_MS)
        self.mouse = Mouse(driver)
        self.keyboard = Keyboard(driver)

    def goto(self, url: str) -> None:
        self.driver.command("navigate", url=url)

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Return the value of an expression, or the result of a function of `arg`; await promises."""
        script = f"""const done = arguments[1];
          const work = async (arg) => {{
            const made = ({expression.strip().rstrip(";")});
            return typeof made === 'function' ? made(arg) : made;
          }};
          work(arguments[0]).then((value) => done({{value: value ?? null}}), (error) => done({{error: String(error)}}));
        """
        found = self.driver.command("execute", script=script, args=[arg])
        if "error" in found:
            raise DriverError(found["error"])
        return found["value"]

    def screenshot(self, **_: Any) -> bytes:
        return base64.b64decode(self.driver.command("screenshot"))

    def wait_for_timeout(self, milliseconds: float) -> None:
        self.evaluate("pause => new Promise((done) => setTimeout(done, pause))", milliseconds)

    def set_viewport_size(self, size: dict[str, int]) -> None:
        """Give the page a size in CSS pixels; the window is larger."""

        def fits() -> Any:
            inner = self.evaluate("[innerWidth, innerHeight, outerWidth, outerHeight]")
            if inner[:2] != [size["width"], size["height"]]:
                self.driver.command(
                    "rect", width=size["width"] + inner[2] - inner[0], height=size["height"] + inner[3] - inner[1]
                )
            return inner[:2]

        eventually(fits, lambda found: found == [size["width"], size["height"]], what="the window was not resized")

    def find(self, selector: str, name: str = "") -> list[float]:
        """Return the center of the only visible element with this selector and name, once it has stopped moving.

        The name is a label, a title, the text, or the first line of the text.
        """
        seen: list[Any] = [None]

        def look() -> Any:
            seen.append(self.evaluate(FIND, [selector, name]))
            return seen[-1] if len(seen[-1]) == 1 and seen[-1] == seen[-2] else None

        what = lambda: f"not exactly one visible {selector} {name!r}: {seen[-1]}"  # noqa: E731
        return eventually(look, what=what)[0]  # type: ignore[no-any-return]

    def click(self, selector: str, name: str = "") -> None:
        self.mouse.click(*self.find(selector, name))

    def set_input_files(self, selector: str, file: str) -> None:
        eventually(lambda: self.evaluate("selector => document.querySelector(selector) !== null", selector))
        found = self.driver.command("find", using="css selector", value=selector)
        self.driver.command("type", id=found[ELEMENT], text=file)


FIND = """([selector, name]) => [...document.querySelectorAll(selector)]
  .filter((element) => element.getClientRects().length > 0 &&
    (!name || [element.getAttribute('aria-label'), element.title, element.textContent.trim(),
      element.firstElementChild?.nextElementSibling?.firstChild?.textContent.trim()].includes(name)))
  .map((element) => { const box = element.getBoundingClientRect();
    return [Math.round(box.left + box.width / 2), Math.round(box.top + box.height / 2)]; })"""


class Mouse:
    """A simulated mouse."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._at = (0.0, 0.0)

    def move(self, x: float, y: float, steps: int = 1) -> None:
        (x0, y0), self._at = self._at, (x, y)
        self._act(
            *(
                {"type": "pointerMove", "x": round(x0 + (x - x0) * i / steps), "y": round(y0 + (y - y0) * i / steps)}
                for i in range(1, steps + 1)
            )
        )

    def down(self, button: str = "left") -> None:
        self._act({"type": "pointerDown", "button": BUTTONS[button]})

    def up(self, button: str = "left") -> None:
        self._act({"type": "pointerUp", "button": BUTTONS[button]})

    def click(self, x: float, y: float, count: int = 1) -> None:
        self.move(x, y)
        self._act(*[{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}] * count)

    def wheel(self, dx: float, dy: float) -> None:
        x, y = (round(part) for part in self._at)
        scroll = {"type": "scroll", "x": x, "y": y, "deltaX": dx, "deltaY": dy, "duration": 0}
        self._driver.command("actions", actions=[{"type": "wheel", "id": "wheel", "actions": [scroll]}])

    def _act(self, *actions: dict[str, Any]) -> None:
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": list(actions)}
        self._driver.command("actions", actions=[mouse])


class Keyboard:
    """A simulated keyboard."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def down(self, key: str) -> None:
        self._act({"type": "keyDown", "value": KEYS.get(key, key)})

    def up(self, key: str) -> None:
        self._act({"type": "keyUp", "value": KEYS.get(key, key)})

    def press(self, keys: str) -> None:
        """Press a key, or several keys joined by plus signs together."""
        held = [KEYS.get(key, key) for key in (keys.split("+") if len(keys) > 1 else [keys])]
        self._act(
            *({"type": "keyDown", "value": key} for key in held),
            *({"type": "keyUp", "value": key} for key in reversed(held)),
        )

    def type(self, text: str) -> None:
        for key in text:
            self.press(key)

    def _act(self, *actions: dict[str, Any]) -> None:
        self._driver.command("actions", actions=[{"type": "key", "id": "keyboard", "actions": list(actions)}])
