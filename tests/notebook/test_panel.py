"""The side panel in a real JupyterLab, from an AnnData object in a kernel to a viewer in a tab."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from lab import TISSUES, Lab, Notebook, viewer_in
from playwright.sync_api import expect
from waiting import becomes, eventually, let_time_pass, until_js

from karospace_jupyter import Bundle
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.export import run
from karospace_jupyter.plan.coordinates import RANKS

pytestmark = pytest.mark.e2e

DATA = f"""{TISSUES}
import time
from pathlib import Path
import numpy as np
import held
adata = synthetic_tissue(3000, 60, seed=3)
bare = adata[:400].copy()
del bare.obsm["spatial"]
"""

WAITS = "while not Path('never').exists():\n    time.sleep(0.05)"
"""Source of a cell that runs until its kernel is interrupted or shut down."""

Open = Callable[..., Notebook]


class Panel:
    """Side panel of a notebook's page."""

    def __init__(self, nb: Notebook) -> None:
        self.nb, self.page = nb, nb.page
        self.node = self.page.locator("#karospace-panel")

    def show(self) -> Panel:
        self.nb.command("karospace:panel")
        self.node.wait_for()
        return self

    def row(self, label: str) -> Any:
        """Return the row of an object in the list."""
        return self.node.locator(".kl-row").filter(has=self.page.get_by_text(label, exact=True))

    def rows(self) -> list[str]:
        return list(self.node.locator(".kl-row .kl-name").all_inner_texts())

    def form(self, label: str) -> Any:
        """Open the form of an object and return it once it shows the object."""
        self.row(label).click()
        card = self.node.locator(".kf-card")
        card.get_by_text("cells ×").wait_for()
        return card

    def export(self, card: Any) -> None:
        card.get_by_role("button", name="Export", exact=True).click()

    def back(self) -> None:
        self.node.get_by_role("button", name="Back to the list").click()

    def viewer(self) -> Any:
        return viewer_tab(self.page)


def viewer_tab(page: Any) -> Any:
    """Return the frame of the viewer in the visible tab."""
    return viewer_in(page.locator(".kl-tab:visible iframe").last)


def saved_layout(nb: Notebook) -> dict[str, Any]:
    """Return the layout that a reload of the page restores; JupyterLab saves it some time after a change."""
    for file in (nb.lab.folder / ".workspaces").glob("*.jupyterlab-workspace"):
        try:
            layout: dict[str, Any] = json.loads(file.read_text())["data"]
        except json.JSONDecodeError:  # the file is being written
            continue
        if f"notebook:{nb.file.name}" in layout:
            return layout
    return {}


def panel_is_saved(nb: Notebook) -> bool:
    """Return whether a reload restores the panel as the active side panel."""
    side = saved_layout(nb).get("layout-restorer:data", {}).get("left", {})
    return bool(side.get("current") == "karospace-jupyter")


def tab_is_saved(nb: Notebook) -> bool:
    """Return whether a reload restores a tab whose view still exists in the kernel."""
    views = [tab["data"]["view"] for name, tab in saved_layout(nb).items() if name.startswith("karospace-view:")]
    return any(nb.python(f"{view!r} in __import__('ipywidgets').widgets.widget._instances") for view in views)


def run_command(nb: Notebook, name: str, args: dict[str, Any] | None = None) -> None:
    """Run a command of JupyterLab and wait until it has finished."""
    nb.page.evaluate(
        "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)", [name, args or {}]
    )


@pytest.fixture
def panel(notebook: Open) -> Callable[..., Panel]:
    def open_panel(*cells: str, **options: Any) -> Panel:
        nb = notebook([DATA, *cells], **options)
        nb.run(0)
        return Panel(nb).show()

    return open_panel


def widgets(nb: Notebook) -> Any:
    """Return the number of widgets in the kernel."""
    return nb.python("len(__import__('ipywidgets').widgets.widget._instances)")


def subshells(nb: Notebook) -> Any:
    """Return the number of subshells of the kernel."""
    return nb.python("len([t for t in __import__('threading').enumerate() if 'subshell' in t.name])")


