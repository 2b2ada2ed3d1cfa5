"""Widgets, forms and sessions, tested without a notebook."""

from __future__ import annotations

import gc
import gzip
import json
import shlex
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import traitlets
from comm.base_comm import BaseComm
from waiting import PATIENCE_S, eventually

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
from karospace_jupyter.contracts.output import MIME_TYPE
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ConfigError, KaroSpaceError, SessionBusyError, SourceError, ViewError
from karospace_jupyter.export import run, run_to_memory
from karospace_jupyter.form.options import code_of, problems_of
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.form.summary import summarize
from karospace_jupyter.job import Progress
from karospace_jupyter.progress import ProgressBar
from karospace_jupyter.session import _SHARES, ExportSession
from karospace_jupyter.widget.assets import Assets, LiveCells
from karospace_jupyter.widget.export_form import KaroSpaceWidget
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
    assert {*_SHARES} - {state.stage for state in states} == {"Reading statistics"}  # all genes need no ranking
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
    """Hides the traceback of the thread that ends because its listener fails."""

    def __enter__(self) -> None:
        self._hook = threading.excepthook
        threading.excepthook = lambda _: None

    def __exit__(self, *exc: object) -> None:
        eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "karospace-export"])
        threading.excepthook = self._hook


@pytest.mark.parametrize("what", ["values", "positions", "coordinates", "a column", "genes", "file"])
def test_change_during_the_export_raises(what: str, tmp_path: Path) -> None:
    adata = synthetic_tissue(600, 60, seed=2)
    file = tmp_path / "a.h5ad"
    adata.write_h5ad(file)

    def change(progress: Any) -> None:
        if progress.stage == "Writing genes" and not progress.finished:
            changes[what]()

    changes: dict[str, Any] = {
        "values": lambda: adata.X.data.__imul__(2),
        "positions": lambda: adata.X.indices.sort(),
        "coordinates": lambda: adata.obsm["spatial"].__iadd__(1),
        "a column": lambda: adata.obs.drop(columns="cell_type", inplace=True, errors="ignore"),
        "genes": lambda: setattr(adata, "var_names", [f"g{i}" for i in range(adata.n_vars)]),
        "file": file.touch,
    }
    subject = file if what == "file" else adata
    with pytest.raises(SourceError, match="was changed during the export"):
        run(subject, ExportConfig(outdir=tmp_path / "out"), Job(change))
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
    reversed_adata = given[::-1].copy()
    for subject in (given, reversed_adata):
        live = LiveCells(subject, bundle, ExportConfig())
        expected = adata.X[:, 7].toarray().ravel()
        assert np.array_equal(live.values(7), expected)
    reversed_adata.obs_names = [f"x{i}" for i in range(reversed_adata.n_obs)]
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
    shown = predict_export(adata, {"sections": "area", "embeddings": ["X_umpa"], "view": str(tmp_path / "v.json")})
    assert set(shown.problems) == {"sections", "embeddings"}
    assert "Did you mean 'X_umap'" in shown.problems["embeddings"]
    assert any("its color was left out" in text for text in shown.warnings)
    plain = {"scripts": "no", "gzip": False}
    more, less = predict_export(adata, plain), predict_export(adata, {**plain, "embeddings": []})
    assert 8 * adata.n_obs < more.bytes - less.bytes < 8 * adata.n_obs + 1000, (
        "not 8 bytes per cell and an entry in the manifest"
    )
    assert more.files - less.files == 1
    assert predict_export(adata, {"gzip": False}).bytes > more.bytes, "scripts contain the data a second time"
    assert predict_export(adata, {"view": str(tmp_path / "v.json")}).bytes > predict_export(adata, {}).bytes


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


def test_color_accepts_columns_and_genes_and_suggests_similar_names(adata: Any) -> None:
    view = karospace_view(adata)
    changed: list[str] = []
    unsubscribe = view.on_change(lambda change: changed.append(change["name"]))
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
    assert changed.count("state") == 2
    unsubscribe()
    view.color = ""
    assert changed.count("state") == 2
    view.close()


def test_color_of_a_column_that_looks_prefixed_is_that_column(adata: Any) -> None:
    adata = adata.copy()
    adata.obs["obs:region"] = adata.obs["cell_type"].to_numpy()
    view = karospace_view(adata)
    view.state = {"color": {"kind": "annotation", "column": "obs:region"}}
    assert view.color == "obs:region"
    view.color = "region"
    view.color = "obs:region"
    assert view.state["color"] == {"kind": "annotation", "column": "obs:region"}
    view.color = "obs:cell_type"
    assert view.color == "cell_type"
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


