"""Selecting cells with the mouse and from scripts, compared with numpy on the same coordinates."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from conftest import Viewer
from numpy.typing import NDArray
from PIL import Image

pytestmark = pytest.mark.e2e

Point = tuple[float, float]
# Shares of the width and height of the tissue on the screen.
MIDDLE = (0.3, 0.3, 0.7, 0.65)


@pytest.fixture
def opened(tissue: Path, export: Any, serve: Any, viewer: Viewer) -> tuple[Viewer, ad.AnnData]:
    viewer.open(serve(export(tissue, annotation_columns=["cell_type"])))
    viewer.set(opacity=1, imageOpacity=0)
    return viewer, ad.read_h5ad(tissue)


class Screen:
    """Where each cell is on the page, from its coordinates and the places of three cells."""

    def __init__(self, viewer: Viewer, adata: ad.AnnData) -> None:
        xy = np.asarray(adata.obsm["spatial"], dtype=np.float32).astype(float)
        corners = [int(np.argmin(xy[:, 0])), int(np.argmax(xy[:, 0])), int(np.argmax(xy[:, 1]))]
        seen = np.array(viewer.positions(corners))
        scale = np.linalg.lstsq(np.c_[xy[corners], np.ones(3)], seen, rcond=None)[0]
        self.at: NDArray[np.float64] = np.c_[xy, np.ones(len(xy))] @ scale

    def point(self, across: float, down: float) -> Point:
        low, high = self.at.min(axis=0), self.at.max(axis=0)
        x, y = low + (high - low) * [across, down]
        return round(float(x)), round(float(y))

    def rectangle(self, x0: float, y0: float, x1: float, y1: float) -> tuple[Point, Point]:
        return self.point(x0, y0), self.point(x1, y1)

    def within(self, start: Point, end: Point) -> NDArray[np.bool_]:
        return np.asarray(((self.at >= start) & (self.at <= end)).all(axis=1))

    def near(self, start: Point, end: Point) -> NDArray[np.bool_]:
        """Cells within a tenth of a pixel of the border, where rounding decides."""
        grown = self.within((start[0] - 0.1, start[1] - 0.1), (end[0] + 0.1, end[1] + 0.1))
        shrunk = self.within((start[0] + 0.1, start[1] + 0.1), (end[0] - 0.1, end[1] - 0.1))
        return grown & ~shrunk

    def in_polygon(self, points: Sequence[Point], margin: float = 0) -> NDArray[np.bool_]:
        x, y = self.at.T + margin
        inside = np.zeros(len(x), dtype=bool)
        for (xa, ya), (xb, yb) in zip(points, [*points[1:], points[0]], strict=True):
            if ya == yb:
                continue
            inside ^= ((ya > y) != (yb > y)) & (x < (xb - xa) * (y - ya) / (yb - ya) + xa)
        return inside


def selection(viewer: Viewer) -> NDArray[np.bool_] | None:
    found = viewer.page.evaluate("window.karospace.selection && Array.from(window.karospace.selection)")
    return None if found is None else np.array(found, dtype=bool)


def selected(viewer: Viewer) -> NDArray[np.bool_]:
    found = selection(viewer)
    assert found is not None, "nothing is selected"
    return found


def select(viewer: Viewer, mask: NDArray[np.bool_]) -> None:
    viewer.page.evaluate("mask => window.karospace.select(Uint8Array.from(mask))", mask.astype(int).tolist())


def drag(viewer: Viewer, points: Sequence[Point], *, key: str = "", button: str = "left") -> None:
    """`key` is held; several are joined by a plus."""
    mouse, keyboard = viewer.page.mouse, viewer.page.keyboard
    keys = key.split("+") if key else []
    mouse.move(*points[0])
    for held in keys:
        keyboard.down(held)
    mouse.down(button=button)
    for point in points[1:]:
        mouse.move(*point, steps=3)
    mouse.up(button=button)
    for held in keys:
        keyboard.up(held)


def tool(viewer: Viewer, name: str) -> None:
    viewer.page.get_by_role("button", name=name).click()


def test_a_rectangle(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    tool(viewer, "Select with a rectangle")
    start, end = screen.rectangle(*MIDDLE)
    drag(viewer, [start, end])
    sure = ~screen.near(start, end)
    wanted = screen.within(start, end)
    assert wanted.sum() > 300
    assert (selected(viewer) == wanted)[sure].all()
    text = viewer.page.get_by_role("status").filter(has_text="cells").inner_text()
    assert f"{selected(viewer).sum():,} cells" in text
    assert viewer.problems == []


def test_a_lasso(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("l")
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = 0.25 + 0.1 * np.sin(3 * angles)
    points = [
        screen.point(0.5 + r * float(np.cos(a)), 0.5 + r * float(np.sin(a))) for a, r in zip(angles, radii, strict=True)
    ]
    viewer.page.mouse.move(*points[0])
    viewer.page.mouse.down()
    for point in points[1:]:
        viewer.page.mouse.move(*point)
    viewer.page.mouse.up()
    wanted = screen.in_polygon(points)
    sure = np.all([screen.in_polygon(points, margin) == wanted for margin in (-0.2, 0.2)], axis=0)
    assert wanted.sum() > 300
    assert (selected(viewer) == wanted)[sure].all()


def test_add_subtract_intersect_undo_invert_clear(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    first, second, third = (
        screen.rectangle(*box) for box in [(0.2, 0.2, 0.5, 0.5), (0.4, 0.4, 0.8, 0.8), (0.3, 0.3, 0.6, 0.6)]
    )
    sure = ~(screen.near(*first) | screen.near(*second) | screen.near(*third))

    def same(wanted: NDArray[np.bool_]) -> None:
        assert (selected(viewer) == wanted)[sure].all()

    drag(viewer, first)
    same(screen.within(*first))
    drag(viewer, second, key="Shift")
    same(screen.within(*first) | screen.within(*second))
    drag(viewer, third, key="Alt")
    left = (screen.within(*first) | screen.within(*second)) & ~screen.within(*third)
    same(left)
    viewer.page.keyboard.press("Control+z")
    same(screen.within(*first) | screen.within(*second))
    drag(viewer, third, key="Shift+Alt")
    same((screen.within(*first) | screen.within(*second)) & screen.within(*third))
    viewer.page.keyboard.press("Control+z")
    viewer.page.keyboard.press("Control+z")
    same(screen.within(*first))
    viewer.page.get_by_role("button", name="Invert").click()
    same(~screen.within(*first))
    viewer.page.keyboard.press("Escape")
    assert selection(viewer) is None
    viewer.page.keyboard.press("Control+z")
    same(~screen.within(*first))
    viewer.page.get_by_role("button", name="Clear", exact=True).click()
    assert selection(viewer) is None


def test_escape_gives_up_the_line_before_the_selection(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    drag(viewer, screen.rectangle(*MIDDLE))
    before = selected(viewer)
    start, end = screen.rectangle(0.1, 0.1, 0.3, 0.3)
    viewer.page.mouse.move(*start)
    viewer.page.mouse.down()
    viewer.page.mouse.move(*end, steps=4)
    assert viewer.page.locator(".ks-outline.ks-replace").count() == 1
    viewer.page.keyboard.press("Escape")
    viewer.page.mouse.up()
    assert (selected(viewer) == before).all()
    # A click without a drag changes nothing either.
    viewer.page.mouse.click(*start)
    assert (selected(viewer) == before).all()
    viewer.page.keyboard.press("Escape")
    assert selection(viewer) is None


def test_other_ways_to_move_while_a_tool_draws(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    tool(viewer, "Select with a lasso")
    start, end = screen.rectangle(*MIDDLE)
    here = viewer.positions([0])[0]
    drag(viewer, [start, (start[0] + 40, start[1] + 20)], button="middle")
    assert viewer.positions([0])[0] == pytest.approx((here[0] + 40, here[1] + 20), abs=0.5)
    drag(viewer, [(start[0] + 40, start[1] + 20), start], key=" ")
    assert viewer.positions([0])[0] == pytest.approx(here, abs=0.5)
    viewer.page.mouse.wheel(0, -300)
    assert viewer.state()["camera"]["zoom"] > 1
    assert selection(viewer) is None
    viewer.page.keyboard.press("v")
    drag(viewer, [start, end])
    assert selection(viewer) is None


def test_a_line_stays_on_the_tissue_when_the_wheel_zooms(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    viewer.page.keyboard.press("m")
    start, end = screen.rectangle(*MIDDLE)
    viewer.page.mouse.move(*start)
    viewer.page.mouse.down()
    viewer.page.mouse.move(*end, steps=3)
    viewer.page.mouse.wheel(0, 200)
    viewer.page.mouse.up()
    sure = ~(screen.near(start, end))
    # The wheel keeps what is under the pointer, and the first corner stays on its place in the tissue.
    assert (selected(viewer) == screen.within(start, end))[sure].mean() > 0.999


def test_one_finger_draws(browser: Any, tissue: Path, export: Any, serve: Any) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 700}, has_touch=True)
    try:
        viewer = Viewer(context.new_page()).open(serve(export(tissue)))
        screen = Screen(viewer, ad.read_h5ad(tissue))
        tool(viewer, "Select with a rectangle")
        start, end = screen.rectangle(*MIDDLE)
        session = context.new_cdp_session(viewer.page)
        steps = [start, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), end]
        for kind, (x, y) in zip(["touchStart", "touchMove", "touchMove"], steps, strict=True):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        sure = ~screen.near(start, end)
        assert (selected(viewer) == screen.within(start, end))[sure].all()

        # A second finger gives the line up and zooms.
        before, zoom = selected(viewer), viewer.state()["camera"]["zoom"]
        x, y = start
        for fingers in ([(x, y)], [(x, y), (x + 60, y)], [(x, y), (x + 120, y)], [(x, y), (x + 180, y)]):
            points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(fingers)]
            kind = "touchStart" if fingers[-1][0] <= x + 60 else "touchMove"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert viewer.state()["camera"]["zoom"] > zoom
        assert (selected(viewer) == before).all()
    finally:
        context.close()


def test_hidden_classes_are_left_out(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    screen = Screen(viewer, adata)
    largest = adata.obs["cell_type"].value_counts().index[0]
    hidden = (adata.obs["cell_type"] == largest).to_numpy()
    viewer.set(hidden={"cell_type": [largest]})
    viewer.page.keyboard.press("m")
    start, end = screen.rectangle(*MIDDLE)
    drag(viewer, [start, end])
    sure = ~screen.near(start, end)
    assert (selected(viewer) == (screen.within(start, end) & ~hidden))[sure].all()
    # Under another colouring all cells are in sight, and all are selected.
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    drag(viewer, [start, end])
    assert (selected(viewer) == screen.within(start, end))[sure].all()


def shares(text: str) -> float:
    return float(text.removesuffix(" %").strip("<> ")) / 100


def test_composition_against_the_rest(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    types = adata.obs["cell_type"]
    largest, second = types.value_counts().index[:2]
    # All of one class, half of another, none of the others.
    mask = (types == largest).to_numpy()
    mask[np.flatnonzero(types == second)[::2]] = True
    select(viewer, mask)
    inside = types[mask].value_counts(normalize=True)
    rest = types[~mask].value_counts(normalize=True)
    apart = (inside - rest).abs()
    told = [name for name in types.cat.categories if inside[name] > 0 or rest[name] >= 0.01]
    told.sort(key=lambda name: -apart[name])
    assert len(told) > 3, "classes that the selection has none of are among them"
    page.get_by_text("against the rest").wait_for()
    panel = page.get_by_role("region", name="Selection")
    if len(told) > 6:
        panel.get_by_role("button", name=f"{len(told) - 6} more").click()
    rows = page.get_by_role("list", name="Composition by cell_type").get_by_role("listitem").all()
    assert len(rows) == len(told)
    for row, name in zip(rows, told, strict=True):
        said, share, ratio = row.inner_text().split("\n")
        assert said == name
        assert shares(share) == pytest.approx(inside[name], abs=0.006)
        title = row.get_attribute("title")
        assert title.startswith(f"{name}: {(types[mask] == name).sum():,} selected, ")
        assert shares(re.search(r"([<>\d. ]+ %) of the rest$", title)[1]) == pytest.approx(rest[name], abs=0.006)
        if rest[name] == 0:
            assert ratio == "∞"
        elif inside[name] == 0:
            assert ratio == "0×"
        else:
            assert float(ratio.removesuffix("×")) == pytest.approx(inside[name] / rest[name], rel=0.06)
    # All cells have no rest.
    select(viewer, np.ones(adata.n_obs, dtype=bool))
    assert page.get_by_text("against the rest").count() == 0
    first = page.get_by_role("list", name="Composition by cell_type").get_by_role("listitem").first
    assert first.inner_text().strip().split("\n") == [largest, f"{100 * (types == largest).mean():.0f} %"]


@pytest.mark.parametrize("color", [{"kind": "gene", "gene": "EPCAM"}, {"kind": "blend", "genes": ["EPCAM", "CD3E"]}])
def test_the_mean_of_each_gene_against_the_rest(opened: tuple[Viewer, ad.AnnData], color: dict[str, Any]) -> None:
    viewer, adata = opened
    mask = (adata.obs["cell_type"] == adata.obs["cell_type"].value_counts().index[0]).to_numpy()
    select(viewer, mask)
    viewer.set(color=color)
    for gene in color.get("genes", ["EPCAM"]):
        values = np.asarray(adata[:, gene].X.todense()).ravel()
        rows = viewer.page.get_by_role("list", name=f"Mean of {gene}").get_by_role("listitem").all_inner_texts()
        for row, side, cells in zip(rows, ("Inside", "Outside"), (mask, ~mask), strict=True):
            first, shown, *_ = row.split("\n")
            share = re.fullmatch(rf"{side}\s*([<\d.]+)\s*% detected", first)
            assert share, first
            assert float(share[1].strip("<")) == pytest.approx(100 * (values[cells] > 0).mean(), abs=0.6)
            assert float(shown) == pytest.approx(float(values[cells].mean()), rel=0.02, abs=0.006)


def test_regions_are_saved_renamed_selected_and_removed(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    left = np.asarray(adata.obsm["spatial"])[:, 0] < np.median(np.asarray(adata.obsm["spatial"])[:, 0])
    theme = viewer.state()["theme"]
    select(viewer, left)
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.type("the left, with vlmt")
    page.keyboard.press("Enter")
    select(viewer, ~left)
    page.get_by_role("button", name="+ New").click()
    page.keyboard.press("Enter")

    def regions() -> list[list[Any]]:
        found: list[list[Any]] = page.evaluate("window.karospace.regions.map((r) => [r.name, r.count])")
        return found

    count = int(left.sum())
    assert regions() == [["the left, with vlmt", count], ["Region 1", len(left) - count]]
    # What is typed into a name is no shortcut.
    assert viewer.state()["theme"] == theme
    colours = page.evaluate("window.karospace.regions.map((r) => r.color)")
    assert len(set(colours)) == 2

    page.get_by_role("button", name="Select the left").click()
    assert (selected(viewer) == left).all()
    page.get_by_role("button", name="Select Region 1").click(modifiers=["Shift"])
    assert selected(viewer).all()
    page.get_by_role("button", name="Rename the left").click()
    page.keyboard.type("left")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select Region 1").dblclick()
    page.keyboard.type("left")
    page.keyboard.press("Enter")
    assert [name for name, _ in regions()] == ["left", "Region 1"], "a name that is taken is not given twice"
    page.get_by_role("button", name="Select left").focus()
    page.keyboard.press("F2")
    page.keyboard.type("other")
    page.keyboard.press("Escape")
    assert [name for name, _ in regions()] == ["left", "Region 1"]
    assert selection(viewer) is not None, "Escape in a field is only for the field"
    # The focus stays among the regions: a reader of the keyboard is not thrown back to the start.
    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    assert regions() == []
    assert viewer.problems == []


def test_from_scripts(opened: tuple[Viewer, ad.AnnData]) -> None:
    viewer, adata = opened
    page = viewer.page
    page.evaluate(
        """() => {
            window.seen = [];
            window.karospace.on('selection', (s) => window.seen.push(['selection', s.count, s.mask?.length ?? null]));
            window.karospace.on('regions', (r) => window.seen.push(['regions', r.map((x) => x.name)]));
        }"""
    )
    mask = np.zeros(adata.n_obs, dtype=bool)
    mask[::3] = True
    select(viewer, mask)
    assert (selected(viewer) == mask).all()
    # What is given out is a copy.
    page.evaluate("window.karospace.selection.fill(1)")
    assert (selected(viewer) == mask).all()
    page.evaluate(
        """mask => window.karospace.setRegions([
            {name: 'a', mask: Uint8Array.from(mask), color: '#112233'},
            {name: '<b>', mask: new Uint8Array(mask.length)},
        ])""",
        mask.astype(int).tolist(),
    )
    found = page.evaluate("window.karospace.regions.map((r) => [r.name, r.color, r.count, r.mask.length])")
    assert found[0] == ["a", "#112233", int(mask.sum()), adata.n_obs]
    assert found[1][0] == "<b>"
    assert found[1][2:] == [0, adata.n_obs]
    page.evaluate("window.karospace.select(null)")
    assert selection(viewer) is None
    assert page.evaluate("window.seen") == [
        ["selection", int(mask.sum()), adata.n_obs],
        ["regions", ["a", "<b>"]],
        ["selection", 0, None],
    ]
    with pytest.raises(Exception, match="has 2 entries; the bundle has 3000 cells"):
        page.evaluate("window.karospace.select(new Uint8Array(2))")
    assert "selection" not in viewer.state()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_not_selected_steps_back(opened: tuple[Viewer, ad.AnnData], theme: str) -> None:
    viewer, adata = opened
    viewer.set(theme=theme, pointSize=0.5)
    rng = np.random.default_rng(0)
    mask = rng.random(adata.n_obs) < 0.5
    # Right of the card that a selection opens.
    cells = rng.choice(np.flatnonzero(Screen(viewer, adata).at[:, 0] > 345), 300, replace=False)
    ground = np.array([246, 247, 249] if theme == "light" else [14, 17, 22])

    def colours() -> NDArray[np.int64]:
        viewer.set()
        return viewer.colours(cells.tolist()).astype(np.int64)

    for color in ({"kind": "annotation", "column": "cell_type"}, {"kind": "gene", "gene": "EPCAM"}, {"kind": "none"}):
        viewer.page.evaluate("window.karospace.select(null)")
        viewer.set(color=color)
        before = colours()
        select(viewer, mask)
        after = colours()
        kept = np.abs(after - before).max(axis=1) <= 12
        inside = mask[cells]
        # Nearly all: where cells touch, a selected one may now lie above.
        assert kept[inside].mean() > 0.95, color
        spread = np.ptp(after, axis=1)
        pale = (np.abs(after - ground).max(axis=1) < 90) & (spread < 40)
        assert pale[~inside].mean() > 0.95, color
        assert kept[~inside].mean() < 0.05, color
    viewer.page.evaluate("window.karospace.select(null)")
    assert (np.abs(colours() - before).max(axis=1) <= 2).all(), "without a selection all is as it was"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_snapshot_is_what_is_seen(opened: tuple[Viewer, ad.AnnData], theme: str) -> None:
    viewer, adata = opened
    viewer.set(theme=theme)
    mask = np.zeros(adata.n_obs, dtype=bool)
    mask[::4] = True
    select(viewer, mask)
    viewer.set()
    encoded = viewer.page.evaluate(
        """async () => {
            const bytes = new Uint8Array(await (await window.karospace.snapshot()).arrayBuffer());
            return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
        }"""
    )
    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    assert picture.format == "PNG"
    taken = np.asarray(picture.convert("RGB")).astype(int)
    # The middle of the stage, where no card lies on it.
    part = (slice(300, 520), slice(380, 900))
    shown = np.asarray(Image.open(io.BytesIO(viewer.page.screenshot())).convert("RGB")).astype(int)
    assert np.abs(taken[part] - shown[part]).max() <= 3
    assert np.unique(taken[part].reshape(-1, 3), axis=0).shape[0] > 10


@pytest.mark.parametrize("size", [(400, 500), (980, 470)])
def test_it_can_be_used_in_a_small_window(
    tissue: Path, export: Any, serve: Any, viewer: Viewer, size: tuple[int, int]
) -> None:
    page = viewer.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    viewer.open(serve(export(tissue)))
    screen = Screen(viewer, ad.read_h5ad(tissue))
    tool(viewer, "Select with a rectangle")
    drag(viewer, screen.rectangle(*MIDDLE))
    if size[0] < 700:
        page.get_by_title("Show the selection in the panel").click()
    page.get_by_role("button", name="Save as region").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Select Region 1").click()
    page.get_by_role("button", name="Clear", exact=True).click()
    assert selection(viewer) is None
    tools = page.get_by_role("group", name="Tools").bounding_box()
    scale = page.locator(".ks-scale").bounding_box()
    assert tools["y"] + tools["height"] <= scale["y"], "cards do not cover one another"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.evaluate("window.karospace.dispose()")
    assert page.evaluate("window.karospace.liveObjects") == 0
    assert viewer.problems == []
