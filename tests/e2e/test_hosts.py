"""The same bundle on hosts that handle gzip differently, and on an unreliable host."""

from __future__ import annotations

import gzip
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import PATIENCE_S, until_js
from webhosts import FalteringHost, nginx

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

NGINX = {
    "plain": "",
    "gzip": "gzip on; gzip_types *; gzip_min_length 1;",
    "gzip_static": "gzip_static on;",
    "content_encoding": (
        "location ~ \\.gz$ { add_header Content-Encoding gzip; add_header X-Content-Type-Options nosniff; }"
    ),
}
# Whether a gene is sent with Content-Encoding: from a gzipped bundle, from an uncompressed bundle.
SENT_ENCODED = {
    "plain": (False, False),
    "gzip": (True, True),
    "gzip_static": (False, True),
    "content_encoding": (True, False),
}


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(2000, 20, seed=1)


@pytest.fixture(scope="module")
def exported(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("hosts") / "bundle"
    return adata_to_karospace(tissue, folder, genes_mode="all", packed="no", scripts="no")


def path_of(bundle: Bundle, gene: str) -> str:
    return next(entry.chunks[0].path for entry in bundle.manifest.expression.genes if entry.gene == gene)


def assert_shows_bundle_values(viewer: Viewer, bundle: Bundle, gene: str) -> None:
    values = bundle.gene(gene)
    for cell in (0, int(np.argmax(values)), len(values) - 1):
        assert viewer.value(cell) == pytest.approx(float(values[cell]), rel=1e-6)


def assert_shows_anndata_values(viewer: Viewer, adata: ad.AnnData, gene: str) -> None:
    x: Any = adata.X
    values = x[:, adata.var_names.get_loc(gene)].toarray().ravel()
    cells = (0, int(np.argmax(values)), len(values) - 1)
    assert [viewer.value(cell) for cell in cells] == pytest.approx([float(values[cell]) for cell in cells], rel=1e-6)


@pytest.mark.parametrize("how", NGINX)
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "raw"])
def test_bundle_opens_from_nginx(
    exported: Bundle, tissue: ad.AnnData, viewer: Viewer, tmp_path: Path, how: str, compressed: bool
) -> None:
    bundle = exported
    if not compressed:
        bundle = adata_to_karospace(tissue, tmp_path / "raw", genes_mode="all", packed="no", scripts="no", gzip=False)
    if how == "gzip_static" and not compressed:
        assert bundle.path is not None
        for file in [file for file in bundle.path.rglob("*") if file.is_file()]:
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    encodings: dict[str, str | None] = {}
    viewer.page.on(
        "response", lambda response: encodings.update({response.url: response.headers.get("content-encoding")})
    )
    with nginx(bundle.path, tmp_path / "nginx", NGINX[how]) as url:
        viewer.open(url)
        viewer.page.wait_for_load_state("networkidle")
        viewer.set(color={"kind": "gene", "gene": "EPCAM"})
        assert encodings[url + path_of(bundle, "EPCAM")] == ("gzip" if SENT_ENCODED[how][not compressed] else None)
        assert_shows_anndata_values(viewer, tissue, "EPCAM")
        x, y = viewer.positions([7])[0]
        viewer.page.mouse.move(x - 20, y)
        viewer.page.mouse.move(x, y)
        viewer.page.get_by_role("tooltip").wait_for()
        assert viewer.page.evaluate("window.karospace.getState().imageOn")
    assert viewer.problems == []
    expect(viewer.page.locator("[role=alert]")).to_have_count(0)