def test_gene_sets_can_be_read_and_set(adata: Any, caplog: pytest.LogCaptureFixture) -> None:
    labels = adata.var["gene_ids"]
    view = karospace_view(adata, gene_sets={"T": ["CD3E", "CD8A"]})
    assert view.gene_sets == {"T": ["CD3E", "CD8A"]}
    assert view.bundle.manifest.gene_list == ["CD3E", "CD8A"], "other genes are read when they are needed"
    view.color = "score:T"
    assert view.color == "score:T"
    assert view.state["color"] == {"kind": "score", "name": "T", "genes": ["CD3E", "CD8A"]}
    view.gene_sets = {**view.gene_sets, "E": ["EPCAM", labels["MS4A1"], "NOPE"]}
    assert view.gene_sets == {"T": ["CD3E", "CD8A"], "E": ["EPCAM", "MS4A1"]}
    assert view.state["gene_sets"][1] == {"name": "E", "genes": ["EPCAM", "MS4A1"]}
    assert "1 gene of gene_sets is not in this view and left out: NOPE." in caplog.text
    view.state = {"gene_sets": [{"name": "Other", "genes": ["VIM"]}]}
    assert view.gene_sets == {"Other": ["VIM"]}
    assert view.color == "score:CD3E,CD8A", "there is no set T any more"
    for wrong in ({"x": ["NOPE"]}, {"": ["VIM"]}, {"x": 3}, {"x": []}, ["VIM"]):
        with pytest.raises(ViewError, match=r"gene set|gene_sets"):
            view.gene_sets = wrong
    assert view.gene_sets == {"Other": ["VIM"]}
    view.gene_sets = None
    assert (view.gene_sets, view.state["gene_sets"]) == ({"T": ["CD3E", "CD8A"]}, None)
    view.close()


def test_saved_view_of_an_object_keeps_genes_that_are_read_when_needed(adata: Any, tmp_path: Path) -> None:
    file = tmp_path / "view.json"
    sets = [{"name": "T", "genes": ["CD3E", "NOPE"]}]
    file.write_text(json.dumps({"color": {"kind": "gene", "gene": "EPCAM"}, "geneSets": sets}))
    view = karospace_view(adata, view=file)
    shown = view.bundle.manifest.view
    assert shown == {"color": {"kind": "gene", "gene": "EPCAM"}, "geneSets": [{"name": "T", "genes": ["CD3E"]}]}
    view.close()


def test_form_keeps_gene_sets(adata: Any) -> None:
    form = karospace_widget(adata, gene_sets={"T": ["CD3E"]})
    assert form.options["gene_sets"] == {"T": ["CD3E"]}
    form.options = {**form.options, "seed": 3}
    assert form.options["gene_sets"] == {"T": ["CD3E"]}
    form.close()


def test_code_of_a_form_repeats_gene_sets() -> None:
    files = code_of(ExportConfig(gene_sets=["a b.gmt", "uns:markers"]), name="adata", file="x.h5ad")
    assert "gene_sets=['a b.gmt', 'uns:markers']" in files
    assert "'--gene-set=a b.gmt' --gene-set=uns:markers" in files
    given = code_of(ExportConfig(gene_sets={"T": ["CD3E"]}), name="adata", file="x.h5ad")
    assert "gene_sets={'T': ['CD3E']}" in given
    assert "# First: save the gene sets in gene_sets.json\n" in given and "--gene-set=gene_sets.json" in given


def test_code_names_the_storage_options_without_their_values() -> None:
    config = ExportConfig(
        outdir="s3://b/t", storage_options={"endpoint_url": "https://lab.example", "secret": "hunter2"}
    )
    code = code_of(config, name="adata", file="x.h5ad")
    called: list[dict[str, Any]] = []
    python = next(line for line in code.splitlines() if line.startswith("adata_to_karospace("))
    eval(python, {"adata_to_karospace": lambda *_, **options: called.append(options), "adata": None})
    assert called == [{"storage_options": {"endpoint_url": ..., "secret": ...}}]
    assert "--storage-option=endpoint_url=... --storage-option=secret=..." in code
    assert "First: replace each ..." in code and "hunter2" not in code and "lab.example" not in code


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


