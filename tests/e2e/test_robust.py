"""Damaged bundles, and bundles of other format versions."""

from __future__ import annotations

import base64
import json
import mimetypes
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from pixels import colors_in
from playwright.sync_api import expect
from waiting import until_js

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.scripts import as_script
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Undamaged bundles of the same tissue, by whether they are gzipped."""
    adata = synthetic_tissue(1500, 20, seed=1)
    folder = tmp_path_factory.mktemp("whole")
    return {
        gzip: adata_to_karospace(adata, folder / str(gzip), genes_mode="all", packed="no", gzip=gzip, scripts="no").path
        for gzip in (True, False)
    }


@pytest.fixture
def copied(whole: dict[bool, Path], tmp_path: Path) -> Callable[..., Bundle]:
    def copy(gzip: bool = True) -> Bundle:
        return Bundle(Path(shutil.copytree(whole[gzip], tmp_path / "bundle")))

    return copy


def gene_path(bundle: Bundle, gene: str) -> str:
    return next(entry.chunks[0].path for entry in bundle.manifest.expression.genes if entry.gene == gene)


def path_of(bundle: Bundle, what: str) -> str:
    manifest = bundle.manifest
    found = {
        "gene": gene_path(bundle, "EPCAM"),
        "first column": (manifest.columns or [])[0].chunks[0].path,
        "column": (manifest.columns or [])[1].chunks[0].path,
        "ids": manifest.cell_ids and manifest.cell_ids.chunks[0].path,
        "image": manifest.image and manifest.image.path,
        "coordinates": manifest.coordinates and manifest.coordinates.chunks[0].path,
    }[what]
    assert found
    return found


def missing(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    stored = file.read_bytes()
    file.write_bytes(stored[: len(stored) * 3 // 5])


def changed(file: Path) -> None:
    """Change a byte; the length stays the same."""
    stored = bytearray(file.read_bytes())
    stored[len(stored) // 2] ^= 0x55
    file.write_bytes(bytes(stored))


def try_color(viewer: Viewer, **color: str) -> str:
    """Set the color; return the error message, or an empty string."""
    message: str = viewer.page.evaluate(
        "color => window.karospace.setState({color}).then(() => '', (error) => error.message)", color
    )
    return message


def assert_usable(viewer: Viewer, bundle: Bundle, gene: str = "CD3E") -> None:
    viewer.set(color={"kind": "gene", "gene": gene})
    values = bundle.gene(gene)
    cell = int(np.argmax(values))
    assert viewer.value(cell) == pytest.approx(float(values[cell]), rel=1e-6)
    assert colors_in(viewer.pixels()) > 20


@pytest.mark.parametrize("spoil", [missing, empty, cut, changed])
@pytest.mark.parametrize("what", ["gene", "first column", "column", "ids", "image"])
def test_damaged_file_is_named_and_the_rest_stays_usable(
    copied: Any, serve: Any, viewer: Viewer, what: str, spoil: Callable[[Path], None]
) -> None:
    bundle = copied()
    path = path_of(bundle, what)
    spoil(bundle.path / path)
    viewer.open(serve(bundle.path))
    if what == "gene":
        assert path in try_color(viewer, kind="gene", gene="EPCAM")
    if what == "column":
        assert path in try_color(viewer, kind="annotation", column=(bundle.manifest.columns or [])[1].name)
    viewer.page.locator(".ks-panel").get_by_text(path).first.wait_for()
    assert_usable(viewer, bundle)


def test_each_damaged_file_is_named(copied: Any, serve: Any, viewer: Viewer) -> None:
    bundle = copied()
    paths = [path_of(bundle, "image"), path_of(bundle, "ids")]
    for path in paths:
        cut(bundle.path / path)
    viewer.open(serve(bundle.path))
    panel = viewer.page.locator(".ks-panel")
    for path in paths:
        panel.get_by_text(path).first.wait_for()
    # Notices can be dismissed.
    panel.get_by_role("button", name="Dismiss").first.click()
    panel.get_by_role("button", name="Dismiss").first.click()
    expect(panel.get_by_role("button", name="Dismiss")).to_have_count(0)
    assert_usable(viewer, bundle)


def test_viewer_works_after_a_successful_retry(copied: Any, serve: Any, viewer: Viewer) -> None:
    bundle = copied()
    coordinates = bundle.path / path_of(bundle, "coordinates")
    stored = coordinates.read_bytes()
    coordinates.unlink()
    page = viewer.page
    page.goto(serve(bundle.path))
    page.evaluate("window.times = 0; window.karospace.on('ready', () => { window.times += 1; }); 0")
    page.get_by_role("alert").get_by_text("cannot be shown").wait_for()
    message = page.evaluate("window.karospace.setState({theme: 'dark'}).then(() => 'done', (error) => error.message)")
    assert coordinates.name in message
    coordinates.write_bytes(stored)
    page.get_by_role("button", name="Try again").click()
    until_js(page, "window.times === 1")
    page.evaluate("window.karospace.ready")
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    assert viewer.value(0) is not None
    assert "#view=" in viewer.address()


@pytest.mark.parametrize("spoil", [missing, empty, cut, changed])
def test_bundle_with_damaged_coordinates_is_refused(
    copied: Any, serve: Any, viewer: Viewer, spoil: Callable[[Path], None]
) -> None:
    bundle = copied()
    path = path_of(bundle, "coordinates")
    spoil(bundle.path / path)
    viewer.page.goto(serve(bundle.path))
    alert = viewer.page.get_by_role("alert")
    alert.get_by_text(path).wait_for()
    expect(alert).to_contain_text("cannot be shown", use_inner_text=True)


def test_corrupt_gzip_error_names_the_cause(copied: Any, serve: Any, viewer: Viewer) -> None:
    bundle = copied()
    file = bundle.path / path_of(bundle, "gene")
    stored = bytearray(file.read_bytes())
    stored[-8:-4] = bytes(4)  # the checksum
    file.write_bytes(bytes(stored))
    viewer.open(serve(bundle.path))
    assert re.search("gzip data is corrupt", try_color(viewer, kind="gene", gene="EPCAM"))
    cut(file)
    assert re.search(f"truncated: it has {file.stat().st_size:,} bytes", try_color(viewer, kind="gene", gene="EPCAM"))


def swap(bundle: Bundle, first: str, second: str) -> str:
    """Swap the files of two genes; return the path of the first."""
    a, b = (bundle.path / gene_path(bundle, gene) for gene in (first, second))
    stored = a.read_bytes(), b.read_bytes()
    b.write_bytes(stored[0])
    a.write_bytes(stored[1])
    return gene_path(bundle, first)


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "same length"])
def test_swapped_gene_files_are_detected(copied: Any, serve: Any, viewer: Viewer, gzip: bool) -> None:
    bundle = copied(gzip)
    path = swap(bundle, "EPCAM", "CD3E")
    viewer.open(serve(bundle.path))
    message = try_color(viewer, kind="gene", gene="EPCAM")
    assert path in message
    if not gzip:
        assert "not the file that was exported" in message
    viewer.page.get_by_role("alert").get_by_text(path).wait_for()
    assert viewer.value(0) is None
    assert_usable(viewer, bundle, bundle.manifest.gene_list[-1])


@pytest.fixture
def open_at(viewer: Viewer) -> Callable[[Path, str], None]:
    """Open a folder at a simulated address."""

    def go(folder: Path, url: str) -> None:
        def answer(route: Any) -> None:
            file = folder / (route.request.url.removeprefix(url) or "index.html")
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            if file.is_file():
                route.fulfill(body=file.read_bytes(), headers={"Content-Type": kind.replace("gzip", "octet-stream")})
            else:
                route.fulfill(status=404, body="")

        viewer.page.route(f"{url}**", answer)
        viewer.open(url)

    return go


@pytest.mark.parametrize("url", ["https://bundle.example/", "http://bundle.example/"])
def test_digests_are_checked_with_and_without_web_crypto(copied: Any, viewer: Viewer, open_at: Any, url: str) -> None:
    bundle = copied(gzip=False)
    swap(bundle, "EPCAM", "CD3E")
    truncated = bundle.manifest.gene_list[5]
    cut(bundle.path / gene_path(bundle, truncated))
    open_at(bundle.path, url)
    secure = url.startswith("https:")
    assert viewer.page.evaluate("crypto.subtle !== undefined") == secure
    # Browsers provide no SHA-256 on insecure origins: the viewer falls back to CRC-32.
    message = try_color(viewer, kind="gene", gene="EPCAM")
    assert "not the file" in message
    assert ("SHA-256" if secure else "CRC-32") in message
    assert gene_path(bundle, truncated) in try_color(viewer, kind="gene", gene=truncated)
    assert_usable(viewer, bundle, bundle.manifest.gene_list[-1])


def test_digests_are_checked_in_a_folder_opened_from_disk(viewer: Viewer, tmp_path: Path) -> None:
    bundle = adata_to_karospace(
        synthetic_tissue(1500, 20, seed=1),
        tmp_path / "bundle",
        genes_mode="all",
        packed="no",
        scripts="yes",
        gzip=False,
    )
    path = gene_path(bundle, "EPCAM")
    script = (bundle.path / "manifest.js").read_text()
    text = base64.b64decode(re.findall(r'"([A-Za-z0-9+/=]{40,})"', script)[0])
    manifest = json.loads(text)
    digests = {file["path"]: file for file in manifest["asset_files"]}
    digests[path]["sha256"] = digests[gene_path(bundle, "CD3E")]["sha256"]
    (bundle.path / "manifest.js").write_bytes(as_script("manifest.json", json.dumps(manifest).encode()))
    viewer.open((bundle.path / "index.html").as_uri())
    assert viewer.page.evaluate("crypto.subtle !== undefined")
    message = try_color(viewer, kind="gene", gene="EPCAM")
    assert path in message
    assert "not the file" in message
    assert_usable(viewer, bundle)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with files over 2 MB, which are checked only after the first frame."""
    n = 520_000
    rng = np.random.default_rng(0)
    adata = ad.AnnData(rng.random((n, 3), dtype=np.float32), obsm={"spatial": rng.random((n, 2), dtype=np.float32)})
    adata.obs_names = adata.obs_names.astype(str)
    folder = tmp_path_factory.mktemp("large") / "bundle"
    return adata_to_karospace(
        adata, folder, genes_mode="all", packed="no", scripts="no", gzip=False, preview=False
    ).path