def test_swapped_files_are_detected_even_if_the_host_decompresses_them(
    exported: Bundle, tissue: ad.AnnData, viewer: Viewer, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exported.path, tmp_path / "bundle"))
    first, second = (folder / path_of(exported, gene) for gene in ("EPCAM", "CD3E"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with nginx(folder, tmp_path / "nginx", NGINX["content_encoding"]) as url:
        viewer.open(url)
        for gene in ("EPCAM", "CD3E"):
            failure = viewer.page.evaluate(
                "gene => window.karospace.setState({color: {kind: 'gene', gene}}).then(() => '', String)", gene
            )
            assert path_of(exported, gene) in failure
            assert "not the file that was exported" in failure
        viewer.page.get_by_role("alert").get_by_text(path_of(exported, "CD3E")).first.wait_for()
        viewer.set(color={"kind": "gene", "gene": "KRT8"})
        assert_shows_anndata_values(viewer, tissue, "KRT8")


def test_nginx_sends_the_expected_content_types(exported: Bundle, tmp_path: Path) -> None:
    with nginx(exported.path, tmp_path / "nginx") as url:
        types = {}
        for name in ("", "manifest.json", path_of(exported, "EPCAM"), exported.manifest.image.path):  # type: ignore[union-attr]
            with urllib.request.urlopen(url + name) as response:
                types[Path(name).suffix] = response.headers.get_content_type()
    assert types[""] == "text/html"
    assert types[".json"] == "application/json"
    assert types[".gz"] in {"application/gzip", "application/octet-stream"}
    assert any(kind.startswith("image/") for kind in types.values())


def test_error_names_a_file_that_nginx_does_not_find(exported: Bundle, viewer: Viewer, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(exported.path, folder)
    path = path_of(exported, "EPCAM")
    (folder / path).unlink()
    with nginx(folder, tmp_path / "nginx") as url:
        viewer.open(url)
        failure = viewer.page.evaluate(
            "window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}}).then(() => '', String)"
        )
    assert path in failure
    assert "404" in failure


def test_progress_is_shown_while_the_bundle_loads_slowly(exported: Bundle, viewer: Viewer) -> None:
    coordinates = exported.manifest.coordinates
    assert coordinates is not None
    path = coordinates.chunks[0].path
    with FalteringHost(exported.path) as host:
        host.hold(path)
        viewer.page.goto(host.url)
        assert host.half_sent[path].wait(PATIENCE_S)
        bar = viewer.page.locator("[role=progressbar][aria-valuenow='50'], [role=progressbar][aria-valuenow='49']")
        bar.wait_for()
        viewer.page.get_by_text("Loading the tissue").wait_for()
        host.let_go(path)
        viewer.page.evaluate("window.karospace.ready")
        bar.wait_for(state="detached")
    assert viewer.problems == []


@pytest.fixture
def waiting(exported: Bundle, viewer: Viewer) -> Any:
    """Let the viewer wait for the second half of a gene's file; return the host and the path of the file."""
    path = path_of(exported, "EPCAM")
    with FalteringHost(exported.path) as host:
        viewer.open(host.url)
        viewer.page.wait_for_load_state("networkidle")
        host.hold(path)
        viewer.page.evaluate(
            """() => { window.first = window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}})
                .then(() => 'drawn', (error) => error.name); }"""
        )
        assert host.half_sent[path].wait(PATIENCE_S)
        yield host, path


def test_tissue_stays_usable_while_a_gene_loads(waiting: Any, exported: Bundle, viewer: Viewer) -> None:
    host, path = waiting
    page = viewer.page
    page.get_by_role("progressbar", name="Loading EPCAM").wait_for()
    before = viewer.state()["camera"]
    pixels = viewer.pixels()
    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(600, 450, steps=4)
    page.mouse.up()
    until_js(page, "before => window.karospace.getState().camera.x !== before.x", arg=before)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert (viewer.pixels() != pixels).any()
    x, y = viewer.positions([7])[0]
    page.mouse.move(x - 20, y)
    page.mouse.move(x, y)
    page.get_by_role("tooltip").wait_for()
    assert page.evaluate("Promise.race([window.first, 'waiting'])") == "waiting"
    host.let_go(path)
    assert page.evaluate("window.first") == "drawn"
    assert_shows_bundle_values(viewer, exported, "EPCAM")
    assert viewer.problems == []


def test_choosing_another_gene_aborts_the_first_request(waiting: Any, exported: Bundle, viewer: Viewer) -> None:
    host, path = waiting
    viewer.set(color={"kind": "gene", "gene": "CD3E"})
    assert host.hung_up[path].wait(PATIENCE_S)
    assert viewer.page.evaluate("window.first") == "AbortError"
    assert_shows_bundle_values(viewer, exported, "CD3E")
    expect(viewer.page.locator("[role=progressbar]")).to_have_count(0)
    expect(viewer.page.locator("[role=alert]")).to_have_count(0)
    # The aborted request does not affect choosing the first gene again.
    host.let_go(path)
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    assert_shows_bundle_values(viewer, exported, "EPCAM")


def test_broken_connection_shows_an_error_and_can_be_retried(waiting: Any, exported: Bundle, viewer: Viewer) -> None:
    host, path = waiting
    host.break_off(path)
    assert viewer.page.evaluate("window.first") != "drawn"
    viewer.page.get_by_text(Path(path).name, exact=False).first.wait_for()
    host.hold(path)
    host.let_go(path)
    viewer.page.get_by_role("button", name="Try again").click()
    until_js(viewer.page, "() => window.karospace.valueAt(0) !== null && !document.querySelector('[role=alert]')")
    assert_shows_bundle_values(viewer, exported, "EPCAM")