def test_exported_object_opens_in_a_tab_that_survives_a_reload(
    panel: Callable[..., Panel], lab: Lab, shots: Path | None
) -> None:
    sidebar = panel("late = synthetic_tissue(500, 60, seed=9)", "del bare", "adata.n_obs")
    nb, page = sidebar.nb, sidebar.page
    sidebar.row("adata").wait_for()
    expect(sidebar.row("adata")).to_contain_text("coordinates found", use_inner_text=True)
    expect(sidebar.row("adata")).to_contain_text("3,000 × 60", use_inner_text=True)
    expect(sidebar.row("bare")).to_contain_text("no coordinates", use_inner_text=True)
    # The list is updated after each execution, without affecting the execution count or the history.
    nb.run(1)
    sidebar.row("late").wait_for()
    nb.run(2)
    sidebar.row("bare").wait_for(state="hidden")
    sidebar.node.get_by_role("button", name="Refresh the list").click()
    nb.run(3)
    expect(nb.prompt(3)).to_have_text("[4]:")
    assert nb.python("[get_ipython().execution_count, len(In)]") == [5, 5]
    before = widgets(nb)

    card = sidebar.form("adata")
    card.get_by_text("detected").wait_for()
    expect(card.get_by_label("Folder", exact=True)).to_have_value("adata_karospace")
    card.locator('[aria-label="Genes"] ~ .kf-input input').fill("5")
    nb.until(
        "[w.options['genes_mode'] for w in __import__('ipywidgets').widgets.widget._instances.values() if hasattr(w, 'options')]",
        ["hvgs:5"],
    )
    if shots:
        page.screenshot(path=shots / "panel-form.png")
    sidebar.export(card)
    frame = sidebar.viewer()
    Bundle(Path(lab.folder) / "adata_karospace").verify()
    exported = Bundle(Path(lab.folder) / "adata_karospace").manifest.gene_list
    gene, another_gene = [name for name in nb.python("list(adata.var_names)") if name not in exported][:2]
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    until_js(frame, "window.karospace.valueAt(7) !== null")
    assert frame.evaluate("window.karospace.valueAt(7)") == pytest.approx(
        nb.python(f"float(adata[7, {gene!r}].X.toarray()[0, 0])")
    )
    if shots:
        page.screenshot(path=shots / "panel.png")
    # A repeated export replaces the first one in its tab.
    earlier = page.locator(".kl-tab iframe").element_handle()
    card.get_by_role("button", name="Export again").click()
    earlier.wait_for_element_state("hidden")
    sidebar.viewer()
    expect(page.locator(".kl-tab")).to_have_count(1)

    # After a reload of the page, the tab is restored and still reads all genes of the object from the kernel.
    eventually(lambda: tab_is_saved(nb), page=page)
    page.reload()
    frame = viewer_tab(page)
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", another_gene)
    until_js(frame, "window.karospace.valueAt(7) !== null")
    assert nb.problems == []

    sidebar.node.locator(".kf-done").get_by_text("files").wait_for()

    # Closing everything removes all widgets from the kernel.
    page.locator(".lm-TabBar-tab").filter(has=page.get_by_text("adata", exact=True)).locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()
    sidebar.back()
    nb.until("len(__import__('ipywidgets').widgets.widget._instances)", before)


def test_closing_the_form_and_the_tab_frees_all_kernel_resources(panel: Callable[..., Panel]) -> None:
    sidebar = panel()
    nb = sidebar.nb
    sidebar.row("adata").wait_for()
    before = [widgets(nb), subshells(nb)]
    card = sidebar.form("adata")
    sidebar.export(card)
    sidebar.viewer()
    sidebar.back()
    sidebar.row("adata").wait_for()
    # The tab keeps working after its form is closed.
    frame = sidebar.viewer()
    frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'CD3E'}})")
    until_js(frame, "window.karospace.valueAt(7) !== null")
    sidebar.page.locator(".lm-TabBar-tab").filter(has=sidebar.page.get_by_text("adata", exact=True)).locator(
        ".lm-TabBar-tabCloseIcon"
    ).click()
    nb.until("len(__import__('ipywidgets').widgets.widget._instances)", before[0])
    nb.until("len([t for t in __import__('threading').enumerate() if 'subshell' in t.name])", before[1])
    nb.until("[t.name for t in __import__('threading').enumerate() if t.name.startswith('karospace')]", [])
    assert nb.problems == []