def test_annotate_writes_a_column_and_refuses_to_overwrite_it() -> None:
    adata = synthetic_tissue(300, 60, seed=2)
    view = karospace_view(adata)
    with pytest.raises(ViewError, match="There is no selection"):
        view.annotate("niche")
    view.regions = {"one": [1, 2], "two": [2, 3]}
    view.annotate("niche")
    assert adata.obs["niche"].iloc[:5].astype(str).tolist() == ["nan", "one", "two", "two", "nan"]
    with pytest.raises(ViewError, match="already"):
        view.annotate("niche")
    without_object = karospace_view(view.bundle)
    with pytest.raises(ViewError, match="no AnnData object"):
        without_object.annotate("niche")
    without_object.close()
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
    wrong: Any = {"nothing": 1}
    with pytest.raises(ConfigError, match="Unknown option"):
        karospace_widget(adata, **wrong)


def test_form_that_cannot_be_created_raises_only_one_error(adata: Any) -> None:
    no_place: Any = None
    with pytest.raises(traitlets.TraitError):
        KaroSpaceWidget(adata, ExportConfig(), place=no_place)
    ipywidgets.Widget.close_all()  # open widgets would keep the form alive
    # Errors in `__del__` fail this test.
    gc.collect()


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


def test_every_column_of_obs_colors_the_view_with_its_current_values(monkeypatch: pytest.MonkeyPatch) -> None:
    adata = synthetic_tissue(300, 60, seed=2)
    view = karospace_view(adata, annotation_columns=["region", "area"], downsample=100)

    def values(name: str) -> Any:
        (entry,) = [column for column in view._live.columns.listing() if column["name"] == name]
        raw = gzip.decompress(view._assets.read(entry["chunks"][0]["path"]))
        found = np.frombuffer(raw, entry["dtype"])
        return (
            found if entry["kind"] == "number" else [[*entry["categories"], {"name": None}][i]["name"] for i in found]
        )

    rows = view._live.rows
    # A column that was left out, one that was added later, and one that annotate writes.
    view.color = "cell_type"
    assert view.color == "cell_type"
    assert values("cell_type") == adata.obs["cell_type"].iloc[rows].astype(str).tolist()
    adata.obs["late"] = np.arange(300) / 7
    view.color = "obs:late"
    assert values("late") == pytest.approx(adata.obs["late"].iloc[rows].to_numpy())
    view.selection = rows[:5]
    view.annotate("niche")
    assert values("niche") == ["selected"] * 5 + [None] * 95
    view.selection = rows[:7]
    view.annotate("niche", overwrite=True)
    assert values("niche") == ["selected"] * 7 + [None] * 93
    # Columns of the bundle are listed once they differ from it, and genes are read anew.
    names = [column["name"] for column in view._live.columns.listing()]
    view.refresh()
    assert [column["name"] for column in view._live.columns.listing()] == names
    adata.obs["region"] = adata.obs["region"].astype(str).str.upper()
    adata.obs["more"] = adata.obs["region"]
    adata.obs["identifiers"] = adata.obs_names
    del adata.obs["late"]
    view.refresh()
    listed = [column["name"] for column in view._live.columns.listing()]
    assert set(listed) == {"cell_type", "niche", "region", "more", "identifiers"}
    assert values("region") == adata.obs["region"].iloc[rows].tolist()
    monkeypatch.setattr("karospace_jupyter.widget.live_columns.MAX_LIVE_CATEGORIES", 99)
    adata.obs["barcode"] = adata.obs_names
    with pytest.raises(ViewError, match="'barcode' of obs has 100 categories; at most 99"):
        view.color = "barcode"
    without_object = karospace_view(view.bundle)
    with pytest.raises(ViewError, match="pass it: karospace_view"):
        without_object.color = "niche"
    with pytest.raises(ViewError, match="no AnnData object to read"):
        without_object.refresh()
    without_object.close()
    view.close()


def test_views_are_named_after_the_variable_or_as_requested(
    adata: Any, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"tonsil": adata, "_": adata, "other": None}
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(user_ns=variables))

    def shown(view: Any) -> str:
        name = json.loads(gzip.decompress(view._assets.read("manifest.json")))["dataset_name"]
        assert name == view.title == view._fallback["title"]
        view.close()
        return str(name)

    assert shown(karospace_view(adata)) == "tonsil"
    assert adata_to_karospace(adata, tmp_path / "named").manifest.dataset_name == "tonsil"
    assert [shown(karospace_view(adata, **{key: "Mine"})) for key in ("name", "dataset_name")] == ["Mine"] * 2
    assert [shown(karospace_view(bundle, **{key: "Mine"})) for key in ("name", "dataset_name")] == ["Mine"] * 2
    assert shown(karospace_view(bundle)) == bundle.manifest.dataset_name
    grid = karospace_grid([adata, bundle], names=["Left", None])
    assert [shown(view) for view in grid.children] == ["Left", bundle.manifest.dataset_name]
    grid.close()
    variables["other"] = adata  # two names for one object
    assert shown(karospace_view(adata)) == "anndata"
    assert adata_to_karospace(adata, tmp_path / "out", name="Mine").manifest.dataset_name == "Mine"
    form = karospace_widget(adata, name="Mine")
    assert form.options["dataset_name"] == "Mine"
    form.close()
    for both in (karospace_view, karospace_widget, adata_to_karospace):
        with pytest.raises(ConfigError, match="Pass one of them"):
            both(adata, name="a", dataset_name="b")
    view = karospace_view(adata)
    for names, reason in ((["a"], "got names=1 names"), ("ab", "got names='ab'"), (["a", "b"], "has a name already")):
        with pytest.raises(ViewError, match=reason):
            karospace_grid([view, view], names=names)
    view.close()


