"""Groups of categories are created and edited in the legend, and shown wherever their categories were."""

from __future__ import annotations

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
from playwright.sync_api import expect
from waiting import becomes, until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

Opened = tuple[Viewer, ad.AnnData]
LYMPHOCYTES = ["B cell", "T cell"]
GROUPS = "Group categories"


@pytest.fixture
def opened(viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]) -> Opened:
    adata = synthetic_tissue(n_cells=2000, seed=2)
    adata.obs.loc[adata.obs_names[::50], "cell_type"] = np.nan
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], image_path="none")
    viewer.open(serve(tmp_path / "b"))
    viewer.set(opacity=1, pointSize=1.6, color={"kind": "annotation", "column": "cell_type"})
    return viewer, adata


def row(viewer: Viewer, name: str, role: Any = "button") -> Any:
    return viewer.page.locator(".ks-legend").get_by_role(role, name=re.compile(f"^{re.escape(name)},"))


def names(viewer: Viewer) -> list[str]:
    return [name.strip() for name in viewer.page.locator(".ks-legend .ks-class-name").all_inner_texts()]


def make_group(viewer: Viewer, members: list[str], name: str) -> None:
    """Group categories with the mouse."""
    page = viewer.page
    page.get_by_role("button", name=GROUPS, exact=True).click()
    for member in members:
        row(viewer, member, "checkbox").click()
    page.get_by_label("Group name").fill(name)
    page.get_by_role("button", name="Group", exact=True).click()
    row(viewer, name.strip()).wait_for()


def color_of(viewer: Viewer, cell: int) -> str:
    return "#" + "".join(f"{int(channel):02x}" for channel in viewer.colors([cell])[0])


def svg(viewer: Viewer) -> str:
    text: str = viewer.page.evaluate("window.karospace.picture({format: 'svg'}).then((blob) => blob.text())")
    return text


