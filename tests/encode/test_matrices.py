"""Several matrices in one bundle: they are planned, packed in addition to the first one, and read back exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, karospace_view
from karospace_jupyter.bundle.files import MemoryFiles
from karospace_jupyter.bundle.scripts import carried_manifest
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError, Cancelled, ConfigError, GenesError, NotExportedError, PlanError
from karospace_jupyter.export import dry_run, run, run_to_memory
from karospace_jupyter.job import Job
from karospace_jupyter.plan import Plan, estimate, resolve
from karospace_jupyter.session import ExportSession
from karospace_jupyter.source import open_source

N, G = 400, 60
MATRICES = ("X", "layer:counts", "layer:continuous", "raw")


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    adata = synthetic_tissue(N, G, seed=2)
    del adata.uns["spatial"]  # images take long to encode
    rng = np.random.default_rng(2)
    adata.layers["counts"] = sp.csc_matrix(rng.poisson(0.6, (N, G)).astype(np.float32))
    adata.layers["continuous"] = rng.normal(3, 1, size=(N, G)).astype(np.float32)
    adata.layers["empty"] = sp.csr_matrix((N, G), dtype=np.float32)
    raw = ad.AnnData(sp.csr_matrix(rng.poisson(0.4, (N, 90)).astype(np.float32)), obs=adata.obs[[]])
    raw.var_names = ["EPCAM", *(f"RAW{i}" for i in range(1, 90))]
    raw.var["gene_ids"] = [f"ENS{i}" for i in range(90)]
    adata.raw = raw
    return adata


def expected(adata: ad.AnnData, matrix: str) -> np.ndarray[Any, Any]:
    layer = matrix.removeprefix("layer:")
    values = adata.X if matrix == "X" else adata.raw.X if matrix == "raw" else adata.layers[layer]
    return np.asarray(values.toarray() if sp.issparse(values) else values)


def config_of(**options: Any) -> ExportConfig:
    return ExportConfig(**{"matrices": MATRICES, "genes_mode": ["EPCAM", "MS4A1"], "preview": False, **options})


def plan(subject: Any, **options: Any) -> Plan:
    config = config_of(**options)
    return resolve(open_source(subject, matrix=config.matrix), config)


@pytest.fixture(scope="module")
def folder(adata: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrices") / "b"
    run(adata, config_of(outdir=path))
    return path


@pytest.fixture(scope="module")
def page(folder: Path) -> Bundle:
    return Bundle(Bundle(folder).to_html(folder.parent / "page.html"))


def as_in_memory(adata: ad.AnnData, tmp_path: Path) -> Any:
    del tmp_path
    return adata


def as_h5ad(adata: ad.AnnData, tmp_path: Path) -> Any:
    adata.write_h5ad(tmp_path / "t.h5ad")
    return tmp_path / "t.h5ad"


def as_zarr(adata: ad.AnnData, tmp_path: Path) -> Any:
    adata.write_zarr(tmp_path / "t.zarr")
    return tmp_path / "t.zarr"


@pytest.mark.parametrize("stored", [as_in_memory, as_h5ad, as_zarr])
def test_every_matrix_is_exact(adata: ad.AnnData, tmp_path: Path, stored: Callable[[ad.AnnData, Path], Any]) -> None:
    bundle = run_to_memory(stored(adata, tmp_path), config_of())
    assert bundle.matrices == MATRICES
    for matrix in MATRICES:
        assert np.array_equal(bundle.matrix(matrix).toarray(), expected(adata, matrix))
    assert np.array_equal(bundle.gene("RAW3", matrix="raw"), expected(adata, "raw")[:, 3])
    assert np.array_equal(bundle.matrix().toarray(), expected(adata, "X"))
    kinds = [bundle.values_of(matrix).kind for matrix in MATRICES]  # type: ignore[union-attr]  # never None here
    assert kinds == ["log1p", "counts", "scaled", "counts"]
    assert bundle.labels_of("raw") == (("gene_ids", tuple(f"ENS{i}" for i in range(90))),)
    bundle.verify()


def test_every_form_keeps_all_matrices(adata: ad.AnnData, folder: Path, tmp_path: Path) -> None:
    page, archive = Bundle(folder).to_html(tmp_path / "b.html"), Bundle(folder).to_zip(tmp_path / "b.zip")
    for path in (folder, page, archive):
        bundle = Bundle(path)
        bundle.verify()
        assert bundle.matrices == MATRICES
        assert np.array_equal(bundle.matrix("raw").toarray(), expected(adata, "raw"))


def test_matrices_are_restored_as_layers_and_raw(adata: ad.AnnData, folder: Path) -> None:
    restored = Bundle(folder).to_anndata()
    assert sorted(restored.layers) == ["continuous", "counts"]
    for layer in restored.layers:
        assert np.array_equal(restored.layers[layer].toarray(), expected(adata, f"layer:{layer}"))
    assert np.array_equal(restored.raw.X.toarray(), expected(adata, "raw"))
    assert list(restored.raw.var_names) == list(adata.raw.var_names)


def test_x_stays_x_if_it_is_not_the_first_matrix(adata: ad.AnnData) -> None:
    restored = run_to_memory(adata, config_of(matrices=["raw", "X", "layer:counts"], genes_mode=["EPCAM"])).to_anndata()
    assert np.array_equal(restored.X.toarray(), expected(adata, "X"))
    assert np.array_equal(restored.raw.X.toarray(), expected(adata, "raw"))
    assert list(restored.layers) == ["counts"]
    without_x = run_to_memory(adata, config_of(matrices=["layer:counts", "raw"])).to_anndata()
    assert np.array_equal(without_x.X.toarray(), expected(adata, "layer:counts"))
    without_x = run_to_memory(adata, config_of(matrices=["raw", "layer:counts"], genes_mode=["EPCAM"])).to_anndata()
    assert np.array_equal(without_x.X.toarray(), expected(adata, "layer:counts"))
    assert np.array_equal(without_x.raw.X.toarray(), expected(adata, "raw"))


def test_layers_have_the_genes_of_a_first_matrix_that_is_not_packed(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(adata, matrices=["layer:continuous", "layer:counts"], markers="none")
    assert planned.packed is not None
    monkeypatch.setattr("karospace_jupyter.plan.packed_genes.MAX_BYTES", planned.packed.size.bytes - 1)
    bundle = run_to_memory(adata, config_of(matrices=["layer:continuous", "layer:counts"]))
    assert bundle.manifest.packed is None
    assert bundle.matrices == ("layer:continuous", "layer:counts")
    assert bundle.gene_names == ("EPCAM", "MS4A1")
    assert len(bundle.genes_of("layer:counts")) == G
    wanted = expected(adata, "layer:counts")[:, [list(adata.var_names).index(gene) for gene in bundle.gene_names]]
    assert np.array_equal(bundle.to_anndata().layers["counts"].toarray(), wanted)
    bundle.verify()


def test_comparison_uses_the_chosen_matrix(folder: Path) -> None:
    bundle = Bundle(folder)
    a = np.arange(N) < 100
    counts, raw = bundle.compare(a, matrix="layer:counts"), bundle.compare(a, matrix="raw")
    assert (counts.attrs["matrix"], counts.attrs["fold_change"]) == ("layer:counts", "mean counts")
    assert set(raw.index) == set(bundle.genes_of("raw"))
    gene = counts.index[0]
    assert counts.loc[gene, "mean_a"] == pytest.approx(bundle.gene(gene, matrix="layer:counts")[a].mean())
    assert bundle.compare(a, matrix="layer:continuous").attrs["fold_change"] is None
    assert bundle.compare(a).attrs["matrix"] == "X"


def test_error_names_the_unknown_matrix_or_gene(folder: Path) -> None:
    bundle = Bundle(folder)
    for read in (bundle.matrix, bundle.genes_of, bundle.labels_of, bundle.values_of):
        with pytest.raises(NotExportedError, match="'layer:no'.*'X', 'layer:counts'"):
            read("layer:no")
    with pytest.raises(NotExportedError, match="'RAW3' in layer:counts of"):
        bundle.gene("RAW3", matrix="layer:counts")
    with pytest.raises(NotExportedError):
        bundle.compare(np.arange(N) < 9, matrix="counts")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"matrices": ["counts"]}, "'counts' is not a matrix.*Did you mean 'layer:counts'"),
        ({"matrices": ["layer:"]}, "'layer:' is not a matrix"),
        ({"matrices": ["X", "raw", "X"]}, "'X' is listed twice"),
        ({"matrices": []}, "at least one matrix"),
        ({"matrices": [3]}, "expected a list of matrices"),
        ({"packed": "no"}, "packed='no' excludes"),
        ({"genes_mode": []}, "an empty list of genes"),
        ({"layer": "counts"}, "the first matrix is 'X', but layer='counts'.*Put 'layer:counts' first"),
        ({"raw": True}, "the first matrix is 'X', but raw=True.*Put 'raw' first"),
    ],
)
def test_invalid_and_contradictory_matrix_options_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)matrices.*{message}"):
        config_of(**options)


def test_consistent_options_are_accepted() -> None:
    assert (
        config_of(layer="counts", matrices=["layer:counts", "X"]).matrix
        == config_of(layer="counts", matrices=None).matrix
    )
    assert config_of(matrices="raw", packed="no").matrix == config_of(raw=True, matrices=None).matrix
    assert config_of(matrices=["X"]).other_matrices == ()


def test_unknown_matrices_and_matrices_without_genes_are_errors(adata: ad.AnnData) -> None:
    with pytest.raises(GenesError, match="no layer 'gone'.*layer 'counts'"):
        plan(adata, matrices=["X", "layer:gone"])
    without = adata.copy()
    without.raw = ad.AnnData(np.zeros((N, 0), dtype=np.float32), obs=without.obs[[]])
    with pytest.raises(GenesError, match="matrix raw has no genes"):
        plan(without, matrices=["X", "raw"])
    estimated = estimate(open_source(adata), config_of(matrices=["X", "layer:gone"]))
    assert "gone" in estimated.problems["matrices"]


def test_matrix_without_values_is_packed_with_a_warning(adata: ad.AnnData) -> None:
    bundle = run_to_memory(adata, config_of(matrices=["X", "layer:empty"]))
    assert any("layer:empty seems to be empty" in text for text in bundle.warnings)
    assert bundle.matrix("layer:empty").nnz == 0
    bundle.verify()


def test_warning_about_missing_values_names_the_matrix(adata: ad.AnnData) -> None:
    with_missing = adata.copy()
    with_missing.layers["continuous"][3, 4] = np.nan
    bundle = run_to_memory(with_missing, config_of(matrices=["X", "layer:continuous"]))
    assert any(text.startswith("layer:continuous: 1 gene has missing values") for text in bundle.warnings)
    bundle.verify()


def test_limit_applies_to_all_matrices_together(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    unlimited = plan(adata)
    sizes = [matrix.size.bytes for matrix in unlimited.all_packed]
    assert len(sizes) == 4
    # The first matrix, counts and raw fit; the continuous layer is much larger.
    monkeypatch.setattr("karospace_jupyter.plan.packed_genes.MAX_BYTES", sizes[0] + sizes[1] + sizes[3])
    limited = plan(adata)
    assert [matrix.name for matrix in limited.other_matrices] == ["layer:counts", "raw"]
    (warning,) = [text for text in limited.warnings if "left out" in text]
    assert "layer:continuous (about" in warning
    assert "packed to 'yes'" in warning
    assert len(plan(adata, packed="yes").other_matrices) == 3


def test_predictions_include_all_matrices(adata: ad.AnnData) -> None:
    (one, small), (several, large) = (dry_run(adata, config_of(matrices=m)) for m in (["X"], MATRICES))
    added = sum(matrix.packed.size.bytes for matrix in several.other_matrices)
    assert large.bytes - small.bytes >= added
    assert several.predicted_bytes > one.predicted_bytes
    assert (
        estimate(open_source(adata), config_of()).seconds
        > estimate(open_source(adata), config_of(matrices=["X"])).seconds
    )


def test_predicted_size_of_an_html_file_is_accurate(adata: ad.AnnData, tmp_path: Path) -> None:
    config = config_of(single_file=tmp_path / "b.html", genes_mode="all")
    _, size = dry_run(adata, config)
    run(adata, config)
    assert size.bytes == pytest.approx((tmp_path / "b.html").stat().st_size, rel=0.15)


def test_bytes_are_independent_of_memory_and_threads(adata: ad.AnnData) -> None:
    one, other = (run_to_memory(adata, config_of(jobs=jobs, memory_mb=memory)) for jobs, memory in ((1, 16), (4, 512)))
    hashes = [{file.path: file.sha256 for file in bundle.manifest.asset_files} for bundle in (one, other)]
    assert hashes[0] == hashes[1]
    assert {path.split("/")[1] for path in hashes[0] if "packed" in path} == {
        "packed",
        "packed_1",
        "packed_2",
        "packed_3",
    }


def test_canceling_at_another_matrix_leaves_no_files(adata: ad.AnnData, tmp_path: Path) -> None:
    job = Job(lambda progress: job.cancel() if progress.stage == "Writing all genes of raw" else None)
    with pytest.raises(Cancelled):
        run(adata, config_of(outdir=tmp_path / "b"), job)
    assert list(tmp_path.iterdir()) == []


def test_progress_grows_through_all_matrices(adata: ad.AnnData) -> None:
    seen: list[tuple[str, float]] = []
    session = ExportSession(lambda state: seen.append((state.stage, state.progress)))
    session.start(adata, config_of())
    session.wait()
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    first, last = (
        max(share for stage, share in seen if stage == f"Writing all genes{suffix}") for suffix in ("", " of raw")
    )
    assert first < last < 1


def test_saved_view_is_fitted_to_the_matrices(adata: ad.AnnData, tmp_path: Path) -> None:
    view = tmp_path / "view.json"

    def fitted(state: dict[str, Any], **options: Any) -> tuple[Any, str]:
        view.write_text(json.dumps(state))
        found = plan(adata, view=view, **options)
        return found.view, " ".join(found.warnings)

    state = {"matrix": "raw", "color": {"kind": "gene", "gene": "RAW3"}, "range": [0, 1]}
    assert fitted(state) == (state, "")
    kept, warned = fitted({**state, "color": {"kind": "gene", "gene": "EPCAM"}}, matrices=["X"])
    assert kept == {"color": {"kind": "gene", "gene": "EPCAM"}}
    assert "the matrix 'raw', which is not exported: it opens with X" in warned
    assert fitted({"matrix": "X", "opacity": 0.5}, color="EPCAM")[1] == ""
    _, warned = fitted({"matrix": "layer:counts", "color": {"kind": "gene", "gene": "RAW3"}})
    assert "RAW3" in warned


def test_limits_of_a_view_that_names_no_matrix_are_left_out_unless_the_first_is_x(
    adata: ad.AnnData, tmp_path: Path
) -> None:
    view = tmp_path / "view.json"
    state = {"color": {"kind": "gene", "gene": "EPCAM"}, "range": [0, 2]}

    def fitted(state: dict[str, Any], *matrices: str) -> tuple[Any, str]:
        view.write_text(json.dumps(state))
        found = plan(adata, view=view, matrices=matrices)
        return found.view, " ".join(found.warnings)

    kept, warned = fitted(state, "layer:counts", "X")
    assert kept == {"color": state["color"]}
    assert "limits of the view were left out: the view does not name their matrix" in warned
    for matrices in (["X", "layer:counts"], ["layer:counts"]):
        assert fitted(state, *matrices) == (state, "")
    assert fitted({**state, "matrix": "X"}, "layer:counts", "X") == ({**state, "matrix": "X"}, "")
    annotation = {"color": {"kind": "annotation", "column": "area"}, "range": [0, 2]}
    assert fitted(annotation, "layer:counts", "X") == (annotation, "")


def test_gene_sets_have_the_genes_of_every_matrix(adata: ad.AnnData, tmp_path: Path) -> None:
    sets: Any = {"both": ["RAW3", "EPCAM", "NONE"], "other": ["RAW4"], "empty": ["NONE"]}
    view = {"geneSets": [{"name": "mine", "genes": ["MS4A1", "RAW5"]}], "color": {"kind": "gene", "gene": "RAW5"}}
    (tmp_path / "view.json").write_text(json.dumps(view))
    bundle = run_to_memory(adata, config_of(matrices=["X", "raw"], gene_sets=sets, view=tmp_path / "view.json"))
    assert bundle.gene_sets == {"both": ["RAW3", "EPCAM"], "other": ["RAW4"]}
    warned = " ".join(bundle.manifest.warnings or ())
    assert "1 gene of 1 gene set is not in X or raw: NONE" in warned
    assert "'empty' has no gene in X or raw" in warned
    assert bundle.manifest.view is not None
    assert bundle.manifest.view["geneSets"][-1] == view["geneSets"][0]
    assert "colored by the gene 'RAW5', which is not exported" in warned  # the view opens with X
    bundle.verify()
    shown = karospace_view(bundle)
    shown.gene_sets = {"mine": ["RAW3", "MS4A1"]}
    assert shown.gene_sets == {"mine": ["RAW3", "MS4A1"]}
    shown.close()
    files = {path: bundle.stored(path) for path in bundle.files.names()}
    manifest = json.loads(files["manifest.json"])
    manifest["gene_sets"][0]["genes"].append("NONE")
    with pytest.raises(BundleError, match="'both': 1 gene not in the bundle, such as 'NONE'"):
        Bundle(MemoryFiles({**files, "manifest.json": json.dumps(manifest).encode()})).verify()


def test_coloring_by_a_gene_of_another_matrix_is_an_error(adata: ad.AnnData) -> None:
    for color in ("RAW3", "gene:RAW3"):
        with pytest.raises(PlanError, match="is a gene of the matrix raw, but.*first.*matrices, X. Put 'raw' first"):
            plan(adata, color=color)
    assert plan(adata, matrices=["raw", "X"], genes_mode=["EPCAM"], color="RAW3").view == {
        "color": {"kind": "gene", "gene": "RAW3"}
    }
    with pytest.raises(PlanError, match="neither a column of obs nor a gene of X"):
        plan(adata, color="NONE")


def change(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> Bundle:
    """Edit the manifest in a folder, and open the bundle."""
    path = folder / "manifest.json"
    value = json.loads(path.read_text())
    edit(value)
    path.write_text(json.dumps(value))
    return Bundle(folder)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    Bundle(folder).save(tmp_path / "copy", scripts="no")
    return tmp_path / "copy"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m["other_matrices"][1]["packed"].update(source="layer:counts"), "'layer:counts' is listed 2 times"),
        (lambda m: m["other_matrices"][0]["packed"].update(source="X"), "'X' is listed 2 times"),
        (lambda m: m["packed"].update(source="raw"), "packed holds the matrix 'raw', but expression holds 'X'"),
        (lambda m: m["other_matrices"][0]["packed"].update(index=["nowhere.bin"]), "nowhere.bin"),
        (lambda m: m["other_matrices"][2]["packed"].update(n_genes=7), "packed_3/index.*not those of the manifest"),
        (
            lambda m: m["other_matrices"][0]["packed"].update(shards=m["other_matrices"][2]["packed"]["shards"]),
            "The packed genes of layer:counts have files for 90",
        ),
    ],
)
def test_verify_finds_damaged_matrices(copy: Path, edit: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        change(copy, edit).verify()


def test_damaged_matrix_leaves_the_others_readable(adata: ad.AnnData, copy: Path) -> None:
    index = next((copy / "assets" / "packed_1").glob("index*"))
    index.write_bytes(index.read_bytes()[:-8])
    bundle = Bundle(copy)
    with pytest.raises(BundleError, match="packed_1/index"):
        bundle.matrix("layer:counts")
    assert np.array_equal(bundle.matrix("raw").toarray(), expected(adata, "raw"))
    with pytest.raises(BundleError, match="packed_1/index"):
        bundle.verify()


def test_matrices_of_later_versions_are_not_listed(copy: Path) -> None:
    bundle = change(copy, lambda m: m["other_matrices"][0]["packed"].update(version=2))
    assert bundle.matrices == ("X", "layer:continuous", "raw")


def test_html_and_scripts_contain_no_separate_files_of_packed_genes(
    adata: ad.AnnData, folder: Path, tmp_path: Path
) -> None:
    page = Bundle(Bundle(folder).to_html(tmp_path / "b.html"))
    run(adata, config_of(single_file=tmp_path / "alone.html")).verify()
    carried = carried_manifest((folder / "manifest.js").read_bytes())
    for manifest in (page.manifest, carried):
        assert "expression_chunk" not in {file.kind for file in manifest.asset_files}
        assert manifest.gene_list == ["EPCAM", "MS4A1"]
    assert np.array_equal(page.gene("EPCAM"), Bundle(folder).gene("EPCAM"))


def test_genes_that_are_not_packed_keep_their_files(
    adata: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = plan(adata, matrices=["layer:continuous", "layer:counts"], markers="none").packed
    assert first is not None
    monkeypatch.setattr("karospace_jupyter.plan.packed_genes.MAX_BYTES", first.size.bytes - 1)
    config = config_of(matrices=["layer:continuous", "layer:counts"], single_file=tmp_path / "b.html")
    page = run(adata, config)
    assert sum(file.kind == "expression_chunk" for file in page.manifest.asset_files) == 2
    assert np.array_equal(Bundle(tmp_path / "b.html").gene("MS4A1"), page.gene("MS4A1"))


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_html_file_saved_in_another_form_restores_its_gene_files(
    adata: ad.AnnData, folder: Path, tmp_path: Path, form: str
) -> None:
    page = Bundle(Bundle(folder).to_html(tmp_path / "b.html"))
    path = page.save(tmp_path / "c").path if form == "folder" else page.to_zip(tmp_path / "c.zip")
    assert path is not None
    restored = Bundle(path)
    restored.verify()
    assert sum(file.kind == "expression_chunk" for file in restored.manifest.asset_files) == 2
    entry = restored.manifest.expression.genes[1]
    assert np.array_equal(
        restored.vector(entry.chunks, np.dtype("<f4")), expected(adata, "X")[:, list(adata.var_names).index("MS4A1")]
    )


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([(0, N, "manifest.json")], "manifest.json is listed for gene 'MS4A1', but the bundle uses this path"),
        ([(0, N, "Manifest.JS")], "Manifest.JS is listed for gene 'MS4A1', but the bundle uses this path"),
        ([(0, N, "index.html")], "index.html is listed for gene 'MS4A1', but the bundle uses this path"),
        ([(0, N, "scripts/a.js")], "scripts/a.js is listed for gene 'MS4A1', but the bundle uses this path"),
        (
            [(0, N, "assets/columnar/coords_000.bin.gz")],
            "coords_000.bin.gz is listed for gene 'MS4A1', but the bundle uses this path",
        ),
        ([(0, 5, "a.bin"), (5, N, "A.bin")], "A.bin is listed for gene 'MS4A1', but the bundle uses this path"),
        ([(0, N, "a.bin")] * 2, "a.bin starts at cell 0; expected cell 400"),
        ([(0, N, "a.bin"), (N, N, "b.bin")], "b.bin has no cells: it starts at cell 400 and ends before cell 400"),
        ([(0, 5, "a.bin"), (6, N, "b.bin")], "b.bin starts at cell 6; expected cell 5"),
        ([(0, N - 1, "a.bin")], "'MS4A1' have values for 399 of 400 cells"),
        ([], "'MS4A1' have values for 0 of 400 cells"),
    ],
)
def test_invalid_gene_files_are_not_written(
    page: Bundle, tmp_path: Path, chunks: list[tuple[int, int, str]], message: str
) -> None:
    files = {path: page.stored(path) for path in page.files.names()}
    manifest = json.loads(files["manifest.json"])
    manifest["expression"]["genes"][1]["chunks"] = [
        {"path": path, "start": start, "end": end, "size_bytes": 1} for start, end, path in chunks
    ]
    bundle = Bundle(MemoryFiles({**files, "manifest.json": json.dumps(manifest).encode()}))
    target = tmp_path / "b"
    page.save(target)
    before = (target / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="match its manifest"):
        bundle.verify()
    with pytest.raises(BundleError, match=message):
        bundle.save(target)
    with pytest.raises(BundleError, match=message):
        bundle.to_zip(tmp_path / "b.zip")
    assert (target / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_options_are_plain_keyword_arguments(adata: ad.AnnData, tmp_path: Path) -> None:
    bundle = adata_to_karospace(
        adata, tmp_path / "b", matrices=["X", "layer:counts"], genes_mode=["EPCAM"], preview=False
    )
    assert bundle.matrices == ("X", "layer:counts")
    assert (tmp_path / "b" / "assets" / "packed_1").is_dir()
