"""The index page in a real browser, from a web host and from disk."""

from __future__ import annotations

import functools
import json
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe import barriers
from conftest import Viewer
from playwright.sync_api import expect
from test_hostile import COUNT, payload
from waiting import eventually, until_js
from webhosts import Outside

from karospace_jupyter import Bundle, adata_to_karospace, publish_index
from karospace_jupyter.bundle.scripts import as_script, from_script
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

TITLES = ["Kidney", "Liver", "Lung"]
CELLS = {"Kidney": 300, "Liver": 1200, "Lung": 700}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an index of three bundles at different depths."""
    site = tmp_path_factory.mktemp("index") / "our site"
    for number, (title, path) in enumerate(zip(TITLES, ("a", "mouse/b c", "mouse/deep/c"), strict=True)):
        adata = synthetic_tissue(CELLS[title], 12, seed=number)
        if title == "Lung":
            adata.obs["zonation"] = ["x", "y", "z", "x", "y"] * 140
            adata.obs.loc[adata.obs_names[0], "zonation"] = "y"
        adata_to_karospace(
            adata, site / path, dataset_name=title, genes_mode="top_mean:3", image_path="none", preview=title != "Lung"
        )
    publish_index(site, title="Our atlas")
    return site


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, root: Path, serve: Any) -> str:
    return str(serve(root)) if request.param == "http" else f"{root.as_uri()}/index.html"


def cards(viewer: Viewer) -> Any:
    return viewer.page.get_by_role("list", name="Datasets").get_by_role("listitem")


def assert_listed(viewer: Viewer, *titles: str) -> None:
    expect(cards(viewer).locator(".kb-name")).to_have_text(list(titles))


def test_bundles_are_listed_with_previews_and_counts(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Our atlas")
    expect(page).to_have_title("Our atlas")
    assert_listed(viewer, *TITLES)
    expect(page.get_by_text("3 datasets · 2,200 cells")).to_be_visible()
    expect(cards(viewer).nth(1)).to_contain_text("1,200 cells · 12 genes · 2 sections")
    expect(cards(viewer).nth(2)).to_contain_text("mouse/deep/c")
    until_js(page, "() => [...document.images].every((image) => image.complete && image.naturalWidth > 100)")
    expect(page.locator("img")).to_have_count(2)
    assert viewer.problems == []


def test_card_opens_the_viewer_of_its_bundle(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(address)
    page.get_by_role("link", name="Liver").click()
    until_js(page, "() => window.karospace?.cells === 1200")
    expect(page).to_have_title("Liver")
    page.go_back()
    page.get_by_role("link", name="Lung").click()
    until_js(page, "() => window.karospace?.cells === 700")
    assert viewer.problems == []


def test_viewer_links_back_to_the_index_and_to_its_other_bundles(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(address)
    page.get_by_role("link", name="Lung").click()
    dataset = page.get_by_role("combobox", name="Dataset")
    expect(dataset.locator("option")).to_have_text(TITLES)
    expect(dataset.locator("option:checked")).to_have_text("Lung")
    dataset.select_option(label="Kidney")
    until_js(page, "() => window.karospace?.cells === 300")
    expect(dataset.locator("option:checked")).to_have_text("Kidney")
    page.get_by_role("link", name="All datasets: Our atlas").click()
    assert_listed(viewer, *TITLES)
    assert viewer.problems == []


@pytest.mark.parametrize("depth", ["", "0", "2", "3", "9", "-1", "1.5", "//evil.example", "x"])
def test_viewer_without_its_index_shows_no_links(viewer: Viewer, root: Path, serve: Any, depth: str) -> None:
    """The index is at depth 1; at other depths, there is none, or one without this bundle."""
    url = serve(root)
    viewer.open(f"{url}a/index.html?index={depth}")
    viewer.page.wait_for_load_state("networkidle")
    elsewhere = [request for request in viewer.requests if not request.startswith((url, "blob:", "data:"))]
    assert elsewhere == []
    if depth in {"2", "3"}:  # the parent of a host's root is the root itself
        viewer.page.get_by_role("link", name="All datasets").wait_for()
    else:
        expect(viewer.page.get_by_role("link")).to_have_count(0)
    assert viewer.problems == []


def test_viewer_with_links_fits_a_narrow_window(viewer: Viewer, root: Path, serve: Any) -> None:
    page = viewer.page
    page.set_viewport_size({"width": 400, "height": 600})
    viewer.open(f"{serve(root)}a/index.html?index=1")
    link = page.get_by_role("link", name="All datasets: Our atlas")
    expect(link).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", name="Kidney")).to_be_in_viewport(ratio=1)
    assert barriers(page, ".ks-title") == []


def test_search_and_order_are_kept_in_the_address(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(address)
    search = page.get_by_role("searchbox", name="Search datasets")
    search.fill("MOUSE l")
    assert_listed(viewer, "Liver", "Lung")
    page.get_by_role("combobox", name="Order").select_option(label="Most cells")
    search.fill("")
    assert_listed(viewer, "Liver", "Lung", "Kidney")
    search.fill("zonation")
    assert_listed(viewer, "Lung")
    expect(page.get_by_text("1 of 3 datasets · 700 cells")).to_be_visible()
    page.reload()
    expect(search).to_have_value("zonation")
    assert_listed(viewer, "Lung")
    search.fill("zonation liver")
    expect(page.get_by_role("status")).to_contain_text("No datasets match “zonation liver”.")
    page.get_by_role("button", name="Clear search").click()
    assert_listed(viewer, "Liver", "Lung", "Kidney")
    expect(search).to_have_value("")
    assert viewer.problems == []


def test_two_bundles_are_compared_side_by_side(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(address)
    for title in ("Kidney", "Liver", "Lung"):
        page.get_by_role("checkbox", name=f"Compare {title}").check()
    expect(page.get_by_role("checkbox", name="Compare Kidney"), "more than two are compared").not_to_be_checked()
    page.get_by_role("button", name="Compare", exact=True).click()
    for title in ("Liver", "Lung"):
        inside = page.frame_locator(f'iframe[title="{title}"]')
        expect(inside.get_by_role("heading", name=title)).to_be_visible()
        expect(inside.get_by_text("cell_type").first).to_be_visible()
    linked = page.url
    page.get_by_role("button", name="All datasets").click()
    assert_listed(viewer, *TITLES)
    page.goto("about:blank")
    page.goto(linked)
    expect(page.locator("iframe")).to_have_count(2)
    page.get_by_role("button", name="All datasets").click()
    expect(page.locator("iframe")).to_have_count(0)
    assert viewer.problems == []


@pytest.mark.parametrize("width", [1360, 400])
def test_page_is_accessible_and_fits_its_window(viewer: Viewer, root: Path, serve: Any, width: int) -> None:
    page = viewer.page
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(serve(root))
    assert_listed(viewer, *TITLES)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_missing_or_damaged_list_is_reported(viewer: Viewer, root: Path, tmp_path: Path, serve: Any) -> None:
    site = shutil.copytree(root, tmp_path / "site")
    page = viewer.page
    url = serve(site)
    for content, text in (
        ("<!doctype html>", "not a list of bundles"),
        (as_script("bundles.json", b"{").decode(), "not JSON"),
        (as_script("bundles.json", b'{"version":1,"title":"x","bundles":[{}]}').decode(), "bundles[0]"),
        (None, "is missing"),
    ):
        if content is None:
            (site / "bundles.js").unlink()
        else:
            (site / "bundles.js").write_text(content)
        for address in (url, f"{site.as_uri()}/index.html"):
            page.goto(address)
            alert = page.get_by_role("alert")
            expect(alert).to_contain_text("The list of datasets cannot be read")
            if address == url:
                expect(alert).to_contain_text(text)


def test_hostile_bundles_are_shown_as_text(viewer: Viewer, root: Path, tmp_path: Path, serve: Any) -> None:
    """Check hostile titles, folders, annotations and previews, from manifests and in the list itself."""
    site = tmp_path / "site"
    folder = payload(4).replace("/", "")
    shutil.copytree(root / "a", site / folder)
    manifest_path = site / folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    picture = f"{payload(0).replace('/', '')}.png"
    (site / folder / "preview.png").rename(site / folder / picture)
    for file in manifest["asset_files"]:
        if file["path"] == "preview.png":
            file["path"] = picture
    manifest |= {"dataset_name": payload(1), "preview_path": picture, "scripts": None}
    manifest["asset_files"] = [file for file in manifest["asset_files"] if file["kind"] != "script"]
    manifest_path.write_text(json.dumps(manifest))
    report = publish_index(site, title=payload(2))
    assert report.problems == ()
    script = site / "bundles.js"
    index = json.loads(from_script("bundles.json", script.read_bytes()))
    first = index["bundles"][0]
    index["bundles"] += [
        first | {"path": "javascript:planted()", "title": payload(3), "preview": "x.svg", "columns": [payload(5)]},
        first | {"path": "x?y#z", "title": payload(6), "preview": "javascript:planted()"},
        first | {"path": "data:text/html,x", "title": payload(7), "observations": payload(0)},
    ]
    script.write_bytes(as_script("bundles.json", json.dumps(index).encode()))
    page = viewer.page
    page.add_init_script(COUNT)
    url = serve(site)
    for address in (url, f"{site.as_uri()}/index.html"):
        base = address.removesuffix("index.html")
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_have_text(payload(2))
        for number in (1, 3, 6, 7):
            expect(page.get_by_role("listitem").get_by_text(payload(number), exact=True)).to_be_visible()
        page.get_by_role("searchbox").fill(payload(5))
        expect(page.get_by_role("listitem")).to_have_count(1)
        page.get_by_role("searchbox").fill("")
        until_js(page, "() => document.images[0].naturalWidth > 100")
        links = page.evaluate("[...document.links].map((link) => link.href)")
        assert len(links) == 4
        assert all(re.fullmatch(re.escape(base) + r"[^?#]+/index\.html\?index=[12]", link) for link in links)
        assert page.evaluate("window.calls") == 0
        assert page.evaluate("document.querySelectorAll('iframe, object, embed, [onerror], [onload]').length") == 0
    # The viewer shows the titles of the index, too.
    page.goto(f"{url}{quote(folder)}/index.html?index=1")
    expect(page.get_by_role("combobox", name="Dataset").locator("option")).to_have_text(
        [payload(number) for number in (1, 3, 6, 7)]
    )
    expect(page.get_by_role("link", name=f"All datasets: {payload(2)}", exact=True)).to_be_visible()
    assert page.evaluate("window.calls") == 0
    # Text from the address is shown as text, too.
    page.goto(f"{url}#search={payload(0)}&compare={payload(1)}&compare=../x")
    expect(page.get_by_role("status")).to_contain_text("No datasets match")
    assert page.evaluate("window.calls") == 0
    assert all(request.startswith((url, site.as_uri(), "blob:", "data:")) for request in viewer.requests)


class OtherHost:
    """Serve a folder from another origin, with or without CORS headers."""

    def __init__(self, folder: Path, *, allow: str | None) -> None:
        class Handler(SimpleHTTPRequestHandler):
            def end_headers(self) -> None:
                if allow is not None:
                    self.send_header("Access-Control-Allow-Origin", allow)
                super().end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> OtherHost:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_bundle_of_an_allowed_origin_is_opened(viewer: Viewer, root: Path, tmp_path: Path, serve: Any) -> None:
    site = shutil.copytree(root, tmp_path / "site")
    with OtherHost(root, allow="*") as host:
        publish_index(site, data_origins=[host.origin])
        url = serve(site)
        for path in ("mouse/b%20c", "mouse/b%20c/", "mouse/b%20c/index.html?x=1#y", "mouse/b%20c/manifest.json"):
            viewer.open(f"{url}viewer.html?data={quote(f'{host.origin}/{path}', safe='')}")
            assert viewer.page.evaluate("window.karospace.cells") == 1200
        viewer.set(color={"kind": "gene", "gene": "EPCAM"})
        values = Bundle(root / "mouse/b c").gene("EPCAM")
        cell = int(values.argmax())
        assert viewer.value(cell) == pytest.approx(float(values[cell]))
        assert any(request.startswith(f"{host.origin}/mouse/b%20c/assets/") for request in viewer.requests)
        assert viewer.problems == []
        # Bundles on the site itself also open, even by relative URL.
        for path in (f"{url}mouse/b%20c/", "mouse/b%20c/"):
            viewer.open(f"{url}viewer.html?data={quote(path, safe='')}")
            assert viewer.page.evaluate("window.karospace.cells") == 1200
        assert viewer.problems == []
        # The page of a bundle keeps its stricter policy.
        viewer.page.goto(f"{url}a/index.html?data={quote(f'{url}mouse/b%20c/', safe='')}")
        expect(viewer.page.get_by_role("alert")).to_contain_text(f"does not open bundles from {url.rstrip('/')}")
        viewer.page.goto(f"{url}a/index.html?data={host.origin}/a/")
        expect(viewer.page.get_by_role("alert")).to_contain_text(f"does not open bundles from {host.origin}")


def test_bundle_of_a_host_without_cors_is_an_error(viewer: Viewer, root: Path, tmp_path: Path, serve: Any) -> None:
    site = shutil.copytree(root, tmp_path / "site")
    with OtherHost(root, allow=None) as host:
        publish_index(site, data_origins=[host.origin])
        viewer.page.goto(f"{serve(site)}viewer.html?data={host.origin}/a/")
        expect(viewer.page.get_by_role("alert")).to_contain_text(f"No response from {host.origin}/a/manifest.json")


@pytest.mark.parametrize("page_name", ["viewer.html", "a/index.html"])
def test_nothing_is_requested_from_origins_that_are_not_allowed(
    viewer: Viewer, root: Path, tmp_path: Path, serve: Any, page_name: str
) -> None:
    site = shutil.copytree(root, tmp_path / "site")
    publish_index(site, data_origins=["https://data.example"])
    page = viewer.page
    url = serve(site)
    with Outside() as outside:
        for target in (
            f"http://127.0.0.1:{outside.port}/a/", f"//127.0.0.1:{outside.port}/a/", "javascript:planted()", "data:x", "",
            f"https://data.example@127.0.0.1:{outside.port}/", f"https://data.example.127.0.0.1:{outside.port}/",
        ):  # fmt: skip
            page.goto(f"{url}{page_name}?data={quote(target, safe='')}")
            expect(page.get_by_role("alert")).to_contain_text("This page does not open bundles from")
        # The policy blocks requests that bypass the check.
        page.evaluate("url => fetch(url).catch(() => null)", f"http://127.0.0.1:{outside.port}/a/manifest.json")
        eventually(lambda: [text for text in viewer.problems if "Content Security Policy" in text], page=page)
        assert outside.stop() == []


def test_list_with_paths_outside_its_folder_is_rejected(viewer: Viewer, root: Path, tmp_path: Path, serve: Any) -> None:
    site = shutil.copytree(root, tmp_path / "site")
    index = json.loads(from_script("bundles.json", (site / "bundles.js").read_bytes()))
    index["bundles"][0]["path"] = "../elsewhere"
    (site / "bundles.js").write_bytes(as_script("bundles.json", json.dumps(index).encode()))
    url = serve(site)
    viewer.page.goto(url)
    expect(viewer.page.get_by_role("alert")).to_contain_text("“../elsewhere” is outside the folder")
    expect(viewer.page.get_by_role("link")).to_have_count(0)


def test_page_runs_only_its_own_scripts(viewer: Viewer, root: Path, serve: Any) -> None:
    page = viewer.page
    page.add_init_script(COUNT)
    page.goto(serve(root))
    assert_listed(viewer, *TITLES)
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'planted()';
        document.body.append(script);
        const image = document.createElement('div');
        image.innerHTML = '<img src=x onerror=planted()>';
        document.body.append(image);
    }""")
    eventually(lambda: [text for text in viewer.problems if "Content Security Policy" in text], page=page)
    assert page.evaluate("window.calls") == 0