def test_large_file_is_checked_after_it_is_drawn(large: Path, serve: Any, viewer: Viewer, tmp_path: Path) -> None:
    bundle = Bundle(Path(shutil.copytree(large, tmp_path / "bundle")))
    path = swap(bundle, "0", "1")
    viewer.page.set_viewport_size({"width": 800, "height": 500})
    viewer.open(serve(bundle.path))
    for _ in range(2):  # the damaged file is not cached
        try_color(viewer, kind="gene", gene="0")
        viewer.page.get_by_role("alert").get_by_text(path).wait_for()
        assert viewer.value(0) is None
        assert try_color(viewer, kind="gene", gene="2") == ""
        assert viewer.value(0) == pytest.approx(float(bundle.gene("2")[0]))


def test_large_coordinates_are_checked_after_the_first_frame(
    large: Path, serve: Any, viewer: Viewer, tmp_path: Path
) -> None:
    bundle = Bundle(Path(shutil.copytree(large, tmp_path / "bundle")))
    path = bundle.manifest.coordinates.chunks[0].path  # type: ignore[union-attr]
    changed(bundle.path / path)
    viewer.page.set_viewport_size({"width": 800, "height": 500})
    viewer.page.goto(serve(bundle.path))
    viewer.page.get_by_role("alert").get_by_text(path).wait_for()
    expect(viewer.page.get_by_role("alert")).to_contain_text("not the file", use_inner_text=True)


