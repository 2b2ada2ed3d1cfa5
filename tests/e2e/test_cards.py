"""Cards on the tissue stay inside their view, and show errors while the panel is hidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Viewer
from playwright.sync_api import expect
from waiting import becomes, eventually, until_js

from karospace_jupyter import adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

SECTION = "Patient 03, second block, counted from the left"
EMBEDDINGS = [
    "X_umap",
    "X_pca",
    "X_scVI_latent_after_integration_of_all_samples",
    "X_phate",
    "X_draw_graph_fa",
    "X_tsne",
]

# Returns messages about buttons outside their view or card, narrow buttons, and overlapping cards or buttons.
MISPLACED = """() => [...document.querySelectorAll('.ks-stage, .ks-beside')].flatMap((stage) => {
  const wrong = [];
  const visible = (selector) =>
    [...stage.querySelectorAll(selector)]
      .filter((element) => element.checkVisibility() && !element.closest('[popover]'));
  const cards = visible('.ks-cards .ks-card');
  const buttons = visible('.ks-cards :is(button, select)');
  const name = (element) => element.getAttribute('aria-label') ?? (element.textContent || element.className);
  const inside = (element, around) => {
    const [a, b] = [element.getBoundingClientRect(), around.getBoundingClientRect()];
    const out = Math.max(b.left - a.left, b.top - a.top, a.right - b.right, a.bottom - b.bottom);
    if (out > 0.5) wrong.push(`${name(element)} is ${out} px outside ${around.className}`);
  };
  for (const element of [...cards, ...buttons]) inside(element, stage);
  for (const element of buttons) inside(element, element.closest('.ks-card'));
  for (const element of buttons)
    if (element.clientWidth < 24) wrong.push(`${name(element)} is ${element.clientWidth} px wide`);
  for (const group of [cards, buttons])
    group.forEach((element, at) => group.slice(at + 1).forEach((other) => {
      const [a, b] = [element.getBoundingClientRect(), other.getBoundingClientRect()];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 0.5 && down > 0.5) wrong.push(`${name(element)} overlaps ${name(other)}`);
    }));
  return wrong;
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with long names, many embeddings, and sections with an annotation to filter by."""
    adata = synthetic_tissue(n_cells=1200, seed=2)
    first = adata.obs["section"].cat.categories[0]
    in_first = (adata.obs["section"] == first).to_numpy()
    adata.obs["section"] = pd.Categorical(np.where(in_first, SECTION, "Patient 04"))
    adata.obs["stage"] = pd.Categorical(np.where(in_first, "late", "early"))
    adata.uns.pop("section_colors", None)
    rng = np.random.default_rng(0)
    for key in EMBEDDINGS:
        adata.obsm[key] = rng.normal(size=(adata.n_obs, 2))
    path = tmp_path_factory.mktemp("cards") / "b"
    name = "A data set with a name as long as people give them, twice"
    adata_to_karospace(adata, path, genes_mode=["EPCAM"], embeddings=EMBEDDINGS, dataset_name=name)
    return path


@pytest.fixture(scope="module")
def scripted(folder: Path) -> str:
    return (folder / "index.html").as_uri()


UMAP = {"kind": "embedding", "name": "X_umap"}
GRID = {"kind": "sections", "columns": 2, "order": "file"}
SINGLE = {"kind": "section", "name": SECTION}
LONG = {"kind": "embedding", "name": "X_scVI_latent_after_integration_of_all_samples"}


@pytest.mark.parametrize(
    ("size", "touch"),
    [
        ((400, 500), True),
        ((980, 470), True),
        *(((w, h), False) for w, h in [(400, 500), (980, 470), (1360, 860), (2560, 1440), (3840, 2160)]),
    ],
)
def test_buttons_stay_inside_their_view(browser: Any, scripted: str, size: tuple[int, int], touch: bool) -> None:
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=touch) as context:
        viewer = Viewer(context.new_page())
        page = viewer.page
        viewer.open(scripted)
        if touch:
            assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        states = [(GRID, None), (SINGLE, None), (LONG, None), (GRID, UMAP), (SINGLE, LONG)]
        for layout, beside in states[3:] if size[0] > 2000 else states:
            viewer.set(layout=layout, beside=beside)
            for key in "pvl":  # toggle the panel; choose the move tool; choose the lasso, which adds a card
                page.keyboard.press(key)
                eventually(
                    lambda: page.evaluate(MISPLACED), lambda wrong: wrong == [], what=f"{layout}, {beside}, {key}"
                )
        # Section order and filter are available in the smallest window, too.
        viewer.set(layout=GRID, beside=None)
        page.get_by_label("Section order").first.select_option("by stage")
        page.get_by_role("button", name="Filter").click()
        box = page.get_by_role("dialog", name="Section filter").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        page.get_by_role("checkbox", name="late").uncheck()
        page.get_by_role("button", name="1 of 2").wait_for()
        assert viewer.problems == []


@pytest.mark.parametrize("how", ["hidden panel", "embedded"])
def test_errors_are_shown_on_the_tissue_without_a_panel(
    folder: Path, serve: Callable[[Path], str], viewer: Viewer, how: str
) -> None:
    page = viewer.page
    missing = True
    page.route("**/packed/shard_*", lambda route: route.fulfill(status=404) if missing else route.continue_())
    viewer.open(serve(folder) + ("?embed=1" if how == "embedded" else ""))
    if how == "hidden panel":
        page.keyboard.press("p")
    gene = {"kind": "gene", "gene": "EPCAM"}
    set_color = "color => window.karospace.setState({color}).catch(() => {})"
    page.evaluate(set_color, gene)
    alert = page.get_by_role("alert")
    alert.get_by_text("is missing").wait_for()
    expect(alert).to_have_count(1)
    if how == "hidden panel":
        # An open panel shows the error instead.
        page.keyboard.press("p")
        page.locator(".ks-panel").get_by_role("alert").wait_for()
        expect(alert).to_have_count(1)
        page.keyboard.press("p")
    becomes(lambda: page.evaluate(MISPLACED), [])
    alert.get_by_role("button", name="Dismiss").click()
    alert.wait_for(state="detached")
    page.evaluate(set_color, {"kind": "none"})
    page.evaluate(set_color, gene)
    alert.get_by_text("is missing").wait_for()
    missing = False
    alert.get_by_role("button", name="Try again").click()
    alert.wait_for(state="detached")
    until_js(page, "() => typeof window.karospace.valueAt(0) === 'number'")


def test_selection_tools_do_not_cover_the_names_of_sections(viewer: Viewer, scripted: str) -> None:
    page = viewer.open(scripted).page
    page.set_viewport_size({"width": 1360, "height": 640})
    viewer.set(layout={"kind": "sections"})
    # The height limits the size of the sections, so that their names are next to the tools.
    viewer.becomes(lambda: viewer.boxes(".ks-section-title")[0]["top"] < 102, True)
    before = viewer.boxes(".ks-section-title")
    page.get_by_role("button", name="Lasso").click()
    expect(page.get_by_role("group", name="Selection mode")).to_be_visible()
    assert viewer.boxes(".ks-section-title") == before
    cards = viewer.boxes(".ks-tool-line > .ks-card")
    assert (len(before), len(cards)) == (2, 2)
    for title in before:
        for card in cards:
            apart = max(title["left"], card["left"]) - min(title["right"], card["right"])
            assert max(apart, max(title["top"], card["top"]) - min(title["bottom"], card["bottom"])) >= 0