def test_panel_shows_progress_and_cancels_while_a_cell_runs(
    panel: Callable[..., Panel], lab: Lab, holding: Any
) -> None:
    sidebar = panel("busy = synthetic_tissue(6_000, 100, seed=4)", WAITS)
    nb = sidebar.nb
    nb.run(1)
    card = sidebar.form("busy")
    card.get_by_role("radio", name="All").click()
    nb.until("True")
    nb.run(2, wait=False)
    holding(0.5)
    sidebar.export(card)
    card.get_by_role("progressbar").wait_for()
    card.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name="Export", exact=True).wait_for()
    expect(nb.prompt(2)).to_have_text("[*]:")
    assert not (Path(lab.folder) / "busy_karospace").exists()
    # The list stays available and shows when it was last updated.
    sidebar.back()
    sidebar.node.get_by_text("Kernel busy; list as of").wait_for()
    eventually(sidebar.rows, lambda rows: "adata" in rows)


def test_panel_follows_the_active_notebook(lab: Lab, notebook: Open) -> None:
    first = notebook([DATA], width=1360, height=860, name="first.ipynb")
    first.run(0)
    sidebar = Panel(first).show()
    sidebar.row("adata").wait_for()
    # A second notebook on the same page, with its own kernel and no objects.
    shutil.copy(Path(lab.folder) / "first.ipynb", Path(lab.folder) / "second.ipynb")
    first.command("docmanager:open", {"path": "second.ipynb"})
    sidebar.node.get_by_text("No AnnData objects in this kernel yet").wait_for()
    expect(sidebar.node).to_contain_text("second.ipynb", use_inner_text=True, ignore_case=True)
    first.command("docmanager:open", {"path": "first.ipynb"})
    sidebar.row("adata").wait_for()
    # The panel shows the new name of a renamed notebook.
    first.page.evaluate("window.jupyterapp.serviceManager.contents.rename('first.ipynb', 'renamed.ipynb')")
    sidebar.node.locator(".kl-head").get_by_text("renamed.ipynb").wait_for()
    # Opening an object that was deleted in the meantime shows a message.
    bare = sidebar.row("bare")
    bare.wait_for()
    # In one step, since the panel lists the objects again as soon as the kernel is idle. The click waits for the end of
    # the deletion, because the panel's own connection to the kernel may be faster.
    bare.evaluate(
        """async (row) => {
          const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
          await kernel.requestExecute({ code: "del bare", silent: true }).done;
          row.click();
        }"""
    )
    sidebar.node.get_by_text("bare no longer exists in this kernel").wait_for()
    # After a restart of the kernel there are no objects, and an open form reports the restart.
    sidebar.node.get_by_role("button", name="Dismiss").click()
    card = sidebar.form("adata")
    first.command("kernelmenu:restart")
    first.page.get_by_role("button", name="Confirm Kernel Restart").click()
    card.get_by_text("The kernel has stopped or was restarted").wait_for()
    sidebar.back()
    sidebar.node.get_by_text("No AnnData objects in this kernel yet").wait_for()
    first.command("kernelmenu:shutdown")
    sidebar.node.get_by_text("The kernel has stopped").wait_for()
    assert first.problems == []


def reply(page: Any, name: str) -> None:
    """Click a button of a dialog, once the dialog has the focus."""
    dialog = page.locator(".jp-Dialog")
    dialog.wait_for()
    expect(dialog.locator(":focus")).to_have_count(1)
    dialog.get_by_role("button", name=name, exact=True).click()
    dialog.wait_for(state="detached")


def choose(page: Any, text: str) -> None:
    """Click an item of the open menu, once the menu highlights the item under the pointer."""
    item = page.locator(".lm-Menu-item").filter(has_text=text)
    item.hover()
    expect(item).to_have_class(re.compile("lm-mod-active"))
    item.click()
    item.wait_for(state="hidden")