@pytest.mark.parametrize("version", ["2.0.0", "10.1.0", "0.9.0"])
def test_error_for_another_major_version_names_both_versions(
    copied: Any, serve: Any, viewer: Viewer, version: str
) -> None:
    file = copied().path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema_version": version}))
    viewer.page.goto(serve(file.parent))
    alert = viewer.page.get_by_role("alert")
    expect(alert).to_contain_text(version, use_inner_text=True)
    expect(alert).to_contain_text("1.x", use_inner_text=True)


def test_newer_minor_version_opens(copied: Any, serve: Any, viewer: Viewer) -> None:
    file = copied().path / "manifest.json"
    newer = json.loads(file.read_text()) | {"schema_version": "1.99.0", "from the future": {"a": [1]}}
    file.write_text(json.dumps(newer))
    viewer.open(serve(file.parent))
    assert viewer.problems == []


@pytest.mark.parametrize("spoil", [missing, empty, cut])
def test_error_names_a_damaged_manifest(copied: Any, serve: Any, viewer: Viewer, spoil: Callable[[Path], None]) -> None:
    file = copied().path / "manifest.json"
    spoil(file)
    viewer.page.goto(serve(file.parent))
    viewer.page.get_by_role("alert").get_by_text("manifest.json").first.wait_for()
