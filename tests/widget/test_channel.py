"""Messages of pages: parsed, answered or refused with a reason."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from typing import Any

import numpy as np
import pytest
from comm.base_comm import BaseComm
from waiting import PATIENCE_S, becomes

from karospace_jupyter import Bundle, ExportConfig, KaroSpaceError, ViewError, karospace_view
from karospace_jupyter.contracts import generate, messages
from karospace_jupyter.contracts.messages import ToKernel, ToPage
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import GenesError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.widget.channel import Channel
from karospace_jupyter.widget.view import KaroSpaceView

N = 300


class Heard:
    """Custom messages that the page has received from the kernel, over all comms."""

    def __init__(self) -> None:
        self.all: list[tuple[dict[str, Any], list[bytes]]] = []

    def take(self) -> list[dict[str, Any]]:
        """Return the contents sent since the last call."""
        found, self.all = self.all, []
        return [content for content, _ in found]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    heard = Heard()

    class Page(BaseComm):
        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any
        ) -> None:
            if (data or {}).get("method") == "custom":
                json.dumps(data["content"])
                heard.all.append((data["content"], [bytes(buffer) for buffer in buffers or ()]))

    monkeypatch.setattr("comm.create_comm", Page)
    return heard


def send(widget: Any, content: Any, buffers: list[bytes] | None = None) -> None:
    """Send a custom message from a page to the comm of a widget."""
    data = {"method": "custom", "content": content}
    widget.comm.handle_msg({"content": {"data": data}, "buffers": [memoryview(buffer) for buffer in buffers or ()]})


@pytest.fixture(scope="module")
def bundle() -> Any:
    return run_to_memory(synthetic_tissue(N, 40, seed=1), ExportConfig(genes_mode="hvgs:3"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "nothing"}, "does not support the request 'nothing'"),
        ({"type": ["read"]}, "does not support the request"),
        ({}, "does not support the request None"),
        ({"type": "start", "options": {}, "revision": 1}, "does not support the request 'start'"),
        ({"type": "hello", "id": 3}, "id: Input should be a valid string"),
        ({"type": "read", "path": None}, "'read' is invalid: path"),
        ({"type": "read"}, "path: Field required"),
        ({"type": "state", "state": {"color": {"kind": "rainbow"}}}, "'state' is invalid: state.color"),
        ({"type": "state", "state": {"opacity": "0.5"}}, "state.opacity"),
        ({"type": "state", "state": [1]}, "state"),
        ({"type": "regions", "names": "a", "colors": []}, "names: Input should be a valid list"),
        ({"type": "selection", "base64": "AA=="}, "base64: Input should be a valid list"),
        ({"type": "selection", "base64": ["%"]}, "was damaged in transit"),
        ({"type": "selection", "plain": "yes"}, "plain"),
        ({"type": "download", "kind": "exe"}, "kind"),
    ],
)  # fmt: skip
def test_invalid_message_is_refused_with_its_reason(heard: Heard, bundle: Any, content: Any, reason: str) -> None:
    view = KaroSpaceView(bundle)
    send(view._wire, {"type": "open", "id": "o", "view": "f"})
    heard.take()
    before = view.state
    send(view._wire, {"id": "r1", "view": "f", **content})
    (refused,) = heard.take()
    assert (refused["type"], refused["view"], refused["tag"]) == ("refused", "f", "failed")
    assert refused.get("id") == (content.get("id", "r1") if isinstance(content.get("id", ""), str) else None)
    assert reason in refused["message"]
    assert view.state == before
    view.close()


@pytest.mark.parametrize("content", [None, 3, "read", [], [{"type": "hello", "id": "a"}]])
def test_content_that_is_not_an_object_is_ignored(heard: Heard, content: Any) -> None:
    channel = Channel()
    send(channel, content)
    assert heard.take() == []
    channel.close()


def test_changes_of_a_frame_reach_python_and_the_other_frames(heard: Heard, bundle: Any) -> None:
    view = KaroSpaceView(bundle)
    for frame in ("one", "two"):
        send(view._wire, {"type": "open", "id": "open", "view": frame})
    opened = heard.take()
    assert opened[0] == {"type": "opened", "view": "one", "id": "open", "state": None, "live": 0}
    state = {
        "opacity": 0.5,
        "range": [0, 1],
        "color": {"kind": "annotation", "column": "region", "later": 1},
        "someday": [],
    }
    send(view._wire, {"type": "state", "view": "one", "state": state, "echo": False})
    assert view.state["opacity"] == 0.5
    known = {"opacity": 0.5, "range": [0, 1], "color": {"kind": "annotation", "column": "region"}}
    assert heard.take() == [{"type": "set", "view": "two", "state": known}]
    mask = np.arange(N) < 7
    bits = np.packbits(mask, bitorder="little").tobytes()
    send(view._wire, {"type": "selection", "view": "two"}, [bits])
    assert np.array_equal(view.selection, mask)
    assert heard.all == [({"type": "select", "view": "one"}, [bits])]
    heard.take()
    region = {"type": "regions", "names": ["a"], "colors": ["#123456"], "outlines": [[0, 0, 4, 0, 4, 3]]}
    send(view._wire, {**region, "view": "one"}, [bits])
    assert list(view.regions) == ["a"]
    assert heard.take() == [{**region, "view": "two"}]
    view.state = {"point_size": 2}
    assert heard.take() == [{"type": "set", "state": {"pointSize": 2.0}}]
    send(view._wire, {"type": "gone", "view": "two"})
    send(view._wire, {"type": "selection", "view": "two"})
    (refused,) = heard.take()
    assert "was replaced" in refused["message"]
    view.close()


def test_buffers_are_sent_as_text_if_the_page_cannot_receive_them(heard: Heard, bundle: Any) -> None:
    view = KaroSpaceView(bundle)
    send(view._wire, {"type": "hello", "id": "probe"})
    assert heard.all == [({"type": "hi", "id": "probe", "buffers": 0}, [b"\x01"])]
    bits = base64.b64encode(bytes(-(-N // 8))).decode()
    send(view._wire, {"type": "open", "id": "open", "view": "f", "plain": True})
    heard.take()
    send(view._wire, {"type": "selection", "view": "f", "base64": [bits]})
    assert view.selection is not None and not view.selection.any()
    view.selection = [0]
    ((select, buffers),) = heard.all
    assert buffers == [] and base64.b64decode(select["base64"][0])[0] == 1
    heard.take()
    send(view._wire, {"type": "read", "id": "r1", "view": "f", "path": "manifest.json"})
    (part,) = heard.take()
    assert (part["type"], part["index"], part["count"]) == ("part", 0, 1)
    assert len(base64.b64decode(part["base64"][0])) == part["total"]
    view.close()


def test_repeated_request_is_answered_once(heard: Heard) -> None:
    channel = Channel()
    starts: list[Any] = []
    channel.route(messages.Start, lambda message, _: starts.append(message.revision))
    for _ in range(2):
        send(channel, {"type": "start", "id": "f-1", "options": {}, "revision": 4})
    assert starts == [4]
    channel.close()


def test_repeated_request_is_ignored_while_it_is_being_answered(heard: Heard) -> None:
    channel = Channel()
    started, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> bytes:
        started.release()
        assert go_on.acquire(timeout=PATIENCE_S)
        return b"values"

    channel.route(messages.Read, lambda message, _: channel.aside(message, work))
    request = {"type": "read", "id": "r1", "view": "one", "path": "live/gene_0"}
    send(channel, request)
    assert started.acquire(timeout=PATIENCE_S)
    send(channel, request)  # repeated while it is being answered
    send(channel, {**request, "view": "two"})
    assert started.acquire(timeout=PATIENCE_S)
    go_on.release(2)
    becomes(lambda: sorted(content["view"] for content, _ in heard.all), ["one", "two"])
    becomes(lambda: len(channel._working), 0)
    send(channel, request)  # repeated because the answer was lost
    go_on.release()
    becomes(lambda: [content["view"] for content, _ in heard.all].count("one"), 2)
    assert started.acquire(timeout=PATIENCE_S) and not started.acquire(blocking=False)
    channel.close()


def test_failing_handler_refuses_its_request(heard: Heard) -> None:
    channel = Channel()

    failures: list[Exception] = [KaroSpaceError("what to do"), KeyError("x")]

    def fail(*_: Any) -> None:
        raise failures.pop(0)

    channel.route(messages.Cancel, fail)
    for text in ("what to do", "KeyError: 'x'"):
        send(channel, {"type": "cancel", "id": "f-2"})
        assert heard.take() == [{"type": "refused", "id": "f-2", "view": None, "tag": "failed", "message": text}]
    channel.close()


@pytest.mark.parametrize("union", [ToKernel, ToPage])
def test_every_message_is_part_of_the_contract(union: Any) -> None:
    kinds = [message.model_fields["type"].default for message in union.__origin__.__args__]
    assert len(set(kinds)) == len(kinds)
    schemas = generate.generated()
    for kind in kinds:
        assert f'"const": "{kind}"' in schemas["to-kernel.schema.json" if union is ToKernel else "to-page.schema.json"]


def test_snapshot_of_a_cleared_output_fails_at_once(heard: Heard, bundle: Any) -> None:
    view = KaroSpaceView(bundle)
    send(view._wire, {"type": "open", "id": "open", "view": "one"})
    send(view._wire, {"type": "gone", "view": "one"})
    heard.take()
    with pytest.raises(ViewError, match="no longer displayed: its output was cleared"):
        view.snapshot(timeout=PATIENCE_S)
    assert heard.take() == []
    view.close()


def test_columns_of_the_object_are_sent_to_open_frames(heard: Heard) -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    view = karospace_view(adata)
    send(view._wire, {"type": "open", "id": "open", "view": "one"})
    heard.take()
    adata.obs["late"] = np.arange(N)
    view.color = "late"
    live, state = heard.take()
    assert (live["type"], live["matrix"], [column["name"] for column in live["columns"]]) == ("live", None, ["late"])
    assert state["state"]["color"] == {"kind": "annotation", "column": "late"}
    view.refresh()
    (live,) = heard.take()
    assert live["matrix"] == {"source": "X", "values": {"kind": "log1p", "log_base": None}}
    view.layer = "counts"
    (live,) = heard.take()
    assert live["matrix"] == {"source": "layer:counts", "values": {"kind": "counts", "log_base": None}}
    view.close()


def test_genes_are_read_from_the_layer_of_the_view() -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    adata.raw = adata[:, :50]
    view = karospace_view(adata, genes_mode="hvgs:5")
    assert view.layer == "X"

    def listed() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(gzip.decompress(view._assets.read("live/genes.json")))
        return found

    def values() -> Any:
        return np.frombuffer(gzip.decompress(view._assets.read("live/gene_3")), "<f4")

    assert listed()["matrix"] is None
    np.testing.assert_array_equal(values(), adata.X[:, [3]].toarray().ravel())
    view.layer = "counts"
    assert listed()["matrix"]["source"] == "layer:counts"
    np.testing.assert_array_equal(values(), adata.layers["counts"][:, [3]].toarray().ravel())
    for layer, message in (("count", "Did you mean 'counts'"), ("raw", "other genes")):
        with pytest.raises(ViewError, match=message):
            view.layer = layer
        assert view.layer == "counts"
        np.testing.assert_array_equal(values(), adata.layers["counts"][:, [3]].toarray().ravel())
    # A matrix that cannot be read leaves the view unchanged. Limits apply only to the matrix for which they were set.
    adata.layers["bad"] = adata.layers["counts"].astype(complex)
    with pytest.raises(KaroSpaceError):
        view.layer = "bad"
    assert (view.layer, view._live.layer) == ("counts", "counts")
    view.color = adata.var_names[3]
    view.state = {"range": [0, 3]}
    view.layer = "X"
    assert view.state["range"] is None
    assert listed()["matrix"]["source"] == "X"
    view.close()
    raw = karospace_view(adata, raw=True)
    assert raw.layer == "raw"
    raw.close()
    bundle = karospace_view(raw.bundle)
    with pytest.raises(ViewError, match="no AnnData object"):
        bundle.layer = "counts"
    bundle.close()


def test_layer_that_cannot_be_read_leaves_the_matrix_unchanged() -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    adata.layers["complex"] = adata.X.astype(np.complex64)
    view = karospace_view(adata, genes_mode="hvgs:5")
    view.layer = "counts"
    live = view._live
    assert live is not None
    before = live.matrix
    with pytest.raises(GenesError, match="complex64; expected real numbers"):
        view.layer = "complex"
    assert (view.layer, live.layer) == ("counts", "counts")
    assert live.matrix is before
    view.close()


def test_layers_that_are_named_like_another_matrix_have_a_prefix() -> None:
    adata = synthetic_tissue(200, 40, seed=1)
    adata.layers["X"] = adata.layers["counts"]
    config = ExportConfig(matrices=["X", "layer:X", "layer:counts"], genes_mode=["EPCAM"], preview=False)
    for view in (karospace_view(adata), karospace_view(run_to_memory(adata, config))):
        assert view.layer == "X"
        view.layer = "layer:X"
        assert view.layer == "layer:X"
        assert view.compare(np.arange(200) < 50).attrs["matrix"] == "layer:X"
        view.layer = "X"
        assert view.layer == "X"
        assert view.compare(np.arange(200) < 50).attrs["matrix"] == "X"
        view.layer = "layer:counts"
        assert view.layer == "counts"
        view.close()


def test_matrix_in_the_state_must_be_one_of_the_bundle() -> None:
    adata = synthetic_tissue(200, 40, seed=1)
    config = ExportConfig(matrices=["X", "layer:counts"], genes_mode=["EPCAM"], preview=False)
    view = karospace_view(run_to_memory(adata, config))
    with pytest.raises(ViewError, match="no layer 'layer:count'.*The matrices of the bundle are: X, counts"):
        view.state = {"matrix": "layer:count"}
    assert (view.layer, view.state["matrix"]) == ("X", None)
    view.state = {"matrix": "layer:counts"}
    assert view.layer == "counts"
    view.state = {"matrix": "X"}
    assert (view.layer, view.state["matrix"]) == ("X", None)
    view.close()


def test_matrix_in_the_state_selects_a_matrix_of_the_object() -> None:
    adata = synthetic_tissue(200, 40, seed=1)
    config = ExportConfig(matrices=["X", "layer:counts"], genes_mode=["EPCAM"], preview=False)
    view = karospace_view(run_to_memory(adata, config), adata=adata)
    gene = {"kind": "gene", "gene": "EPCAM"}
    view.state = {"color": gene, "range": [0, 1]}
    view.state = {"matrix": "layer:counts"}
    assert (view.layer, view.state["matrix"], view.state["range"]) == ("counts", None, None)
    assert view.compare(np.arange(200) < 50).attrs["matrix"] == "layer:counts"
    view.state = {"matrix": "X", "range": [0, 2]}
    assert (view.layer, view.state["matrix"], list(view.state["range"])) == ("X", None, [0, 2])
    with pytest.raises(ViewError, match="The matrices of the object are: X, counts"):
        view.state = {"matrix": "layer:nope"}
    assert view.layer == "X"
    view.close()


@pytest.mark.parametrize(("matrix", "layer"), [("layer:counts", "counts"), ("raw", "X"), (["X"], "X")])
def test_a_live_view_opens_with_the_matrix_of_the_saved_view(matrix: Any, layer: str) -> None:
    adata = synthetic_tissue(200, 40, seed=1)
    bundle = run_to_memory(adata, ExportConfig(genes_mode=["EPCAM"], preview=False))
    saved = {"karospace_view": 1, "n_cells": 200, "state": {"matrix": matrix}, "regions": []}
    bundle = Bundle(bundle.files, bundle.manifest.model_copy(update={"view": saved}))
    view = karospace_view(bundle, adata=adata)
    assert view.layer == layer
    read = json.loads(gzip.decompress(view._assets.read("live/genes.json")))["matrix"]
    assert (read or {"source": "X"})["source"] == ("layer:counts" if layer == "counts" else "X")
    view.close()


def test_a_live_view_warns_that_it_reads_one_matrix_at_a_time() -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    for options in ({}, {"packed": "yes"}, {"packed": "auto", "genes_mode": ()}):
        view = karospace_view(adata, matrices=("layer:counts", "X"), **options)  # type: ignore[arg-type]
        assert view.layer == "counts"
        assert "so these were not exported: X. Choose the matrix with" in " ".join(view.bundle.manifest.warnings or ())
        view.layer = "X"
        view.close()
        with pytest.raises(GenesError, match="nope"):
            karospace_view(adata, matrices=("X", "layer:nope"), **options)  # type: ignore[arg-type]


def test_layer_of_a_view_without_an_object_is_a_matrix_of_the_bundle() -> None:
    adata = synthetic_tissue(200, 40, seed=1)
    config = ExportConfig(matrices=["X", "layer:counts"], genes_mode=["EPCAM"], preview=False, image_path="none")
    view = karospace_view(run_to_memory(adata, config))
    assert view.layer == "X"
    view.state = {"color": {"kind": "gene", "gene": "EPCAM"}, "range": (1, 2)}
    view.layer = "counts"
    assert view.state["matrix"] == "layer:counts"
    assert view.state["range"] is None
    gene = str(adata.var_names[5])
    table = view.compare(np.arange(200) < 50)
    assert table.attrs["matrix"] == "layer:counts"
    assert table.loc[gene, "mean_a"] == pytest.approx(adata.layers["counts"][:50, [5]].mean())
    view.state = {"matrix": None}
    assert view.layer == "X"
    with pytest.raises(ViewError, match="no layer 'count'.*Did you mean 'counts'.*X, counts"):
        view.layer = "count"
    assert view.layer == "X"
    view.close()
