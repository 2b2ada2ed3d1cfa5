"""Widgets, forms and sessions, tested without a notebook."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from comm.base_comm import BaseComm
from waiting import PATIENCE_S, eventually, let_time_pass

from karospace_jupyter import (
    Bundle,
    ExportConfig,
    Job,
    adata_to_karospace,
    karospace_grid,
    karospace_view,
    karospace_widget,
)
from karospace_jupyter.cli import _config, parser
from karospace_jupyter.contracts.form import EmbeddingFact
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ConfigError, KaroSpaceError, SessionBusyError, SourceError, ViewError
from karospace_jupyter.export import run, run_to_memory
from karospace_jupyter.form.look import look
from karospace_jupyter.form.options import code_of, problems_of
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.session import ExportSession
from karospace_jupyter.widget.assets import Assets, LiveCells
from karospace_jupyter.widget.masks import as_mask, pack, unpack


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(600, 60, seed=2)


@pytest.fixture(scope="module")
def bundle(adata: Any) -> Bundle:
    return run_to_memory(adata, ExportConfig(genes_mode="hvgs:4"))


def test_session_finishes_once_and_progress_never_decreases(adata: Any, tmp_path: Path) -> None:
    states: list[Any] = []
    session = ExportSession(states.append)
    session.start(adata, ExportConfig(outdir=tmp_path / "out", genes_mode="all"))
    with pytest.raises(SessionBusyError, match="already running"):
        session.start(adata, ExportConfig())
    assert session.wait(PATIENCE_S).status == "done"
    progress = [state.progress for state in states]
    assert progress == sorted(progress) and progress[-1] == 1.0
    assert [state.status for state in states].count("done") == 1
    assert session.bundle is not None
    assert session.bundle.path == tmp_path / "out"
    session.start(adata, ExportConfig(outdir=tmp_path / "out", coords="obsm:none"))
    assert session.wait(PATIENCE_S).status == "failed"
    assert "no obsm['none']" in str(session.state.error)


def test_canceled_session_leaves_no_files(tmp_path: Path) -> None:
    session = ExportSession()
    session.start(synthetic_tissue(20_000, 300, seed=1), ExportConfig(outdir=tmp_path / "out", genes_mode="all"))
    session.cancel()
    assert session.wait(PATIENCE_S).status == "cancelled"
    assert list(tmp_path.iterdir()) == []


def test_failing_listener_does_not_block_the_session(adata: Any) -> None:
    def listener(state: Any) -> None:
        if state.status == "done":
            raise RuntimeError

    session = ExportSession(listener)
    with _ThreadsMayFail():
        session.start(adata, ExportConfig())
        assert session.wait(PATIENCE_S).status == "done"


class _ThreadsMayFail:
    """Silences the traceback of the thread that the failing listener ends."""

    def __enter__(self) -> None:
        import threading

        self._hook = threading.excepthook
        threading.excepthook = lambda _: None

    def __exit__(self, *exc: object) -> None:
        import threading

        eventually(lambda: not [one for one in threading.enumerate() if one.name == "karospace-export"])
        threading.excepthook = self._hook


@pytest.mark.parametrize("what", ["values", "positions", "coordinates", "a column", "genes", "file"])
def test_change_during_the_export_raises(what: str, tmp_path: Path) -> None:
    adata = synthetic_tissue(600, 60, seed=2)
    file = tmp_path / "a.h5ad"
    adata.write_h5ad(file)

    def meddle(progress: Any) -> None:
        if progress.stage == "Writing genes" and not progress.finished:
            meddling[what]()

    meddling: dict[str, Any] = {
        "values": lambda: adata.X.data.__imul__(2),
        "positions": lambda: adata.X.indices.sort(),
        "coordinates": lambda: adata.obsm["spatial"].__iadd__(1),
        "a column": lambda: adata.obs.drop(columns="cell_type", inplace=True, errors="ignore"),
        "genes": lambda: setattr(adata, "var_names", [f"g{i}" for i in range(adata.n_vars)]),
        "file": file.touch,
    }
    subject = file if what == "file" else adata
    with pytest.raises(SourceError, match="was changed during the export"):
        run(subject, ExportConfig(outdir=tmp_path / "out"), Job(meddle))
    assert not (tmp_path / "out").exists()


def test_additions_during_the_export_are_ignored(tmp_path: Path) -> None:
    adata = synthetic_tissue(600, 60, seed=2)

    def add(_: Any) -> None:
        adata.obs["new"] = 1
        adata.obsm["new"] = np.zeros((600, 2))

    run(adata, ExportConfig(outdir=tmp_path / "out"), Job(add)).verify()


@pytest.mark.parametrize("kind", ["csr", "csc", "dense"])
def test_live_genes_match_the_object(kind: str, adata: Any, bundle: Bundle) -> None:
    given = adata.copy()
    given.X = {"csr": given.X, "csc": sp.csc_matrix(given.X), "dense": given.X.toarray()}[kind]
    turned = given[::-1].copy()
    for one in (given, turned):
        live = LiveCells(one, bundle, ExportConfig())
        expected = adata.X[:, 7].toarray().ravel()
        assert np.array_equal(live.values(7), expected)
    turned.obs_names = [f"x{i}" for i in range(turned.n_obs)]
    with pytest.raises(ViewError, match="changed after this view was created"):
        live.values(7)


def test_only_files_in_the_manifest_can_be_read(bundle: Bundle) -> None:
    assets = Assets(bundle, None)
    assert assets.read(bundle.manifest.asset_files[0].path)
    for path in ("../x", "/etc/passwd", "assets", "", None, 3, "live/genes.json", "assets/../manifest.json"):
        with pytest.raises(KaroSpaceError):
            assets.read(path)


def test_masks_accept_booleans_names_and_positions() -> None:
    names = np.array(["a", "b", "c", "d"], dtype=object)
    wanted = [True, False, True, False]
    for given in (wanted, np.array(wanted), ["c", "a"], [0, 2], {"a", "c"}, pd.Series(wanted, index=list("abcd"))):
        assert as_mask(given, names).tolist() == wanted  # type: ignore[union-attr]
    assert as_mask(pd.Series([True, False, False, False], index=list("dcba")), names).tolist() == [False] * 3 + [True]  # type: ignore[union-attr]
    gaps = pd.Series([True, None, True, None], index=list("abcd"), dtype="boolean")
    assert as_mask(gaps, names).tolist() == wanted  # type: ignore[union-attr]
    for bad in ([True], ["e"], [4], [-1], "a", 3, [[True] * 4]):
        with pytest.raises(ViewError):
            as_mask(bad, names)
    mask = np.random.default_rng(0).random(1001) < 0.3
    assert np.array_equal(unpack(pack(mask), 1001), mask)


def test_options_are_validated_one_by_one() -> None:
    assert problems_of({"genes_mode": "hvgs:5", "gzip": True}) == {}
    assert set(problems_of({"genes_mode": "most", "downsample": 0, "coords": "x"})) == {
        "genes_mode", "downsample", "coords",
    }  # fmt: skip
    found = problems_of({"embeddings": 3, "sections": "", "view": "/no/such/view.json"})
    assert set(found) == {"embeddings", "sections", "view"}
    assert "cannot be read" in found["view"]


def test_form_offers_embeddings_and_sections(adata: Any, tmp_path: Path) -> None:
    found = summarize(adata)
    assert found.embeddings == (EmbeddingFact(key="X_umap", label="UMAP", default=True),)
    assert found.sections == "section"
    assert "region" in found.section_columns and "area" not in found.section_columns
    (tmp_path / "v.json").write_text(json.dumps({"color": {"kind": "annotation", "column": "nope"}}))
    shown = look(adata, {"sections": "area", "embeddings": ["X_umpa"], "view": str(tmp_path / "v.json")})
    assert set(shown.problems) == {"sections", "embeddings"}
    assert "Did you mean 'X_umap'" in shown.problems["embeddings"]
    assert any("its color was left out" in text for text in shown.warnings)
    plain = {"scripts": "no", "gzip": False}
    more, less = look(adata, plain), look(adata, {**plain, "embeddings": []})
    assert 8 * adata.n_obs < more.bytes - less.bytes < 8 * adata.n_obs + 1000, "and its entry in the manifest"
    assert more.files - less.files == 1
    assert look(adata, {"gzip": False}).bytes > more.bytes, "scripts repeat the data"
    assert look(adata, {"view": str(tmp_path / "v.json")}).bytes > look(adata, {}).bytes


@pytest.mark.parametrize(("embeddings", "columns"), [(("X_umap", "X_my pca"), ("cell_type", "--region")), ((), ())])
def test_code_repeats_the_export(
    adata: Any, tmp_path: Path, embeddings: tuple[str, ...], columns: tuple[str, ...]
) -> None:
    config = ExportConfig(
        outdir=tmp_path / "a b", genes_mode=("EPCAM", "-CD 3E"), annotation_columns=columns, gzip=False,
        sections="region", embeddings=embeddings, view=tmp_path / "v.json",
        embed_origins=("https://lab.example", "*"),
    )  # fmt: skip
    text = code_of(config, name="adata", file=None)
    called: list[ExportConfig] = []

    def record(_: Any, outdir: str, **options: Any) -> None:
        called.append(ExportConfig(outdir=outdir, **options))

    line = next(line for line in text.splitlines() if line.startswith("adata_to_karospace("))
    eval(line, {"adata_to_karospace": record, "adata": adata})
    assert called == [config]
    assert f"--outdir '{tmp_path}/a b'" in text
    shell = shlex.split(text.splitlines()[-1])
    parsed = _config(parser().parse_args(shell[1:]))
    for option in (
        "outdir",
        "annotation_columns",
        "genes_mode",
        "gzip",
        "sections",
        "embeddings",
        "view",
        "embed_origins",
    ):
        assert getattr(parsed, option) == getattr(config, option), option


def test_color_is_a_column_a_gene_or_a_helpful_error(adata: Any) -> None:
    view = karospace_view(adata)
    heard: list[str] = []
    end = view.on_change(lambda change: heard.append(change["name"]))
    view.color = "region"
    assert view.state["color"] == {"kind": "annotation", "column": "region"}
    view.color = "gene:EPCAM"
    assert view.color == "EPCAM"
    with pytest.raises(ViewError, match="Did you mean 'EPCAM'"):
        view.color = "EPCM"
    with pytest.raises(ViewError, match="camera"):
        view.camera = {"x": 1}
    with pytest.raises(ViewError, match="point_size"):
        view.state = {"point_size": 99}
    assert view.color == "EPCAM" and view.camera is None
    assert heard.count("state") == 2
    end()
    view.color = ""
    assert heard.count("state") == 2
    view.close()


def test_color_may_be_several_genes(adata: Any) -> None:
    view = karospace_view(adata)
    view.color = "blend:EPCAM, CD3E"
    assert view.color == "blend:EPCAM,CD3E"
    assert view.state["color"] == {"kind": "blend", "genes": ["EPCAM", "CD3E"]}
    view.color = "score:EPCAM,CD3E"
    assert view.state["color"]["name"] == "Mean of 2 genes"
    view.state = {"color": {"kind": "score", "name": "Mine", "genes": ["EPCAM", "CD3E"]}}
    assert (view.color, view.state["color"]["name"]) == ("score:EPCAM,CD3E", "Mine")
    for wrong in ("blend:EPCAM", "blend:EPCAM,NOPE", "score:"):
        with pytest.raises(ViewError):
            view.color = wrong
    view.close()


def test_listener_may_change_the_view(adata: Any) -> None:
    view = karospace_view(adata)
    view.on_change(lambda change: setattr(view, "color", "cell_type") if change["name"] == "selection" else None)
    view.selection = [1, 2]
    assert view.color == "cell_type"
    assert view.state["color"]["column"] == "cell_type"
    view.close()


def test_linked_views_share_their_state(adata: Any) -> None:
    one, two = karospace_view(adata), karospace_view(adata)
    for name in ("color", "camera", "hidden", "state"):
        ipywidgets.link((one, name), (two, name))
    one.color = "region"
    two.camera = {"x": 1.0, "y": 2.0, "zoom": 3.0}
    one.state = {**one.state, "opacity": 0.5}
    assert two.color == "region"
    assert one.camera == {"x": 1.0, "y": 2.0, "zoom": 3.0}
    assert one.state == two.state
    assert two.state["opacity"] == 0.5
    one.selection = [0, 5]
    assert one.selected_ids == [adata.obs_names[0], adata.obs_names[5]]
    one.close()
    two.close()


def test_annotate_writes_a_column_and_never_overwrites() -> None:
    adata = synthetic_tissue(300, 60, seed=2)
    view = karospace_view(adata)
    with pytest.raises(ViewError, match="There is no selection"):
        view.annotate("niche")
    view.regions = {"one": [1, 2], "two": [2, 3]}
    view.annotate("niche")
    assert adata.obs["niche"].iloc[:5].astype(str).tolist() == ["nan", "one", "two", "two", "nan"]
    with pytest.raises(ViewError, match="already"):
        view.annotate("niche")
    with pytest.raises(ViewError, match="no AnnData object"):
        karospace_view(view.bundle).annotate("niche")
    view.close()


def test_view_shows_supported_subjects_and_rejects_others(adata: Any, bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "a.h5ad"
    adata.write_h5ad(file)
    folder = bundle.save(tmp_path / "folder").path
    for subject in (bundle, folder, str(bundle.to_html(tmp_path / "b.html")), bundle.to_zip(tmp_path / "b.zip"), file):
        view = karospace_view(subject)
        assert view.bundle.manifest.n_cells == 600
        data, _ = view._repr_mimebundle_()
        assert {"application/vnd.jupyter.widget-view+json", "text/html"} <= set(data)
        view.close()
    assert "text/html" in bundle._repr_mimebundle_()[0]
    inline = karospace_view(adata, inline=True, genes_mode="hvgs:2")._repr_html_()
    assert inline.count("<iframe") == 1 and "<script" not in inline
    for nonsense in (3, tmp_path / "nowhere", tmp_path):
        with pytest.raises(KaroSpaceError):
            karospace_view(nonsense)
    with pytest.raises(ViewError):
        karospace_grid([])
    with pytest.raises(SourceError, match="expects an AnnData"):
        karospace_widget("x")
    with pytest.raises(ConfigError, match="Unknown option"):
        karospace_widget(adata, nothing=1)


def test_closing_a_form_leaves_no_widget(adata: Any, tmp_path: Path) -> None:
    before = len(ipywidgets.widgets.widget._instances)
    widget = karospace_widget(adata, tmp_path / "out", genes_mode="hvgs:3")
    widget.start()
    assert widget.wait(PATIENCE_S) == "done"
    assert widget.status == "done" and widget.view is not None
    assert widget.manifest is not None and widget.bundle_path == str(tmp_path / "out")
    widget.close()
    assert len(ipywidgets.widgets.widget._instances) == before


def test_export_shows_a_progress_bar(adata: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adata_to_karospace(adata, tmp_path / "out", progress=True)
    assert "Writing genes" in capsys.readouterr().err


def test_summary_made_while_the_comm_opens_reaches_the_page(adata: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page: dict[str, Any] = {}

    class SlowComm(BaseComm):
        def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
            page.update((data or {}).get("state", {}))
            if msg_type == "comm_open":
                let_time_pass(0.3)  # gives threads time to inspect the object

    monkeypatch.setattr("comm.create_comm", SlowComm)
    widget = karospace_widget(adata)
    eventually(lambda: page["_estimate"]["files"])
    assert page["_summary"]["ready"]
    assert page["_estimate"]["files"] > 1
    widget.close()
