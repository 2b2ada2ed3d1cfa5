"""The page compared with the AnnData object: colors, search, tooltips, formats and errors."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from pixels import colors_in
from playwright.sync_api import expect
from waiting import until_js

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e
HOSTILE_NAME = '<script>alert("x")</script>, π 🧬\nline'


def rgb(text: str) -> np.ndarray[Any, Any]:
    return np.array(list(bytes.fromhex(text[1:])), dtype=int)


def plain_cells(viewer: Viewer) -> None:
    """Draw opaque cells without the image, so that colors can be compared."""
    viewer.set(opacity=1, imageOpacity=0)


def categories_match(viewer: Viewer, bundle: Bundle, column: str, share: float) -> None:
    """Check that at least `share` of 300 cells have the color of their category; other cells may cover the rest."""
    described = next(c for c in bundle.manifest.columns or [] if c.name == column)
    assert described.kind == "category"
    codes = bundle.vector(described.chunks, np.dtype(described.dtype)).astype(int)
    palette = np.array([rgb(c.color) for c in described.categories] + [[0, 0, 0]])
    cells = np.random.default_rng(0).choice(np.flatnonzero(codes < len(described.categories)), 300)
    seen = viewer.colors(cells.tolist()).astype(int)
    same = np.abs(seen - palette[codes[cells]]).max(axis=1) <= 12
    assert same.mean() >= share, f"only {same.mean():.0%} of the cells have the color of their category"


REAL = {
    "imc_squidpy": {"column": "cell type", "share": 0.75},
    "visium_mouse_placenta_small": {"column": "cluster", "share": 0.97},
    "cycif_mti_phenotyped": {"column": "phenotype", "share": 0.75},
    "pbmc68k_reduced": {"column": "bulk_labels", "share": 0.6, "options": {"coords": "obsm:X_umap"}},
}
"""The annotation that each file is colored by, and the smallest share of cells that must have its colors."""


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_shown_correctly(real_data: Path, export: Any, serve: Any, viewer: Viewer, name: str) -> None:
    case: dict[str, Any] = REAL[name]
    path = real_data / f"{name}.h5ad"
    bundle = Bundle(export(path, **case.get("options", {})))
    bundle.verify()
    adata = ad.read_h5ad(path)
    viewer.open(serve(bundle.path))
    plain_cells(viewer)
    viewer.set(color={"kind": "annotation", "column": case["column"]})
    categories_match(viewer, bundle, case["column"], case["share"])
    for gene in bundle.manifest.gene_list[:3]:
        viewer.set(color={"kind": "gene", "gene": gene})
        column = adata.X[:, adata.var_names.get_loc(gene)]
        dense = np.asarray(column.todense()).ravel() if hasattr(column, "todense") else np.asarray(column).ravel()
        for cell in (0, 17, adata.n_obs - 1):
            assert viewer.value(cell) == pytest.approx(float(np.float32(dense[cell])), rel=1e-6)
    assert viewer.problems == []


def test_only_the_bundle_is_requested_and_genes_on_demand(
    tissue: Path, export: Any, serve: Any, viewer: Viewer
) -> None:
    url = serve(export(tissue))
    viewer.open(url)
    viewer.page.wait_for_load_state("networkidle")
    assert all(request.startswith((url, "blob:", "data:")) for request in viewer.requests), viewer.requests
    genes = ("/expression/", "/packed/shard_")
    assert not [request for request in viewer.requests if any(part in request for part in genes)]
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    assert len([request for request in viewer.requests if "/packed/shard_" in request]) == 1
    assert not [request for request in viewer.requests if "/expression/" in request]
    assert viewer.problems == []


def test_gene_is_colored_by_its_values(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    bundle = Bundle(export(tissue))
    viewer.open(serve(bundle.path))
    plain_cells(viewer)
    # Cells of one pixel would be blended with the background.
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, pointSize=2)
    values = bundle.gene("EPCAM")
    entry = next(e for e in bundle.manifest.expression.genes if e.gene == "EPCAM")
    assert entry.summary is not None
    top = np.flatnonzero(values >= entry.summary.upper)[:40]
    seen = viewer.colors(top.tolist()).astype(int)
    yellow = np.abs(seen - [253, 231, 37]).max(axis=1) <= 16  # the upper end of viridis
    assert yellow.mean() > 0.9
    # The highest values are on top: a zero that is covered by a higher value is not dark, but most zeros are.
    zeros = np.flatnonzero(values == 0)
    zeros = np.random.default_rng(0).choice(zeros, min(100, len(zeros)))
    dark = np.abs(viewer.colors(zeros.tolist()).astype(int) - [68, 1, 84]).max(axis=1) <= 16
    assert dark.mean() > 0.5


def test_categories_can_be_hidden_and_isolated(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    bundle = Bundle(export(tissue, annotation_columns=["cell_type"]))
    viewer.open(serve(bundle.path))
    viewer.set(opacity=1, imageOpacity=0, pointSize=0.7)
    page = viewer.page
    types = ad.read_h5ad(tissue).obs["cell_type"]
    first, second = types.cat.categories[:2]
    cells = {name: np.flatnonzero(types == name)[:60].tolist() for name in (first, second)}
    before = {name: viewer.colors(cells[name]) for name in cells}
    background = [0xF6, 0xF7, 0xF9]

    def seen(name: str) -> bool:
        """Return whether the cells of a category are drawn in their color; otherwise, the background is seen there."""
        # Move the pointer off the category, which would dim the others.
        page.get_by_role("heading", name="Categories").hover()
        viewer.set()
        now = viewer.colors(cells[name])
        same, gone = (now == before[name]).all(axis=1).mean(), (now == background).all(axis=1).mean()
        assert max(same, gone) > 0.9
        return bool(same > gone)

    row = page.get_by_role("button", name=re.compile(f"^{first},"))
    row.click()
    assert viewer.state()["hidden"] == {"cell_type": [first]}
    expect(row).to_have_attribute("aria-pressed", "false")
    assert not seen(first)
    assert seen(second)
    page.keyboard.press("Space")
    assert viewer.state()["hidden"] == {}
    assert seen(first)

    def isolated() -> dict[str, list[str]]:
        state = viewer.state()
        assert state["hidden"] == {}
        categories: dict[str, list[str]] = state["isolated"]
        return categories

    place = row.bounding_box()
    row.dblclick()
    assert isolated() == {"cell_type": [first]}
    assert seen(first)
    # The row stays under the pointer, or the pointer would emphasize another one, and the next double-click would hide it.
    assert row.bounding_box() == place
    row.dblclick()
    assert isolated() == {}
    row.dblclick()
    # The others are dimmed: a light gray, so that the tissue stays visible.
    dimmed = viewer.colors(cells[second]).astype(int)
    faint = (np.ptp(dimmed, axis=1) < 12) & (dimmed != background).any(axis=1) & (dimmed.min(axis=1) > 200)
    assert faint.mean() > 0.9
    count = int((types == first).sum())
    expect(page.get_by_text(f"Isolated: {count:,} of 3,000 cells")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(f"^{second},.*dimmed"))).to_be_visible()
    svg = page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    assert f"{count:,} isolated" in svg
    assert f">{len(types.cat.categories) - 1} other categories, dimmed</text>" in svg
    assert f">{second}</text>" not in svg
    page.get_by_role("button", name="Show all", exact=True).click()
    assert isolated() == {}
    row.focus()
    page.keyboard.press("Shift+Enter")
    assert isolated() == {"cell_type": [first]}
    page.keyboard.press("Shift+Enter")
    assert isolated() == {}


def test_tooltip_shows_cell_id_category_and_value(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    bundle = Bundle(export(tissue))
    viewer.open(serve(bundle.path))
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    rows = json.loads(bundle.read("assets/obs_records_000.json.gz"))
    values = bundle.gene("EPCAM")
    cell = int(np.argmax(values))
    x, y = viewer.positions([cell])[0]
    viewer.page.mouse.move(x - 30, y)
    viewer.page.mouse.move(x, y)
    viewer.page.get_by_text(rows[cell]["cell_id"], exact=True).wait_for()
    tooltip = viewer.page.get_by_role("tooltip")
    expect(tooltip).to_contain_text(rows[cell]["cell_type"], use_inner_text=True)
    expect(tooltip).to_contain_text(f"{values[cell]:.2f}"[:3], use_inner_text=True)


def test_gene_can_be_chosen_by_keyboard(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    viewer.open(serve(export(tissue)))
    viewer.page.get_by_role("tab", name="Gene").or_(viewer.page.get_by_role("radio", name="Gene")).first.click()
    box = viewer.page.get_by_role("combobox", name="Gene", exact=True)
    box.fill("epc")
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.keyboard.press("Enter")
    until_js(viewer.page, "() => window.karospace.getState().color.gene === 'EPCAM'")


def test_genes_are_found_by_alias_and_id_of_any_version(serve: Any, viewer: Viewer, tmp_path: Path) -> None:
    adata = synthetic_tissue(n_cells=300, seed=1)
    names = list(adata.var_names)
    adata.var["gene_ids"] = [f"ENSG{i:011d}" + (f".{i}" if i % 2 else "") for i in range(len(names))]
    adata.var["Aliases"] = [f"old{i}|OTHER-{i}, third {i}" for i in range(len(names))]
    viewer.open(serve(adata_to_karospace(adata, tmp_path / "bundle", genes_mode="all").path))  # type: ignore[arg-type]
    viewer.page.get_by_role("tab", name="Gene").or_(viewer.page.get_by_role("radio", name="Gene")).first.click()
    box = viewer.page.get_by_role("combobox", name="Gene", exact=True)
    for i, typed in [
        (4, "OLD4"),
        (7, "other-7"),
        (2, "third 2"),
        (6, "ENSG00000000006.12"),
        (5, "ensg00000000005"),
        (9, "ENSG00000000009.1"),
    ]:
        box.fill(typed)
        viewer.page.get_by_role("option").first.get_by_text(names[i], exact=True).wait_for()
        viewer.page.keyboard.press("Enter")
        until_js(viewer.page, "gene => window.karospace.getState().color.gene === gene", arg=names[i])


def test_hostile_names_from_anndata_are_shown_as_text(export: Any, serve: Any, viewer: Viewer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({HOSTILE_NAME: pd.Categorical([HOSTILE_NAME, "b"] * 50), "p/../q": ["x", HOSTILE_NAME] * 50})
    obs.index = [f"{HOSTILE_NAME}{i}" for i in range(100)]
    adata = ad.AnnData(rng.random((100, 3), dtype=np.float32), obs=obs)
    adata.var_names = [HOSTILE_NAME, "../../etc/passwd", "a/b"]
    adata.obsm["spatial"] = rng.random((100, 2))
    bundle = adata_to_karospace(adata, tmp_path / "bundle", dataset_name=HOSTILE_NAME, genes_mode="all")
    bundle.verify()
    assert all(HOSTILE_NAME[:8] not in file.path for file in bundle.manifest.asset_files)
    viewer.open(serve(bundle.path))
    viewer.set(color={"kind": "gene", "gene": HOSTILE_NAME})
    x, y = viewer.positions([0])[0]
    viewer.page.mouse.move(x + 20, y)
    viewer.page.mouse.move(x, y)
    viewer.page.get_by_role("tooltip").wait_for()
    assert viewer.page.evaluate("document.querySelectorAll('script:not(head script)').length") <= 1
    assert viewer.problems == []


def plain_1_0(folder: Path) -> None:
    """Reduce a bundle to plain format 1.0, as another program would write it."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in (
        "generator", "coordinates", "cell_ids", "columns", "gene_labels", "embeddings", "sections", "view", "warnings",
        "scripts", "packed",
    ):  # fmt: skip
        manifest.pop(name, None)
    manifest["schema_version"] = "1.0.0"
    if manifest.get("image"):
        manifest["image"].pop("transform")
    manifest["expression"].pop("source")
    for entry in manifest["expression"]["genes"]:
        entry.pop("summary")
    files = [f for f in manifest["asset_files"] if f["kind"] not in {"columnar", "script", "packed"}]
    for file in files:
        file.pop("sha256")
        file.pop("raw_bytes")
    manifest["asset_files"] = files
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("options", [{}, {"gzip": False}, {"max_asset_mb": 0.01}], ids=["gzip", "plain", "chunks"])
def test_bundle_of_format_1_0_opens(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, options: dict[str, Any]
) -> None:
    folder = export(
        tissue, annotation_columns=["cell_type", "area"], genes_mode=["EPCAM", "CD3E"], image_path="none", **options
    )
    original = Bundle(folder)
    plain_1_0(folder)
    Bundle(folder).verify()
    viewer.open(serve(folder))
    viewer.set(color={"kind": "gene", "gene": "CD3E"})
    values = original.gene("CD3E")
    for cell in (0, 1, 2999):
        assert viewer.value(cell) == pytest.approx(float(values[cell]), rel=1e-6)
    expect(viewer.page.get_by_role("combobox", name="Gene", exact=True)).to_have_value("CD3E")
    viewer.set(color={"kind": "annotation", "column": "cell_type"})
    for name in {
        row["cell_type"]
        for row in json.loads(
            original.read(next(f.path for f in original.manifest.asset_files if f.kind == "obs_json"))
        )
    }:
        viewer.page.get_by_text(name, exact=True).first.wait_for(state="attached")
    assert viewer.problems == []


