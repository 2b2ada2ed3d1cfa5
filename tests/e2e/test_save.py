"""Saved pictures and tables of the current view match the page and the AnnData object."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image
from pixels import PICTURE
from playwright.sync_api import expect
from waiting import two_frames, until_js

from karospace_jupyter import Bundle, adata_to_karospace

pytestmark = pytest.mark.e2e
NAME = '<script>alert("x")</script>, π 🧬\nline'
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
SAVE = "Save picture or table"
BARE = {"legend": False, "title": False, "scaleBar": False}


@pytest.fixture
def opened(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> tuple[Viewer, ad.AnnData]:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    return viewer, ad.read_h5ad(tissue)


@pytest.fixture
def hostile(serve: Any, viewer: Viewer, tmp_path: Path) -> tuple[Viewer, ad.AnnData]:
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({NAME: pd.Categorical([NAME, "=1+1", "-3", None] * 25)})
    obs["value"] = np.where(np.arange(100) % 7 == 0, np.nan, rng.normal(size=100)).astype(np.float32)
    obs.index = [f"{sign}{i}, {NAME}" for i, sign in enumerate("=+-@" * 25)]
    adata = ad.AnnData(rng.random((100, 3), dtype=np.float32), obs=obs)
    adata.var_names = [NAME, "=gene", "a/b"]
    adata.obsm["spatial"] = rng.random((100, 2))
    bundle = adata_to_karospace(adata, tmp_path / "bundle", dataset_name=NAME, genes_mode="all")
    viewer.open(serve(bundle.path))
    return viewer, adata


def picture_bytes(viewer: Viewer, **options: Any) -> bytes:
    return base64.b64decode(viewer.page.evaluate(PICTURE, options))


def png(viewer: Viewer, mode: str = "RGB", **options: Any) -> NDArray[np.float64]:
    picture = Image.open(io.BytesIO(picture_bytes(viewer, **options)))
    assert picture.format == "PNG"
    return np.asarray(picture.convert(mode)).astype(float)


def received(download: Any) -> io.BytesIO:
    return io.BytesIO(Path(download.value.path()).read_bytes())


def downscaled(picture: NDArray[np.float64], factor: int) -> NDArray[np.float64]:
    height, width = (length // factor for length in picture.shape[:2])
    cut = picture[: height * factor, : width * factor]
    return np.asarray(cut.reshape(height, factor, width, factor, -1).mean(axis=(1, 3)))


def table(viewer: Viewer) -> pd.DataFrame:
    text: str = viewer.page.evaluate("window.karospace.table()")
    return pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False, index_col="cell_id")


def remotest_cell(viewer: Viewer, adata: ad.AnnData) -> tuple[int, float]:
    """Return the cell farthest from all others, and its distance in CSS pixels."""
    from scipy.spatial import KDTree

    at = np.array(viewer.positions(list(range(adata.n_obs))))
    near = KDTree(at).query(at, k=2)[0][:, 1]
    cell = int(np.argmax(near))
    return cell, float(near[cell])


def test_picture_at_scale_3_has_real_detail(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    viewer.set(opacity=1, imageOn=False, pointSize=3, theme="light")
    small, large = png(viewer, scale=1, **BARE), png(viewer, scale=3, **BARE)
    stage = viewer.page.locator("canvas").first.bounding_box()
    assert small.shape == (stage["height"], stage["width"], 3)
    assert large.shape == (3 * small.shape[0], 3 * small.shape[1], 3)
    # Both show the same field of view.
    assert np.abs(downscaled(large, 3) - small).mean() < 3
    # Not an upscaled raster: upscaling the small picture gives a different one with softer edges.
    upscaled = Image.fromarray(small.astype(np.uint8)).resize(
        (large.shape[1], large.shape[0]), Image.Resampling.BICUBIC
    )
    assert np.abs(large - np.asarray(upscaled)).mean() > 1
    steps = [np.abs(np.diff(p, axis=1)).max(axis=2) for p in (large, np.asarray(upscaled).astype(float))]
    # The fraction of edges that are sharp, from one pixel to the next.
    sharp = [float((s > 100).sum() / (s > 20).sum()) for s in steps]
    assert sharp[0] > 2 * sharp[1], sharp
    # The disc of the remotest cell is round at full resolution.
    cell, free = remotest_cell(viewer, adata)
    x, y = viewer.positions([cell])[0]
    grid = np.mgrid[: large.shape[0], : large.shape[1]]
    distance = np.hypot((grid[1] + 0.5) / 3 - (x - stage["x"]), (grid[0] + 0.5) / 3 - (y - stage["y"]))
    near = distance < free / 2
    background = np.abs(large - [246, 247, 249]).max(axis=2) < 8
    radius = np.sqrt((near & ~background).sum() / 9 / np.pi)
    assert 1.5 < radius < free / 2
    assert not background[distance < radius - 0.5].any()
    assert background[near & (distance > radius + 0.5)].all()
    assert viewer.problems == []


def test_tiles_of_a_large_picture_have_no_seam(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    viewer.set(opacity=1, imageOpacity=1, pointSize=4)
    two, four = png(viewer, scale=2, **BARE), png(viewer, scale=4, **BARE)
    assert four.shape[1] > 4096
    difference = np.abs(downscaled(four, 2) - two).mean(axis=2)
    assert difference.mean() < 3
    seam = difference[:, 4096 // 2 - 4 : 4096 // 2 + 4]
    assert seam.mean() < difference.mean() + 3
    # Taking a picture does not change the page.
    before = viewer.pixels()
    png(viewer, scale=4, **BARE)
    assert (viewer.pixels() == before).all()
    assert viewer.problems == []


def test_picture_right_after_opening_includes_the_image(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    at_once = png(viewer, scale=1, **BARE)
    viewer.set(imageOn=True)
    assert np.abs(png(viewer, scale=1, **BARE) - at_once).max() == 0


def test_picture_parts_and_background_are_optional(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    viewer.set(imageOn=False)
    bare = png(viewer, "RGBA", scale=1, **BARE)
    whole = png(viewer, "RGBA", scale=1)
    titled = png(viewer, "RGBA", scale=1, legend=False, scaleBar=False)
    barred = png(viewer, "RGBA", scale=1, legend=False, title=False)
    assert whole.shape[0] > bare.shape[0]
    assert whole.shape[1] > bare.shape[1]
    assert titled.shape[1] == bare.shape[1]
    assert barred.shape == bare.shape
    assert (barred != bare).any()
    # The title is above the tissue and does not change it.
    assert (titled[-bare.shape[0] :] == bare).all()
    assert bare[..., 3].min() == 255
    clear = png(viewer, "RGBA", scale=1, transparent=True, **BARE)
    assert clear[0, 0, 3] == 0
    assert clear[..., 3].max() > 200
    viewer.set(theme="dark")
    assert png(viewer, scale=1)[-1, 0].tolist() == [0x0E, 0x11, 0x16]


def test_svg_contains_text_and_matches_the_png(opened: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, adata = opened
    hidden = "T cell"
    viewer.set(hidden={"cell_type": [hidden]})
    svg = ET.fromstring(picture_bytes(viewer, format="svg"))
    words = [text.text for text in svg.iter(f"{SVG}text")]
    assert {"tissue", "cell_type"} <= set(words)
    assert set(adata.obs["cell_type"].cat.categories) - {hidden} <= set(words)
    assert hidden not in words
    assert any(word and word.endswith("µm") for word in words)
    images = list(svg.iter(f"{SVG}image"))
    assert len(images) == 1
    raster = Image.open(io.BytesIO(base64.b64decode(images[0].get(f"{XLINK}href", "").partition(",")[2])))
    assert raster.width == 2 * float(images[0].get("width", "0"))
    # Both formats are drawn from the same layout, so the browser shows the same picture.
    viewer.set(theme="light", imageOn=False)
    path = tmp_path / "picture.svg"
    path.write_bytes(picture_bytes(viewer, format="svg", scale=1))
    drawn = png(viewer, scale=1)
    viewer.page.set_viewport_size({"width": drawn.shape[1], "height": drawn.shape[0]})
    viewer.page.goto(path.as_uri())
    shown = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB")).astype(float)
    assert shown.shape == drawn.shape
    assert np.abs(shown - drawn).mean() < 0.5


def test_hostile_names_in_an_svg_are_harmless(hostile: tuple[Viewer, ad.AnnData], tmp_path: Path) -> None:
    viewer, _ = hostile
    viewer.set(color={"kind": "annotation", "column": NAME})
    text = picture_bytes(viewer, format="svg")
    svg = ET.fromstring(text)
    assert {str(part.tag).removeprefix(SVG) for part in svg.iter()} <= {
        "svg",
        "title",
        "rect",
        "image",
        "text",
        "circle",
        "polyline",
    }
    assert not [key for part in svg.iter() for key in part.attrib if key.lower().startswith("on")]
    one_line = NAME.replace("\n", " ")
    assert sum(word.text == one_line for word in svg.iter(f"{SVG}text")) >= 1
    assert "=1+1" in [word.text for word in svg.iter(f"{SVG}text")]
    path = tmp_path / "picture.svg"
    path.write_bytes(text)
    viewer.page.goto(path.as_uri())
    two_frames(viewer.page)
    assert viewer.problems == []


def test_saved_table_matches_the_anndata(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    xy = np.asarray(adata.obsm["spatial"], dtype=np.float32)
    rows = table(viewer)
    assert list(rows.columns) == ["x", "y", "x_um", "y_um", "cell_type"]
    assert list(rows.index) == list(adata.obs_names)
    assert (rows[["x", "y"]].to_numpy().astype(np.float32) == xy).all()
    assert list(rows["cell_type"]) == list(adata.obs["cell_type"].astype(str))

    viewer.set(hidden={"cell_type": ["Tumor", "B cell"]})
    rows = table(viewer)
    assert list(rows.index) == list(adata.obs_names[~adata.obs["cell_type"].isin(["Tumor", "B cell"])])

    viewer.page.evaluate("window.karospace.select(Array.from({length: 3000}, (_, i) => i % 10 === 0 ? 1 : 0))")
    rows = table(viewer)
    kept = ~adata.obs["cell_type"].isin(["Tumor", "B cell"]) & (np.arange(3000) % 10 == 0)
    assert list(rows.index) == list(adata.obs_names[kept])
    viewer.page.evaluate("window.karospace.select(null)")

    # Zoomed in, the table has only cells in view; a gene has no hidden categories.
    middle = xy.mean(axis=0)
    viewer.set(
        camera={"x": float(middle[0]), "y": float(middle[1]), "zoom": 3}, color={"kind": "gene", "gene": "EPCAM"}
    )
    rows = table(viewer)
    at = np.array(viewer.positions(list(range(3000))))
    box = viewer.page.locator("canvas").first.bounding_box()
    inside = ((at >= [box["x"], box["y"]]) & (at <= [box["x"] + box["width"], box["y"] + box["height"]])).all(axis=1)
    assert 0 < inside.sum() < 3000
    assert list(rows.index) == list(adata.obs_names[inside])
    gene = adata[:, "EPCAM"].X
    dense = np.asarray(gene.todense() if hasattr(gene, "todense") else gene).ravel().astype(np.float32)
    assert (rows["EPCAM"].to_numpy().astype(np.float32) == dense[inside]).all()
    assert viewer.problems == []


def test_hostile_names_in_a_table_are_escaped(hostile: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = hostile
    viewer.set(color={"kind": "annotation", "column": NAME})
    rows = table(viewer)
    assert list(rows.columns) == ["x", "y", NAME]
    # Text that would be a formula gets an apostrophe; numeric categories stay numbers; missing ones are empty.
    assert list(rows.index) == [f"'{name}" for name in adata.obs_names]
    assert list(rows[NAME][:4]) == [NAME, "'=1+1", "-3", ""]
    viewer.set(color={"kind": "annotation", "column": "value"})
    values = pd.to_numeric(table(viewer)["value"]).to_numpy(dtype=np.float32)
    assert np.array_equal(values, adata.obs["value"].to_numpy(), equal_nan=True)
    assert (values < 0).any()
    assert viewer.problems == []


def test_save_menu_downloads_picture_and_table(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    page.get_by_role("button", name=SAVE).click()
    menu = page.get_by_role("dialog", name="Save")
    menu.get_by_text("1×", exact=True).click()
    menu.get_by_label("Title").uncheck()
    with page.expect_download() as download:
        menu.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "tissue-cell_type.png"
    saved = received(download).read()
    assert saved == picture_bytes(viewer, scale=1, title=False)
    width, height = Image.open(io.BytesIO(saved)).size
    expect(menu.get_by_text(f"{width:,} × {height:,} pixels")).to_be_visible()
    menu.get_by_text("Saved as tissue-cell_type.png").wait_for()
    with page.expect_download() as download:
        menu.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == "tissue-cell_type.svg"
    ET.parse(received(download))
    expect(menu.get_by_text("3,000 cells in view")).to_be_visible()
    menu.get_by_text("Saved as tissue-cell_type.svg").wait_for()
    with page.expect_download() as download:
        menu.get_by_role("button", name="CSV").click()
    assert download.value.suggested_filename == "tissue-cell_type.csv"
    assert len(pd.read_csv(received(download))) == adata.n_obs
    assert viewer.problems == []


def wait_for_focus(page: Any, label: str) -> None:
    page.locator(f"[aria-label='{label}']:focus").wait_for(state="attached")


def test_save_menu_can_be_used_by_keyboard(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    page = viewer.page
    button = page.get_by_role("button", name=SAVE)
    page.evaluate("window.karospace.select(Array.from({length: 3000}, () => 1))")
    button.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("dialog", name="Save")
    menu.wait_for()
    camera = viewer.state()["camera"]
    wait_for_focus(page, "2×")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowRight")
    expect(menu.get_by_role("radio", name="3×")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(menu.get_by_label("Legend")).not_to_be_checked()
    page.keyboard.press("Escape")
    menu.wait_for(state="hidden")
    wait_for_focus(page, SAVE)
    # Escape only closed the menu, and the arrow key did not pan the tissue.
    assert page.evaluate("window.karospace.selection !== null")
    assert viewer.state()["camera"] == camera
    page.keyboard.press("s")
    wait_for_focus(page, "3×")
    expect(menu.get_by_role("radio", name="3×")).to_be_checked()
    page.mouse.click(400, 700)
    menu.wait_for(state="hidden")
    assert viewer.problems == []


def test_picture_is_copied_to_the_clipboard(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    page = viewer.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=SAVE).click()
    page.get_by_role("dialog", name="Save").get_by_role("button", name="Copy", exact=True).click()
    page.get_by_text("Copied to the clipboard").wait_for()
    copied = page.evaluate(
        """async () => {
          const [item] = await navigator.clipboard.read();
          const bitmap = await createImageBitmap(await item.getType('image/png'));
          return [bitmap.height, bitmap.width];
        }"""
    )
    assert tuple(copied) == png(viewer, scale=2).shape[:2]


def test_copied_link_opens_the_view(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    page = viewer.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    viewer.set(color={"kind": "gene", "gene": "EPCAM"}, turn=90)
    page.get_by_role("button", name="Share, save").click()
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Link to this view copied to the clipboard").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    other = Viewer(page.context.new_page()).open(link)
    assert other.state() == viewer.state()
    assert other.problems == []


def test_sandboxed_frame_saves_but_cannot_copy(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, tmp_path: Path
) -> None:
    bundle = Bundle(export(tissue, annotation_columns=["cell_type"]))
    folder = tmp_path / "page"
    folder.mkdir()
    bundle.to_html(folder / "tissue.html")
    page = viewer.page
    url = serve(bundle.path)
    page.route("**/tissue.html", lambda route: route.fulfill(path=folder / "tissue.html", content_type="text/html"))
    page.route(
        "**/around.html",
        lambda route: route.fulfill(
            content_type="text/html",
            body='<iframe sandbox="allow-scripts allow-downloads" src="tissue.html" width="1100" height="800">',
        ),
    )
    page.goto(f"{url.rstrip('/')}/around.html")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name=SAVE).click()
    menu = frame.get_by_role("dialog", name="Save")
    with page.expect_download() as download:
        menu.get_by_role("button", name="PNG").click()
    assert Image.open(received(download)).format == "PNG"
    menu.get_by_text("Saved as").wait_for()
    menu.get_by_role("button", name="Copy", exact=True).click()
    menu.get_by_text("does not allow this page to copy pictures").wait_for()


def test_error_explains_why_a_picture_is_too_large(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, _ = opened
    viewer.page.set_viewport_size({"width": 2560, "height": 1440})
    until_js(viewer.page, "document.querySelector('canvas').height === 1440")
    viewer.set()
    script = "options => window.karospace.picture(options).then(() => '', (error) => error.message)"
    assert "too large for this browser" in viewer.page.evaluate(script, {"scale": 16})
    assert "scale 0" in viewer.page.evaluate(script, {"scale": 0})
    viewer.set(pointSize=4, camera={**viewer.state()["camera"], "zoom": 60})
    limit = viewer.page.evaluate(
        """() => {
          const gl = document.createElement('canvas').getContext('webgl2');
          return gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)[1];
        }"""
    )
    # A cell has a diameter of at most 48 pixels, times the point size of 4.
    scale = limit / 192 * 1.1
    assert "this GPU draws" in viewer.page.evaluate(script, {"scale": scale, **BARE})
    assert png(viewer, scale=1, **BARE).shape[0] == 1440
    assert viewer.problems == []