def test_bundles_and_h5ad_files_open_from_the_file_browser(panel: Callable[..., Panel], lab: Lab) -> None:
    tissue = synthetic_tissue(900, 60, seed=6)
    folder = Path(lab.folder) / "files"
    folder.mkdir(exist_ok=True)
    tissue.write_h5ad(folder / "tissue.h5ad")
    run(tissue, ExportConfig(outdir=folder / "ready", genes_mode="hvgs:4", dataset_name="Ready"))
    sidebar = panel()
    nb, page = sidebar.nb, sidebar.page
    nb.command("filebrowser:go-to-path", {"path": "files/ready"})
    nb.command("filebrowser:activate")
    # A bundle opens without a kernel.
    entry = page.locator(".jp-DirListing-item").filter(has_text="manifest.json")
    entry.wait_for()
    entry.click(button="right")
    choose(page, "Open in KaroSpace")
    frame = viewer_tab(page)
    assert frame.evaluate("window.karospace.cells") == 900
    gene = Bundle(folder / "ready").manifest.gene_list[0]
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    until_js(frame, "window.karospace.valueAt(3) !== null")
    # A file gets its own kernel, which is shut down with its form.
    nb.command("filebrowser:go-to-path", {"path": "files"})
    entry = page.locator(".jp-DirListing-item").filter(has_text="tissue.h5ad")
    entry.wait_for()
    entry.click(button="right")
    choose(page, "Export to KaroSpace")
    card = sidebar.node.locator(".kf-card")
    card.get_by_text("900 cells ×").wait_for()
    card.get_by_text("detected").wait_for()
    sidebar.export(card)
    page.locator(".lm-TabBar-tab").filter(has_text="tissue").wait_for()
    frame = viewer_tab(page)
    assert frame.evaluate("window.karospace.cells") == 900
    Bundle(folder / "tissue_karospace").verify()

    def kernels_of_files() -> list[str]:
        return [session["path"] for session in lab.sessions().values() if "-karospace-" in session["path"]]

    def wait_until_no_kernels_of_files() -> None:
        becomes(kernels_of_files, [], page=page)

    # Actions in the list of exports: verify, show in file browser, delete after confirmation.
    def act(name: str) -> None:
        sidebar.node.get_by_role("button", name=f"{name}: tissue", exact=True).click()

    act("Verify files")
    sidebar.node.get_by_text("files verified").wait_for()
    act("Show in file browser")
    page.locator(".jp-BreadCrumbs").get_by_text("tissue_karospace").wait_for()
    sidebar.show()

    def answer(name: str) -> None:
        reply(page, name)

    act("Delete from disk")
    answer("Cancel")
    assert (folder / "tissue_karospace" / "manifest.json").exists()
    # Exporting the file again keeps the open form. After closing it, its kernel is gone, but the actions still work.
    run_command(nb, "karospace:export-file", {"path": "files/tissue.h5ad"})
    let_time_pass(1, page=page)
    assert len(kernels_of_files()) == 1
    sidebar.back()
    wait_until_no_kernels_of_files()
    act("Verify files")
    sidebar.node.get_by_text("files verified").wait_for()
    act("Delete from disk")
    answer("Delete")
    sidebar.node.get_by_role("button", name="Delete from disk: tissue").wait_for(state="detached")
    assert not (folder / "tissue_karospace").exists()
    # The file browser left the folder before that: JupyterLab opens an error dialog if the open folder disappears.
    expect(page.locator(".jp-BreadCrumbs").get_by_text("tissue_karospace")).to_have_count(0)
    run_command(nb, "filebrowser:refresh", {})
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    page.locator(".lm-TabBar-tab").filter(has_text="tissue").locator(".lm-TabBar-tabCloseIcon").first.click()
    wait_until_no_kernels_of_files()
    assert nb.problems == []