def test_page_opened_from_disk_asks_for_its_folder(tissue: Path, export: Any, viewer: Viewer) -> None:
    folder = export(tissue, scripts="no")
    viewer.page.goto((folder / "index.html").as_uri())
    viewer.page.get_by_text("folder", exact=False).first.wait_for()
    viewer.page.locator("input[type=file]").first.set_input_files(folder)
    viewer.page.evaluate("window.karospace.ready")
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    assert viewer.value(5) == pytest.approx(float(Bundle(folder).gene("EPCAM")[5]), rel=1e-6)


def remove_file(path: Path) -> None:
    path.unlink()


def overwrite_second_half(path: Path) -> None:
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2 :] = b"\x00" * (len(stored) - len(stored) // 2)
    path.write_bytes(bytes(stored))


def drop_last_values(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-8]))


@pytest.mark.parametrize("damage", [remove_file, overwrite_second_half, drop_last_values])
def test_error_names_a_damaged_gene_file(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, damage: Callable[[Path], None]
) -> None:
    bundle = Bundle(export(tissue, packed="no"))
    entry = next(e for e in bundle.manifest.expression.genes if e.gene == "EPCAM")
    damage(bundle.path / entry.chunks[0].path)
    viewer.open(serve(bundle.path))
    viewer.page.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}}).catch(() => null)")
    viewer.page.get_by_text(entry.chunks[0].path.rpartition("/")[2], exact=False).first.wait_for()


