"""The export form in a real JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from environments import progress_above
from lab import TISSUES, Lab, Notebook, viewer_in
from playwright.sync_api import expect
from waiting import eventually, holds, until_js

from karospace_jupyter import Bundle

pytestmark = pytest.mark.e2e

DATA = f"""{TISSUES}
import time
from pathlib import Path
import numpy as np
import held
from karospace_jupyter import karospace_widget
adata = synthetic_tissue(3000, 60, seed=3)
"""

Open = Callable[..., Notebook]


@pytest.fixture(scope="module")
def shared(lab: Lab, window: Any) -> Iterator[Notebook]:
    """Open one notebook for several tests; each test runs the cells that it needs."""
    cells = [
        DATA,
        "w = karospace_widget(adata, 'exported')\nw",
        "big = synthetic_tissue(6_000, 100, seed=4)\nslow = karospace_widget(big, 'slow', genes_mode='all', jobs=1)\nslow",
        "slow.start()\nwhile not Path('forms.go').exists():\n    time.sleep(0.05)",
        "slow.start()\nended = slow.wait(600)\nended",
        "bare = adata.copy()\ndel bare.obsm['spatial']\ndel bare.obsm['X_umap']\nbare.obs = bare.obs[['cell_type']]\nx = karospace_widget(bare)\nx",
        "w.start()\nw.wait(600)",
    ]
    nb = lab.notebook(window.new_page(), cells, name="forms.ipynb")
    nb.run(0)
    yield nb
    nb.shut_down()
    nb.page.close()


def form(nb: Notebook, index: int) -> Any:
    card = nb.output(index).locator(".kf-card")
    card.wait_for()
    return card


def export(card: Any) -> None:
    card.get_by_role("button", name=re.compile("^Export")).click()


def test_form_exports_the_chosen_options_and_opens_the_viewer(shared: Notebook, lab: Lab) -> None:
    nb = shared
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    expect(card.locator(".kf-head")).to_contain_text("3,000 cells × 60 genes", use_inner_text=True)
    card.get_by_label("total_counts").uncheck()
    card.get_by_role("radio", name="List").click()
    area = card.get_by_label("Genes, one per line")
    area.click()
    area.press_sequentially("epc")
    card.get_by_role("option", name="EPCAM").wait_for()
    area.press("Enter")
    area.press_sequentially("CD3E NOPE")
    card.locator(".kf-unknown").get_by_text("NOPE").wait_for()
    expect(card.get_by_role("button", name="Export", exact=True)).to_be_disabled()
    card.get_by_role("button", name="Remove NOPE").click()
    card.locator(".kf-size").get_by_text("files").wait_for()
    nb.until("w.options['genes_mode']", ["EPCAM", "CD3E"])
    export(card)
    frame = nb.viewer(1)
    nb.until("[w.status, w.progress, w.error]", ["done", 1.0, None])
    assert nb.python("w.manifest['gene_list']") == ["EPCAM", "CD3E"]
    frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'CD3E'}})")
    value = nb.python("float(adata[10, 'CD3E'].X.toarray()[0, 0])")
    assert frame.evaluate("window.karospace.valueAt(10)") == pytest.approx(value)
    bundle = Bundle(Path(lab.folder) / "exported")
    bundle.verify()
    assert "total_counts" not in bundle.manifest.annotation_columns
    assert nb.python("w.bundle_path") == str(bundle.path)
    card.locator(".kf-done").get_by_text("files").wait_for()
    # Downloads of the bundle as one file, created by the kernel.
    for name in ("HTML", "Zip"):
        with nb.page.expect_download() as download:
            card.get_by_role("button", name=name, exact=True).click()
        saved = Path(lab.folder) / f"saved.{name.lower()}"
        download.value.save_as(saved)
        Bundle(saved).verify()
    # The same viewer in a new browser tab.
    with nb.page.context.expect_page() as opened:
        card.get_by_role("button", name="Open in tab").click()
    tab = opened.value
    viewer_in(tab.locator("iframe").first)
    tab.close()
    assert nb.problems == []


def test_options_are_synchronized_between_python_and_the_form(shared: Notebook) -> None:
    nb = shared
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    nb.python("setattr(w, 'options', {'outdir': 'elsewhere', 'genes_mode': 'top_mean:7'})")
    card.get_by_role("radio", name="Top mean").and_(card.locator("[aria-checked=true]")).wait_for()
    expect(card.get_by_label("Folder", exact=True)).to_have_value("elsewhere")
    card.get_by_label("Folder", exact=True).fill("exported")
    nb.until("w.options['outdir']", "exported")
    # Options set from Python do not discard text that is being typed, and typing does not discard those options.
    card.get_by_label("Folder", exact=True).press_sequentially("2")
    nb.python("setattr(w, 'options', {'genes_mode': 'hvgs:9'})")
    nb.until("[w.options['outdir'], w.options['genes_mode']]", ["exported2", "hvgs:9"])
    card.get_by_role("radio", name="Variable").and_(card.locator("[aria-checked=true]")).wait_for()
    expect(card.get_by_label("Folder", exact=True)).to_have_value("exported2")
    card.get_by_label("Folder", exact=True).fill("exported")
    nb.until("w.options['outdir']", "exported")
    nb.python("setattr(w, 'options', {'genes_mode': 'top_mean:7'})")
    unknown = (
        "(lambda: [exec('''try:\\n    w.options = {'colour': 1}\\n    message = ''\\n"
        "except Exception as e:\\n    message = str(e)''', globals()), message][1])()"
    )
    assert "Unknown option 'colour'" in nb.python(unknown)
    code = nb.python("w.code()")
    assert "adata_to_karospace(adata, 'exported', genes_mode='top_mean:7')" in code
    assert "--genes top_mean:7" in code


def test_sections_embeddings_and_the_initial_view_are_exported(shared: Notebook, lab: Lab) -> None:
    nb = shared
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    card.get_by_text("More options", exact=True).click()
    sections = card.get_by_label("Sections", exact=True)
    expect(sections.locator("option").first).to_have_text("Found: section")
    sections.select_option("region")
    card.get_by_text("of 3,000 · by region").wait_for()
    umap = card.get_by_role("group", name="Embeddings").get_by_role("checkbox", name="UMAP")
    expect(umap).to_be_checked()
    umap.uncheck()
    view = card.get_by_label("Initial view", exact=True)
    view.fill("absent.json")
    card.locator(".kf-problem").get_by_text("absent.json cannot be read").wait_for()
    (Path(lab.folder) / "view.json").write_text('{"opacity": 0.5}')
    view.fill("view.json")
    card.locator(".kf-problem").wait_for(state="detached")
    nb.until("[w.options[key] for key in ('sections', 'embeddings', 'view')]", ["region", [], "view.json"])
    export(card)
    nb.until("w.status", "done")
    manifest = nb.python("w.manifest")
    assert manifest["sections"]["column"] == "region"
    assert manifest["view"] == {"opacity": 0.5} and "embeddings" not in manifest
    umap.check()
    sections.select_option("")
    nb.until("[w.options[key] for key in ('sections', 'embeddings')]", [None, None])
    assert nb.problems == []


def test_errors_are_shown_at_their_field(shared: Notebook, lab: Lab) -> None:
    nb = shared
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    taken = Path(lab.folder) / "taken"
    taken.mkdir(exist_ok=True)
    (taken / "thesis.txt").write_text("precious")
    card.get_by_label("Folder", exact=True).fill("taken")
    wrong = card.locator(".kf-wrong").filter(has_text="not a bundle")
    wrong.wait_for()
    expect(wrong).to_contain_text("thesis.txt", use_inner_text=True)
    expect(card.get_by_role("button", name=re.compile("^Export"))).to_be_disabled()
    # Starting the export from Python fails with the same message.
    nb.python("w.start()")
    nb.until("w.status", "failed")
    assert "not a bundle" in nb.python("w.error")
    assert (taken / "thesis.txt").read_text() == "precious"
    card.get_by_label("Folder", exact=True).fill("exported")
    nb.until("w._estimate['problems']", {})


def test_error_of_an_option_that_is_not_in_sight_is_shown(shared: Notebook) -> None:
    nb = shared
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    more = card.locator(".kf-details")
    expect(more).not_to_have_attribute("open", "")
    # The form has no field for gene sets.
    nb.python("setattr(w, 'options', {'gene_sets': ['absent.gmt']})")
    card.get_by_text("gene_sets: The gene set file absent.gmt cannot be read").wait_for()
    expect(more).not_to_have_attribute("open", "")
    nb.python("setattr(w, 'options', {'gene_sets': None, 'markers': ['absent']})")
    expect(more).to_have_attribute("open", "")
    more.get_by_text("obs has no column 'absent' for markers").wait_for()


def test_form_explains_what_to_do_without_coordinates(shared: Notebook) -> None:
    nb = shared
    nb.run(5)
    card = form(nb, 5)
    card.locator(".kf-problem").first.wait_for()
    expect(card).to_contain_text("No coordinates were found", use_inner_text=True)
    expect(card.get_by_role("button", name="Export", exact=True)).to_be_disabled()


def test_dropped_cells_without_coordinates_are_reported(notebook: Open) -> None:
    nb = notebook([DATA + "adata.obsm['spatial'][:50] = np.nan", "w = karospace_widget(adata, 'gaps')\nw"])
    nb.run(0)
    nb.run(1)
    form(nb, 1).get_by_text("50 of 3,000 cells were left out").wait_for()


def test_cancel_works_during_run_all(notebook: Open, lab: Lab, holding: Any) -> None:
    """The form is displayed while the kernel is busy, before the kernel has handled any of its messages."""
    cells = [
        DATA + "big = synthetic_tissue(6_000, 100, seed=4)",
        "slow = karospace_widget(big, 'at_once', genes_mode='all', jobs=1)\nslow",
        "slow.start()\nwhile not Path('at_once.go').exists():\n    time.sleep(0.05)",
    ]
    nb = notebook(cells)
    holding(0.3)
    nb.command("notebook:run-all-cells")
    card = form(nb, 1)
    progress_above(card.get_by_role("progressbar"), 0)
    card.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name=re.compile("^Export")).wait_for()
    expect(nb.prompt(2), "the cell is no longer running").to_have_text("[*]:")
    (Path(lab.folder) / "at_once.go").touch()


def test_progress_and_cancel_work_while_a_cell_runs(shared: Notebook, lab: Lab, holding: Any) -> None:
    nb = shared
    nb.run(2)
    card = form(nb, 2)
    card.get_by_text("detected").wait_for()
    holding(0.3)
    nb.run(3, wait=False)
    bar = card.get_by_role("progressbar")
    bar.wait_for()
    first = progress_above(bar, 0)
    holding(0.8)
    assert progress_above(bar, first) > first
    card.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name=re.compile("^Export")).wait_for()
    expect(nb.prompt(3), "the cell is no longer running").to_have_text("[*]:")
    expect(card.locator(".kf-middle")).to_contain_text("canceled", use_inner_text=True)
    assert not (Path(lab.folder) / "slow").exists()
    assert not list(Path(lab.folder).glob(".slow*"))
    (Path(lab.folder) / "forms.go").touch()


def test_cancel_works_while_a_cell_waits_for_the_export(shared: Notebook, holding: Any) -> None:
    nb = shared
    nb.run(2)
    card = form(nb, 2)
    card.get_by_text("detected").wait_for()
    holding(0.5)
    nb.run(4, wait=False)
    card.get_by_role("progressbar").wait_for()
    card.get_by_role("button", name="Cancel").click()
    nb.until("globals().get('ended')", "cancelled")
    nb.until("slow.status", "cancelled")


def test_changes_of_the_object_during_an_export_are_reported(shared: Notebook, holding: Any) -> None:
    nb = shared
    nb.run(2)
    form(nb, 2).get_by_text("detected").wait_for()
    holding(0.3)
    nb.python("slow.start()")
    nb.until("slow._session.state.stage", "Writing genes")
    nb.python("exec('big.X.data *= 2', globals())")
    holding(None)
    nb.until("slow.status", "failed")
    assert "changed during the export" in nb.python("slow.error")
    holding(0.3)
    second_start = (
        "(lambda: [exec('''slow.start()\\ntry:\\n    slow.start()\\n    message = ''\\n"
        "except Exception as e:\\n    message = str(e)\\nslow.cancel()''', globals()), message][1])()"
    )
    assert "already running" in nb.python(second_start)
    nb.until("slow.status", "cancelled")


def test_closing_the_form_cancels_the_export_and_frees_its_resources(shared: Notebook, holding: Any) -> None:
    nb = shared
    holding(0.3)
    count = "len(__import__('ipywidgets').widgets.widget._instances)"
    nb.python("globals().setdefault('big', synthetic_tissue(6_000, 100, seed=4)) is None")
    before = nb.python(count)
    nb.python(
        '[exec(\'t = karospace_widget(big, "gone", genes_mode="all")\', globals()), t.start(), t.close()] and None'
    )
    nb.until(
        "[t._session.state.status, len([x for x in __import__('threading').enumerate() if x.name == 'karospace-export'])]",
        ["cancelled", 0],
    )
    assert nb.python(count) == before


def test_form_fits_a_narrow_dark_panel_and_works_by_keyboard(notebook: Open, shots: Path | None) -> None:
    nb = notebook([DATA, "w = karospace_widget(adata, 'narrow')\nw"], width=1000, height=1100, dark=True)
    nb.command("apputils:change-theme", {"theme": "JupyterLab Dark"})
    nb.run(0)
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    until_js(nb.page, "document.body.dataset.jpThemeLight === 'false'")
    eventually(
        lambda: card.evaluate("element => getComputedStyle(element).backgroundColor"),
        lambda color: max(map(int, re.findall(r"\d+", color)[:3])) < 80,
    )
    output = nb.output(1).first
    output.evaluate("element => { element.style.width = '350px'; element.style.flex = 'none'; }")

    def fits() -> None:
        assert card.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
        assert card.evaluate("element => element.clientWidth") <= 350
        for selector in (".kf-segments", ".kf-list-box", ".kf-bar"):
            assert card.locator(selector).first.bounding_box()["width"] <= 350

    holds(fits)
    # By keyboard only: move from the folder field to the button and export.
    card.get_by_label("Folder", exact=True).focus()
    for _ in range(8):
        nb.page.keyboard.press("Tab")
        if card.evaluate("() => document.activeElement.textContent") == "Export":
            break
    expect(card.get_by_role("button", name="Export", exact=True)).to_be_focused()
    nb.page.keyboard.press("Enter")
    frame = nb.viewer(1)
    assert frame.evaluate("document.querySelector('.ks-root').dataset.theme") == "dark"
    if shots:
        nb.page.screenshot(path=shots / "narrow-dark.png")


def test_form_reports_a_reassigned_variable_and_a_restarted_kernel(notebook: Open, shots: Path | None) -> None:
    cells = [DATA, "w = karospace_widget(adata, 'again')\nw", "adata = adata[:100].copy()", "adata = w._subject"]
    nb = notebook(cells)
    nb.run(0)
    nb.run(1)
    card = form(nb, 1)
    card.get_by_text("detected").wait_for()
    notice = card.get_by_text("adata no longer refers to the object that this form exports. Run the cell again.")
    nb.run(2)
    notice.wait_for()
    if shots:
        card.screenshot(path=shots / "reassigned.png")
    nb.run(3)
    expect(notice).to_have_count(0)
    expect(card.get_by_role("button", name="Export", exact=True)).to_be_enabled()
    nb.command("kernelmenu:restart")
    nb.page.get_by_role("button", name="Confirm Kernel Restart").click()
    card.get_by_text("Run the cell again").wait_for()
    expect(card.get_by_role("button", name="Export", exact=True)).to_be_disabled()