def test_new_view_opens_without_an_export(panel: Callable[..., Panel]) -> None:
    sidebar = panel()
    nb, page = sidebar.nb, sidebar.page
    sidebar.row("adata").wait_for()
    page.get_by_role("button", name="New view of an AnnData object").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Ok").click()
    frame = sidebar.viewer()
    gene = nb.python("adata.var_names[59]")
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    until_js(frame, "window.karospace.valueAt(7) !== null")
    # Each object in the panel has a button for a new view, next to its export.
    sidebar.show()
    sidebar.node.get_by_role("button", name="View").first.click()
    eventually(lambda: page.locator(".kl-tab").count(), lambda count: count == 2, page=page)
    assert sidebar.viewer().evaluate("window.karospace.cells") == 3000
    labels = page.evaluate(
        """() => ['karospace:panel', 'karospace:new-view', 'karospace:open-bundle']
            .map((name) => window.jupyterapp.commands.label(name, {isPalette: true}))"""
    )
    assert all(label.startswith("KaroSpace: ") for label in labels)


def test_panel_reports_a_missing_package_or_a_different_version(panel: Callable[..., Panel]) -> None:
    sidebar = panel()
    nb = sidebar.nb
    sidebar.row("adata").wait_for()
    refresh = sidebar.node.get_by_role("button", name="Refresh the list")
    nb.python("setattr(__import__('karospace_jupyter'), '__version__', '9.9.9')")
    refresh.click()
    sidebar.node.get_by_text("but the kernel has 9.9.9").wait_for()
    expect(sidebar.node).to_contain_text("%pip install karospace-jupyter==", use_inner_text=True)
    unload = "__import__('sys').modules.pop('karospace_jupyter', None)"
    hide_version = "setattr(__import__('importlib.metadata').metadata, 'version', lambda name: (_ for _ in ()).throw(__import__('importlib.metadata').metadata.PackageNotFoundError(name)))"
    nb.python(f"[{unload}, {hide_version}] and None")
    refresh.click()
    sidebar.node.get_by_text("is not installed in the kernel’s environment").wait_for()
    expect(sidebar.row("adata")).to_be_disabled()


def test_opening_a_form_can_be_canceled_and_survives_interrupts_and_restarts(panel: Callable[..., Panel]) -> None:
    sidebar = panel(WAITS, "1")
    nb, page = sidebar.nb, sidebar.page
    sidebar.row("adata").wait_for()
    opening = sidebar.node.get_by_text("Opening adata…")
    nb.run(1, wait=False)
    sidebar.row("adata").click()
    opening.wait_for()
    # Cancel opening.
    sidebar.node.get_by_role("button", name="Cancel").click()
    opening.wait_for(state="detached")
    expect(sidebar.row("adata")).to_be_enabled()
    # After a reload of the page, JupyterLab does not wait for the kernel.
    eventually(lambda: panel_is_saved(nb), page=page)
    page.reload()
    sidebar.node.wait_for()
    page.locator(".jp-Notebook").first.wait_for()
    sidebar.row("adata").or_(sidebar.node.get_by_text("The kernel is busy")).first.wait_for()
    # After an interrupt of the kernel, opening continues.
    nb.command("notebook:interrupt-kernel")
    sidebar.row("adata").wait_for()
    before = widgets(nb)
    nb.run(1, wait=False)
    sidebar.row("adata").click()
    opening.wait_for()
    nb.command("notebook:interrupt-kernel")
    sidebar.node.locator(".kf-card").get_by_text("cells ×").wait_for()
    sidebar.back()
    nb.until("len(__import__('ipywidgets').widgets.widget._instances)", before)
    # A restart of the kernel ends opening with a message; opening again works.
    nb.run(1, wait=False)
    sidebar.row("adata").click()
    opening.wait_for()
    nb.command("notebook:restart-kernel")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    opening.wait_for(state="detached")
    sidebar.node.get_by_text("No AnnData objects in this kernel yet").wait_for()
    nb.run(0)
    sidebar.form("adata")
    assert nb.problems == []


def test_leaving_a_form_asks_while_an_export_is_running(panel: Callable[..., Panel], lab: Lab, holding: Any) -> None:
    sidebar = panel("big = synthetic_tissue(6_000, 100, seed=4)")
    nb, page = sidebar.nb, sidebar.page
    nb.run(1)
    card = sidebar.form("big")
    card.get_by_role("radio", name="All").click()
    holding(0.5)
    sidebar.export(card)
    card.get_by_role("progressbar").wait_for()
    sidebar.back()
    page.locator(".jp-Dialog").get_by_text("An export is running").wait_for()
    reply(page, "Stay")
    holding(None)
    sidebar.viewer()
    Bundle(Path(lab.folder) / "big_karospace").verify()
    sidebar.back()
    # A form does not export if its variable now refers to a different object.
    card = sidebar.form("adata")
    nb.python("globals().update(adata=adata[:50].copy())")
    sidebar.export(card)
    card.get_by_text("The variable no longer refers to the object").wait_for()