def test_progress_in_a_notebook_is_one_output_without_a_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], *, raw: bool) -> None:
            assert raw
            shown[-1] = data

    def display(data: dict[str, str], **_: Any) -> Handle:
        shown.append(data)
        return Handle()

    monkeypatch.setattr("karospace_jupyter.progress.running_kernel", object)
    monkeypatch.setattr("IPython.display.display", display)
    job = Job()
    with ProgressBar() as bar:
        bar.watch(job)
        for name in ("Reading <cells>", "Writing genes"):
            job.report(Progress(name, 30, 60, "genes", 2.0, finished=False))
            (data,) = shown
            assert data["text/plain"] == f"{name}: 30 of 60 genes · about 2 s left"
            assert "<cells>" not in data["text/html"]
    assert shown[0]["text/plain"].startswith("Exported in")
    with pytest.raises(ValueError, match="x"), ProgressBar() as bar:
        watched = bar.watch(None)
        watched.report(Progress("Writing genes", 1, 60, "genes", 2.0, finished=False))
        raise ValueError("x")
    assert shown[1]["text/plain"].endswith("Writing genes")
    assert shown[1]["text/plain"].startswith("Stopped")


def test_outputs_show_the_tissue_without_a_kernel(adata: Any, bundle: Bundle, tmp_path: Path) -> None:
    folder = bundle.save(tmp_path / "out")
    view = karospace_view(folder)
    data, _ = view._repr_mimebundle_()
    output = data[MIME_TYPE]
    (tissue,) = output["tissues"]
    assert output["kind"] == "view"
    assert output["model"] == tissue["model"] == data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert tissue["picture"].startswith("data:image/webp;base64,")
    assert tissue["picture"] in data["text/html"]
    assert str(tmp_path / "out") in tissue["bundle"]["places"]
    assert tissue["bundle"]["created"] == folder.manifest.created_at
    grid = karospace_grid([view, adata], columns=1)
    data, _ = grid._repr_mimebundle_()
    assert [entry["bundle"] is None for entry in data[MIME_TYPE]["tissues"]] == [False, True]
    assert data["text/html"].count("<img") == 2
    # No gene of the object was exported, but the view shows all of them.
    assert grid.children[1].bundle.manifest.n_genes == 0
    assert [entry["detail"] for entry in data[MIME_TYPE]["tissues"]] == ["600 cells × 60 genes"] * 2
    assert data["text/html"].count("600 cells × 60 genes") == 2
    form = karospace_widget(adata)
    data, _ = form._repr_mimebundle_()
    assert data[MIME_TYPE]["kind"] == "form"
    assert data[MIME_TYPE]["tissues"] == ()
    # After an export, the page replaces this output.
    assert form._kept is None
    form.options = {"outdir": str(tmp_path / "exported")}
    form.start()
    assert form.wait(PATIENCE_S) == "done"
    data, _ = form._repr_mimebundle_()
    (tissue,) = data[MIME_TYPE]["tissues"]
    assert str(tmp_path / "exported") in tissue["bundle"]["places"]
    eventually(lambda: form._kept == {key: data[key] for key in (MIME_TYPE, "text/html")})
    for widget in (*grid.children, grid, form):
        widget.close()


def test_summary_made_while_the_comm_opens_reaches_the_page(adata: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page: dict[str, Any] = {}

    class SlowComm(BaseComm):
        def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
            page.update((data or {}).get("state", {}))
            if msg_type == "comm_open":  # as slow as a thread that inspects the object, if one has already started
                eventually(lambda: not [one for one in threading.enumerate() if one.name == "karospace-estimate"])

    monkeypatch.setattr("comm.create_comm", SlowComm)
    widget = karospace_widget(adata)
    eventually(lambda: page["_estimate"]["files"])
    assert page["_summary"]["ready"]
    assert page["_estimate"]["files"] > 1
    widget.close()