def test_group_is_shown_wherever_its_categories_were(opened: Opened) -> None:
    viewer, adata = opened
    page = viewer.page
    types = adata.obs["cell_type"]
    inside = types.isin(LYMPHOCYTES)
    cells = [int(np.flatnonzero(types == member)[0]) for member in LYMPHOCYTES]
    make_group(viewer, LYMPHOCYTES, " Lymphocyte ")
    # The members are in the order of the column.
    members = [name for name in types.cat.categories if name in LYMPHOCYTES]
    state = {"cell_type": [{"name": "Lymphocyte", "members": members, "color": None}]}
    becomes(lambda: viewer.state()["groups"], state)
    # The legend shows the group with its count and its members by size. Cells have the color of the largest member.
    text = row(viewer, "Lymphocyte").inner_text().split("\n")
    assert int(text[1].replace(",", "")) == inside.sum()
    assert set(LYMPHOCYTES).isdisjoint(names(viewer))
    expect(page.locator(".ks-group-line")).to_have_text("T cell, B cell")
    assert types.value_counts()["T cell"] > types.value_counts()["B cell"]
    colors = dict(zip(types.cat.categories, adata.uns["cell_type_colors"], strict=True))
    page.mouse.move(300, 840)
    viewer.set()
    assert [color_of(viewer, cell) for cell in cells] == [colors["T cell"].lower()] * 2
    # Colors, pictures, tables, values and labels follow the group.
    page.get_by_label("Color of Lymphocyte", exact=True).fill("#12fe34")
    viewer.until("state.groups.cell_type[0].color === '#12fe34'")
    assert [color_of(viewer, cell) for cell in cells] == ["#12fe34"] * 2
    picture = svg(viewer)
    assert ">Lymphocyte</text>" in picture and not any(f">{member}</text>" in picture for member in LYMPHOCYTES)
    assert re.search(r"#12fe34|rgb\(18,? 254,? 52\)", picture)
    rows = [line.split(",") for line in page.evaluate("window.karospace.table()").splitlines()]
    assert rows[0][-2:] == ["cell_type", "cell_type_groups"]
    assert {tuple(line[-2:]) for line in rows[1:]} >= {("B cell", "Lymphocyte"), ("Tumor", "Tumor"), ("", "")}
    assert viewer.value(cells[0]) == "Lymphocyte"
    viewer.set(labels=True)
    expect(page.locator(".ks-labels")).to_contain_text("Lymphocyte")
    # The group counts as one category. Its button is next to its name, above the members.
    expect(page.get_by_role("tabpanel").get_by_text(f"{types.nunique() - 1} categories")).to_be_visible()
    name, button = (
        page.locator(".ks-class-row", has_text="Lymphocyte").locator(part).bounding_box()
        for part in (".ks-class-name", ".ks-row-genes")
    )
    assert abs(name["y"] + name["height"] / 2 - button["y"] - button["height"] / 2) < 2
    # The group can be selected, and is listed in the composition of the selection.
    row(viewer, "Lymphocyte").click(modifiers=["Alt"])
    assert page.evaluate("Array.from(window.karospace.selection)") == inside.astype(int).tolist()
    expect(page.get_by_role("list", name="Composition by cell_type").locator("li").first).to_contain_text("Lymphocyte")
    # Hiding and isolating act on all members.
    row(viewer, "Lymphocyte").click()
    viewer.until("state.hidden.cell_type?.length === 2")
    assert sorted(viewer.state()["hidden"]["cell_type"]) == LYMPHOCYTES
    assert ">Lymphocyte</text>" not in svg(viewer)
    expect(row(viewer, "Lymphocyte")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Show all", exact=True).click()
    row(viewer, "Lymphocyte").dblclick()
    viewer.until("state.isolated.cell_type?.length === 2")
    legend = re.findall(r">([^<>]+)</text>", svg(viewer))
    assert "Lymphocyte" in legend and "Tumor" not in legend
    page.get_by_role("button", name="Show all", exact=True).click()
    # The means of a gene by category include the group.
    viewer.set(color={"kind": "gene", "gene": "EPCAM"})
    expect(page.locator(".ks-means")).to_contain_text("Lymphocyte")
    assert viewer.problems == []


def test_group_is_renamed_extended_undone_and_ungrouped(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    make_group(viewer, LYMPHOCYTES, "Lymphocyte")
    before = names(viewer)
    page.get_by_role("button", name="Rename Lymphocyte").click()
    field = page.get_by_label("New name for Lymphocyte")
    field.fill("Tumor")
    page.get_by_text("Another category is already named “Tumor”.").wait_for()
    field.press("Enter")
    assert "Lymphocyte" in names(viewer)
    field.fill("B cell")
    field.press("Enter")
    viewer.until("state.groups.cell_type[0].name === 'B cell'")
    # Another category is added. The form suggests the name of the group.
    page.get_by_role("button", name=GROUPS, exact=True).click()
    row(viewer, "B cell", "checkbox").click()
    row(viewer, "Macrophage", "checkbox").click()
    expect(page.get_by_label("Group name")).to_have_value("B cell")
    page.get_by_label("Group name").fill("Immune")
    page.keyboard.press("Enter")
    row(viewer, "Immune").wait_for()
    assert viewer.state()["groups"]["cell_type"] == [
        {"name": "Immune", "members": ["T cell", "B cell", "Macrophage"], "color": None}
    ]
    for name in ("B cell", "Lymphocyte"):
        page.keyboard.press("Control+z")
        row(viewer, name).wait_for()
    becomes(lambda: names(viewer), before)
    page.get_by_role("button", name="Ungroup Lymphocyte").click()
    row(viewer, "T cell").wait_for()
    assert viewer.state()["groups"] == {}
    page.keyboard.press("Control+z")
    becomes(lambda: names(viewer), before)
    assert viewer.problems == []


def test_groups_are_kept_in_links_view_files_and_exports(
    opened: Opened, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    viewer, adata = opened
    page = viewer.page
    make_group(viewer, LYMPHOCYTES, "Lymphocyte")
    row(viewer, "Lymphocyte").click()
    viewer.until("state.hidden.cell_type?.length === 2")
    viewer.address()
    page.reload()
    page.evaluate("window.karospace.ready")
    expect(row(viewer, "Lymphocyte")).to_have_attribute("aria-pressed", "false")
    view = page.evaluate("window.karospace.getView()")
    (tmp_path / "view.json").write_text(json.dumps(view))
    # Categories that the export leaves out are dropped from the group.
    subset = adata[adata.obs["cell_type"] != "B cell"].copy()
    bundle = adata_to_karospace(subset, tmp_path / "less", genes_mode=["EPCAM"], view=tmp_path / "view.json")
    assert "Categories that are not exported were left out of groups: 'Lymphocyte' of 'cell_type'." in (
        bundle.manifest.warnings or []
    )
    viewer.open(serve(tmp_path / "less"))
    expect(page.locator(".ks-group-line")).to_have_text("T cell")
    expect(page.locator(".ks-notice, .ks-problem")).to_have_count(0)
    # A view of other data shows the groups that exist, and one notice names what is missing.
    groups = {"cell_type": [{"name": "G", "members": ["T cell", "B cell"]}], "gone": [{"name": "H", "members": ["x"]}]}
    (tmp_path / "view.json").write_text(json.dumps({"groups": groups}))
    page.get_by_role("button", name="Share").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Open view…").click()
    chooser.value.set_files(tmp_path / "view.json")
    notice = page.get_by_role("complementary", name="Color and display").get_by_text("Groups of categories were left")
    expect(notice).to_contain_text("“G” of “cell_type”: there is no category “B cell”; “gone” is not a categorical")
    expect(page.locator(".ks-group-line")).to_have_text("T cell")
    assert viewer.problems == []


def test_groups_can_be_made_by_keyboard(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    listed = names(viewer)
    focused = "document.activeElement.getAttribute('aria-label')"
    page.get_by_role("button", name=GROUPS, exact=True).focus()
    page.keyboard.press("Enter")
    until_js(page, f"() => {focused}?.startsWith('{listed[0]},')")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    expect(page.locator(".ks-legend [aria-checked=true]")).to_have_count(3)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ks-legend [aria-checked=true]")).to_have_count(2)
    page.keyboard.press("End")  # cells without a value cannot be grouped
    expect(row(viewer, "no value", "checkbox")).to_be_disabled()
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Group name"
    page.keyboard.type("Both")
    page.keyboard.press("Enter")
    until_js(page, f"() => {focused}?.startsWith('Both,')")
    assert viewer.state()["groups"]["cell_type"][0]["members"] == [listed[0], listed[2]]
    page.keyboard.press("F2")
    page.keyboard.press("Control+a")
    page.keyboard.type("Two")
    page.keyboard.press("ArrowLeft")  # moves in the name, not in the list
    page.keyboard.press("Enter")
    until_js(page, f"() => {focused}?.startsWith('Two,')")
    page.keyboard.press("Delete")
    until_js(page, f"() => {focused}?.startsWith('{listed[0]},')")
    assert viewer.state()["groups"] == {}
    # Ctrl+Enter starts a group with the focused category. Escape cancels it.
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ks-legend [aria-checked=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".ks-legend [aria-checked]")).to_have_count(0)
    assert viewer.state()["hidden"] == viewer.state()["groups"] == {}
    assert viewer.problems == []


def test_name_of_a_new_group_can_be_typed_at_once(opened: Opened) -> None:
    viewer, _ = opened
    page = viewer.page
    before = viewer.state()
    for member in LYMPHOCYTES:
        role = "button" if member == LYMPHOCYTES[0] else "checkbox"
        row(viewer, member, role).click(modifiers=["Control"])
        expect(page.get_by_label("Group name")).to_be_focused()
    page.keyboard.type("talk")  # the letters are shortcuts elsewhere
    # Adding a category keeps the name, and the typing continues.
    row(viewer, "Macrophage", "checkbox").click()
    expect(page.get_by_label("Group name")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("s")
    page.keyboard.press("Enter")
    row(viewer, "talks").wait_for()
    assert {**viewer.state(), "groups": {}} == before
    page.get_by_role("button", name=GROUPS, exact=True).click()
    expect(page.get_by_label("Group name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Group name")).to_have_count(0)
    assert viewer.problems == []


def test_hundreds_of_categories_can_be_grouped_with_a_search(
    viewer: Viewer, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    adata = synthetic_tissue(n_cells=1500, seed=3)
    adata.obs["kind"] = pd.Categorical([f"{'odd' if i % 2 else 'even'} {i:03}" for i in np.arange(adata.n_obs) % 300])
    adata_to_karospace(adata, tmp_path / "b", genes_mode=["EPCAM"], annotation_columns=["kind"], image_path="none")
    page = viewer.open(serve(tmp_path / "b")).page
    viewer.set(color={"kind": "annotation", "column": "kind"})
    becomes(lambda: len(names(viewer)), 300)
    row(viewer, "even 000").click(modifiers=["Control"])
    group = page.get_by_role("button", name="Group", exact=True)
    # The form is visible although the list is long.
    expect(group).to_be_in_viewport()
    page.get_by_label("Search categories").fill("odd")
    page.get_by_role("button", name="Check all found").click()
    page.get_by_text("151 categories, 755 cells").wait_for()
    page.get_by_label("Group name").fill("even 002")
    page.get_by_text("Another category is already named “even 002”.").wait_for()
    expect(group).to_be_disabled()
    page.get_by_label("Group name").fill("Odd")
    group.click()
    becomes(lambda: len(names(viewer)), 150)
    assert names(viewer)[0] == "Odd"
    expect(row(viewer, "Odd")).to_be_focused()
    # A search finds groups by their members.
    page.get_by_label("Search categories").fill("odd 001")
    becomes(lambda: names(viewer), ["Odd"])
    assert viewer.problems == []


def test_groups_can_be_made_by_touch(browser: Any, opened: Opened) -> None:
    url = opened[0].page.url.partition("#")[0]
    with browser.new_context(viewport={"width": 400, "height": 700}, has_touch=True) as context:
        viewer = Viewer(context.new_page()).open(url)
        page = viewer.page
        viewer.set(color={"kind": "annotation", "column": "cell_type"})
        page.get_by_role("button", name="Show panel").tap()  # hidden at first in a narrow window
        page.get_by_role("button", name=GROUPS, exact=True).tap()
        for member in LYMPHOCYTES:
            row(viewer, member, "checkbox").tap()
        page.get_by_role("button", name="Group", exact=True).tap()
        expect(row(viewer, "Group 1")).to_have_count(1)
        becomes(lambda: sorted(viewer.state()["groups"]["cell_type"][0]["members"]), LYMPHOCYTES)
        assert viewer.problems == []