def test_panel_follows_a_console(panel: Callable[..., Panel]) -> None:
    sidebar = panel()
    nb, page = sidebar.nb, sidebar.page
    sidebar.row("adata").wait_for()
    nb.command("console:create", {"path": "", "kernelPreference": {"name": "python3"}})
    page.locator(".jp-CodeConsole-promptCell .cm-content").click()
    sidebar.node.get_by_text("No AnnData objects in this kernel yet").wait_for()
    page.keyboard.insert_text(
        "from karospace_jupyter.datasets import synthetic_tissue; typed = synthetic_tissue(300, 60, seed=2)"
    )
    page.keyboard.press("Shift+Enter")
    sidebar.row("typed").wait_for()
    # The panel keeps following the console while another tab is active.
    run_command(nb, "launcher:create")
    let_time_pass(1, page=page)
    assert sidebar.rows() == ["typed"]


def test_listing_and_package_know_the_same_coordinates() -> None:
    # The listing also runs in kernels without this package, so it contains its own list of names.
    scope: dict[str, Any] = {"variables": {}}
    source = Path(__file__).parents[2] / "js" / "src" / "lab" / "listing.py"
    exec(source.read_text(), scope)
    specs = [spec for rank in RANKS for spec in rank]
    assert list(scope["IN_OBSM"]) == [spec.key for spec in specs if spec.kind == "obsm"]
    assert list(scope["IN_OBS"]) == [(spec.x, spec.y) for spec in specs if spec.kind == "obs"]


@pytest.mark.parametrize(
    ("columns", "detected"),
    [
        (["X_position", "Y_position"], True), (["CentroidX", "CentroidY"], True), (["geometry"], True),
        (["max", "may"], False), (["UMAP_x", "UMAP_y"], False), (["area", "X_position"], False),
    ],
)  # fmt: skip
def test_listing_detects_coordinates_in_columns(columns: list[str], detected: bool) -> None:
    scope: dict[str, Any] = {"variables": {}}
    exec((Path(__file__).parents[2] / "js" / "src" / "lab" / "listing.py").read_text(), scope)
    adata = ad.AnnData(np.ones((3, 2), np.float32), obs=pd.DataFrame(dict.fromkeys(columns, 1.0), index=list("abc")))
    assert scope["row"]("adata", ["adata"], adata)["coordinates"] is detected


def test_listing_finds_nested_objects_without_importing_modules(tmp_path: Path) -> None:
    import sys

    scope: dict[str, Any] = {}
    tissue = synthetic_tissue(300, 60, seed=1)
    mu = type("MuData", (), {"__module__": "mudata._core.mudata"})()
    mu.mod = {"rna": tissue, "prot": tissue[:, :10].copy(), "odd": 3}
    space = type("SpatialData", (), {"__module__": "spatialdata._core"})()
    space.tables = {"table": tissue[:100].copy()}
    broken = type("AnnData", (), {"__module__": "anndata._core.anndata"})()
    scope["variables"] = {"mdata": mu, "sdata": space, "same": tissue, "_hidden": tissue, "broken": broken, "n": 3}
    import IPython.display  # noqa: F401  already imported in a kernel

    before = set(sys.modules)
    source = Path(__file__).parents[2] / "js" / "src" / "lab" / "listing.py"
    exec(source.read_text(), scope)
    assert set(sys.modules) == before
    listed = {
        row["label"]: (row["where"], row["cells"], row["genes"], row["coordinates"])
        for row in scope["answer"].data["objects"]
    }
    assert listed == {
        "mdata['rna']": (["mdata", "rna"], 300, 60, True),
        "mdata['prot']": (["mdata", "prot"], 300, 10, True),
        "sdata['table']": (["sdata", "table"], 100, 60, True),
    }
