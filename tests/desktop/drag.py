"""Drop a file on a window, like a file manager: `drag.py TITLE PATH`. Implements XDND 5 directly on X."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from Xlib import X, Xatom, display
from Xlib.protocol import event


def find(window: Any, name: str) -> Any:
    """Return the top-level window with this name that accepts drops."""
    for child in window.query_tree().children:
        text = child.get_full_text_property(child.display.get_atom("_NET_WM_NAME")) or child.get_wm_name()
        if text == name and child.get_full_property(child.display.get_atom("XdndAware"), X.AnyPropertyType):
            return child
        nested = find(child, name)
        if nested is not None:
            return nested
    return None


def main(title: str, path: str) -> int:
    screen = display.Display()
    root = screen.screen().root
    atom = screen.intern_atom
    target = find(root, title)
    if target is None:
        print(f"no window {title} accepts drops", file=sys.stderr)
        return 1
    source = root.create_window(0, 0, 1, 1, 0, screen.screen().root_depth)
    kind = atom("text/uri-list")
    source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)

    def send(name: str, *values: int) -> None:
        data = (32, [source.id, *values, *[0] * (4 - len(values))])
        target.send_event(event.ClientMessage(window=target, client_type=atom(name), data=data))
        screen.flush()

    box = target.get_geometry()
    offset = target.translate_coords(root, 0, 0)
    x, y = -offset.x + box.width // 2, -offset.y + box.height // 2
    send("XdndEnter", 5 << 24, kind)
    send("XdndPosition", 0, (x << 16) | y, X.CurrentTime, atom("XdndActionCopy"))
    while True:
        received = screen.next_event()
        if received.type == X.ClientMessage and received.client_type == atom("XdndStatus"):
            if not received.data[1][1] & 1:
                print("the drop was rejected", file=sys.stderr)
                return 1
            send("XdndDrop", 0, X.CurrentTime)
        elif received.type == X.ClientMessage and received.client_type == atom("XdndFinished"):
            return 0
        elif received.type == X.SelectionRequest:
            if received.target == kind:
                data = f"{Path(path).as_uri()}\r\n".encode()
                received.requestor.change_property(received.property, kind, 8, data)
            else:
                received.requestor.change_property(received.property, Xatom.ATOM, 32, [kind])
            received.requestor.send_event(
                event.SelectionNotify(
                    time=received.time, requestor=received.requestor, selection=received.selection,
                    target=received.target, property=received.property,
                )
            )  # fmt: skip
            screen.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