def test_bundle_of_another_major_version_is_refused(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    folder = export(tissue)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"schema_version":"1.', '"schema_version":"2.', 1))
    viewer.page.goto(serve(folder))
    viewer.page.get_by_text(re.compile(r"2\.\d+\.0")).first.wait_for()


def test_bundle_without_annotations_opens(serve: Any, viewer: Viewer, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.random((500, 4), dtype=np.float32))
    adata.obsm["spatial"] = rng.random((500, 2)) * 100
    bundle = adata_to_karospace(adata, tmp_path / "bundle")
    viewer.open(serve(bundle.path))
    viewer.set(color={"kind": "gene", "gene": "2"})
    assert viewer.value(3) == pytest.approx(float(adata.X[3, 2]), rel=1e-6)  # type: ignore[index]
    assert viewer.problems == []


@pytest.mark.parametrize("size", [(400, 500), (980, 470), (2560, 1440)])
def test_tissue_is_drawn_at_every_window_size(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, size: tuple[int, int]
) -> None:
    viewer.page.set_viewport_size({"width": size[0], "height": size[1]})
    viewer.open(serve(export(tissue)))
    assert colors_in(viewer.pixels()) > 20
    overflow = viewer.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not overflow
    assert viewer.problems == []


def test_dispose_removes_the_canvas(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> None:
    viewer.open(serve(export(tissue)))
    viewer.page.evaluate("window.karospace.dispose()")
    expect(viewer.page.locator("canvas")).to_have_count(0)
    assert viewer.problems == []
