"""Gene statistics of a live object equal those of an export, are computed on demand, and can be canceled."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
from waiting import PATIENCE_S, becomes

from karospace_jupyter import ExportConfig, ViewError, karospace_view
from karospace_jupyter.contracts import messages
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import Cancelled
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.source.matrix import CompressedMatrix
from karospace_jupyter.widget.assets import LIVE_STATISTICS, Assets, LiveCells
from karospace_jupyter.widget.channel import Channel
from karospace_jupyter.widget.view import KaroSpaceView

N = 600


def statistics_in(assets: Assets) -> Any:
    """Return the statistics that a page reads."""
    return json.loads(gzip.decompress(assets.read(LIVE_STATISTICS)))


def exported_statistics(bundle: Any) -> Any:
    """Return the statistics in the manifest of an export of all genes."""
    found: dict[str, list[float | None]] = {"mean": [], "fraction": [], "rank": []}
    for gene in bundle.manifest.expression.genes:
        known = gene.summary.missing < bundle.manifest.n_cells
        found["mean"].append(gene.summary.mean if known else None)
        found["fraction"].append(gene.summary.fraction if known else None)
        found["rank"].append(gene.variability_rank)
    return found


def assert_same(found: Any, expected: Any) -> None:
    assert found["rank"] == (None if None in expected["rank"] else expected["rank"])
    for name in ("mean", "fraction"):
        assert [value is None for value in found[name]] == [value is None for value in expected[name]]
        known = [value for value in expected[name] if value is not None]
        np.testing.assert_allclose([value for value in found[name] if value is not None], known, rtol=2e-5)


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
@pytest.mark.parametrize("values", ["log1p", "counts", "scaled"])
@pytest.mark.parametrize("missing", [False, True])
def test_statistics_equal_those_of_an_export_of_all_genes(form: str, values: str, *, missing: bool) -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    dense = (adata.layers["counts"] if values == "counts" else adata.X).toarray().astype(np.float32)
    if values == "scaled":
        spread = dense.std(axis=0)
        dense = (dense - dense.mean(axis=0)) / np.where(spread > 0, spread, 1)
    if missing:
        dense[::7, 3] = np.nan
        dense[5, 4] = np.inf
        dense[:, 5] = np.nan
    adata.X = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[form](dense)
    expected = exported_statistics(run_to_memory(adata, ExportConfig(genes_mode="all")))
    # The bundle has few genes, and the object has its cells in another order.
    bundle = run_to_memory(adata, ExportConfig(genes_mode="hvgs:4"))
    reversed_adata = adata[::-1].copy()
    assert_same(statistics_in(Assets(bundle, LiveCells(reversed_adata, bundle, ExportConfig()))), expected)


def test_statistics_cover_the_cells_of_the_bundle_and_the_layer_of_the_view() -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    view = karospace_view(adata, genes_mode="hvgs:4", downsample=200)
    exported = run_to_memory(adata, ExportConfig(genes_mode="all", downsample=200))
    assert_same(statistics_in(view._assets), exported_statistics(exported))
    view.layer = "counts"
    counts = run_to_memory(adata, ExportConfig(genes_mode="all", downsample=200, layer="counts"))
    assert_same(statistics_in(view._assets), exported_statistics(counts))
    view.close()
    # The bundle is of another matrix, so its kind of values does not apply to the matrix of the object.
    live = LiveCells(adata, counts, ExportConfig())
    assert_same(statistics_in(Assets(counts, live)), exported_statistics(exported))
    without = Assets(exported, None)
    assert not without.is_live(LIVE_STATISTICS)
    without.cancel()


def test_statistics_are_computed_once_until_the_object_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    adata = synthetic_tissue(N, 60, seed=2)
    view = karospace_view(adata, genes_mode="hvgs:4")
    passes: list[int] = []
    blocks = CompressedMatrix.row_blocks

    def counted(matrix: CompressedMatrix, max_bytes: int) -> Iterator[Any]:
        passes.append(max_bytes)
        return blocks(matrix, max_bytes)

    monkeypatch.setattr(CompressedMatrix, "row_blocks", counted)
    first = statistics_in(view._assets)
    n_passes = len(passes)
    assert statistics_in(view._assets) == first
    assert 0 < n_passes == len(passes)
    adata.X = adata.X * 2
    view.refresh()
    again = statistics_in(view._assets)
    np.testing.assert_allclose(again["mean"], np.multiply(first["mean"], 2), rtol=2e-5)
    adata.var_names = [f"{name}x" for name in adata.var_names]
    with pytest.raises(ViewError, match="changed after this view was created"):
        view._assets.read(LIVE_STATISTICS)
    view.close()


class Held:
    """Pauses every pass over a matrix after its first block, until `go_on` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go_on = threading.Semaphore(0), threading.Event()
        self.ended: list[str] = []
        blocks, statistics = CompressedMatrix.row_blocks, LiveCells.statistics

        def held(matrix: CompressedMatrix, max_bytes: int) -> Iterator[Any]:
            for at, block in enumerate(blocks(matrix, max_bytes // 1000)):
                if at == 1:
                    self.reached.release()
                    assert self.go_on.wait(PATIENCE_S)
                yield block

        def noted(live: LiveCells) -> bytes:
            try:
                found = statistics(live)
            except Cancelled:
                self.ended.append("canceled")
                raise
            self.ended.append("done")
            return found

        monkeypatch.setattr(CompressedMatrix, "row_blocks", held)
        monkeypatch.setattr(LiveCells, "statistics", noted)


def send(view: KaroSpaceView, content: dict[str, Any]) -> None:
    """Pass a message of a page to the view."""
    view._wire._receive(content, [])


def request_statistics(view: KaroSpaceView, *frames: str) -> None:
    """Open frames, and request the statistics from each of them."""
    for frame in frames:
        send(view, {"type": "open", "id": "open", "view": frame})
    for frame in frames:
        send(view, {"type": "read", "id": "r1", "view": frame, "path": LIVE_STATISTICS})


@pytest.fixture
def open_view() -> Iterator[KaroSpaceView]:
    view = karospace_view(synthetic_tissue(N, 60, seed=2), genes_mode="hvgs:4")
    yield view
    view.close()


@pytest.mark.parametrize("closed", ["by Python", "by its page"])
def test_closing_the_view_cancels_the_computation(
    open_view: KaroSpaceView, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    held = Held(monkeypatch)
    request_statistics(open_view, "one")
    assert held.reached.acquire(timeout=PATIENCE_S)
    if closed == "by Python":
        open_view.close()
    else:
        send(open_view, {"type": "gone", "view": "one"})
    held.go_on.set()
    becomes(lambda: held.ended, ["canceled"])
    if closed == "by its page":  # a page that opens later gets the statistics
        request_statistics(open_view, "two")
        becomes(lambda: held.ended, ["canceled", "done"])


def test_computation_goes_on_while_a_page_waits(open_view: KaroSpaceView, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch)
    answers: list[str] = []
    monkeypatch.setattr(Channel, "answer", lambda _, request, __: answers.append(request.view))
    request_statistics(open_view, "one", "two")
    assert held.reached.acquire(timeout=PATIENCE_S)
    send(open_view, messages.Gone(view="one").sent())
    held.go_on.set()
    becomes(lambda: sorted(answers), ["one", "two"])
    assert held.ended == ["done", "done"]


def test_statistics_follow_a_layer_chosen_during_the_computation(
    open_view: KaroSpaceView, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = open_view._live
    assert live is not None
    held = Held(monkeypatch)
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(live.statistics()))
    thread.start()
    assert held.reached.acquire(timeout=PATIENCE_S)
    open_view.layer = "counts"
    held.go_on.set()
    thread.join(PATIENCE_S)
    counts = run_to_memory(live.adata, ExportConfig(genes_mode="all", layer="counts"))
    assert_same(json.loads(gzip.decompress(found[0])), exported_statistics(counts))


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
def test_computation_needs_little_memory_beyond_the_matrix(form: str) -> None:
    """The matrix has 40 MB; the computation needs only a few blocks of 1 MB in addition."""
    n, m = (20_000, 500) if form == "dense" else (50_000, 1000)
    rng = np.random.default_rng(0)
    if form == "dense":
        matrix: Any = rng.poisson(0.3, (n, m)).astype(np.float32)
    else:
        matrix = sp.random(n, m, 0.1, form, np.float32, rng=rng)
        matrix.data[:] = 1 + np.round(matrix.data * 9)
    adata = anndata.AnnData(matrix, obsm={"spatial": rng.random((n, 2))})
    bundle = run_to_memory(adata, ExportConfig(genes_mode="hvgs:2"))
    live = LiveCells(adata, bundle, ExportConfig())
    tracemalloc.start()
    try:
        live.statistics()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8e6
