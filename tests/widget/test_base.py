"""Closing widgets: immediately, or in a notebook cell once the page has created them."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from comm.base_comm import BaseComm
from waiting import eventually

from karospace_jupyter.widget import base
from karospace_jupyter.widget.base import Base


class SilentComm(BaseComm):
    """A comm without a page."""

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        pass


@pytest.fixture
def widget(monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setattr("comm.create_comm", SilentComm)
    return Base()


@pytest.fixture
def in_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_in_cell", lambda: True)


def send_here(widget: Base) -> None:
    """Send the message of a page that has created the widget."""
    comm: Any = widget.comm
    comm.handle_msg({"content": {"data": {"method": "custom", "content": {"type": "here"}}}, "buffers": []})


def test_widget_closes_immediately_outside_a_cell(widget: Base) -> None:
    widget.close()
    assert widget.comm is None
    widget.close()


@pytest.mark.usefixtures("in_cell")
def test_widget_in_a_cell_closes_once_the_page_has_created_it(widget: Base) -> None:
    widget.close()
    widget.close()
    assert widget.comm is not None
    send_here(widget)
    assert widget.comm is None


@pytest.mark.usefixtures("in_cell")
def test_widget_in_a_cell_closes_immediately_if_already_created(widget: Base) -> None:
    send_here(widget)
    widget.close()
    assert widget.comm is None


@pytest.mark.usefixtures("in_cell")
def test_widget_in_a_cell_closes_after_a_timeout_without_a_page(widget: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "_LONGEST_S", 0.01)
    widget.close()
    eventually(lambda: widget.comm is None)


def test_widget_whose_constructor_failed_is_collected_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", errors.append)

    class Failing(Base):
        def __init__(self) -> None:
            raise ValueError

    with pytest.raises(ValueError):
        Failing()
    gc.collect()
    assert errors == []
