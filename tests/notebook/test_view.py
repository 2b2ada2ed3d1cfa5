"""The viewer in a cell of a real JupyterLab: display, synchronization with Python, and robustness."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from lab import TISSUES, Lab, Notebook, viewer_in
from playwright.sync_api import expect
from waiting import becomes, eventually, holds, let_time_pass, until_js

pytestmark = pytest.mark.e2e

DATA = f"""{TISSUES}
import numpy as np
from karospace_jupyter import karospace_view, karospace_grid, karospace_widget, adata_to_karospace
adata = synthetic_tissue(3000, 60, seed=3)
"""

# Simulates a notebook application that silently drops the buffers of messages in both directions.
LOSSY = """
import comm.base_comm, ipykernel.comm.comm
publish, handle = ipykernel.comm.comm.BaseComm.publish_msg, comm.base_comm.BaseComm.handle_msg
def publish_msg(self, kind, data=None, metadata=None, buffers=None, **keys):
    publish(self, kind, data=data, metadata=metadata, buffers=None, **keys)
ipykernel.comm.comm.BaseComm.publish_msg = publish_msg
comm.base_comm.BaseComm.handle_msg = lambda self, message: handle(self, {**message, "buffers": []})
"""

LARGE = """
import anndata, pandas as pd, scipy.sparse as sp
rng = np.random.default_rng(0)
n, m, each = 100_000, 20_000, 200
genes = np.sort(rng.integers(0, m, (n, each), dtype=np.int32), axis=1).ravel()
X = sp.csr_matrix((rng.integers(1, 9, n * each).astype(np.float32), genes, np.arange(n + 1) * each), shape=(n, m))
X.sum_duplicates()
obs = pd.DataFrame({"kind": pd.Categorical(rng.choice(list("abcde"), n))}, index=[f"c{i}" for i in range(n)])
large = anndata.AnnData(X, obs, pd.DataFrame(index=[f"G{i}" for i in range(m)]), obsm={"spatial": rng.random((n, 2)) * 5000})
"""

Open = Callable[..., Notebook]


@pytest.fixture(scope="module")
def shown(lab: Lab, window: Any) -> Iterator[tuple[Notebook, Any]]:
    """Open one notebook shared by the tests that do not change its kernel or cells."""
    cells = [
        DATA,
        "heard = []\nv = karospace_view(adata, genes_mode='hvgs:5')\nv.on_change(lambda c: heard.append(c['name']))\nv",
        "fewer = karospace_view(adata, downsample=1000)\nfewer",
        "picture = v.snapshot()\npicture.size",
        "import time\nfrom pathlib import Path\nwhile not Path('view.go').exists():\n    time.sleep(0.05)",
        "other = synthetic_tissue(2000, 60, seed=9)\nu = karospace_view(other)\nu",
        "adata_to_karospace(adata, 'mine', genes_mode='hvgs:5')",
        "g = karospace_grid([adata, adata, synthetic_tissue(1500, 60, seed=5)[:, :50].copy()], height=300)\ng",
        "c = karospace_view(adata)\ndisplay(c)\nc.close()",
        "c = karospace_widget(adata)\ndisplay(c)\nc.close()",
        "c = karospace_grid([adata, adata])\ndisplay(c)\nfor one in (*c.children, c):\n    one.close()",
    ]
    nb = lab.notebook(window.new_page(), cells, name="shown.ipynb")
    nb.run(0)
    nb.run(1)
    yield nb, nb.viewer(1)
    nb.shut_down()
    nb.page.close()


def dismiss_kernel_died(nb: Notebook) -> None:
    """Close the dialog in which JupyterLab reports that a kernel died."""
    dialog = nb.page.get_by_role("dialog").filter(has_text="died")
    dialog.get_by_role("button", name="Ok").click()
    dialog.wait_for(state="detached")


def gene_in(frame: Any, gene: str, cells: list[int]) -> list[float]:
    """Color the tissue by a gene, and return its values in cells as the viewer shows them."""
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    return [frame.evaluate("cell => window.karospace.valueAt(cell)", cell) for cell in cells]


def expected(nb: Notebook, gene: str, cells: list[int]) -> list[float]:
    """Return the values of a gene in cells of the object in the kernel."""
    values: list[float] = nb.python(f"adata[{cells}, {gene!r}].X.toarray().ravel().tolist()")
    return values


def test_tissue_is_colored_by_genes_that_were_not_exported(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    assert nb.python("v.bundle.manifest.n_genes_exported") == 5
    for gene in nb.python("[adata.var_names[0], adata.var_names[59]]"):
        assert gene_in(frame, gene, [0, 7, 2999]) == pytest.approx(expected(nb, gene, [0, 7, 2999]))
    assert nb.problems == []


def test_state_is_synchronized_between_python_and_the_viewer(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    state = "window.karospace.getState()"
    nb.python(
        "[setattr(v, 'color', 'region'), setattr(v, 'hidden', {'region': [v.bundle.manifest.columns[1].categories[0].name]})] and 1"
    )
    until_js(frame, f"{state}.color.column === 'region' && ({state}.hidden.region ?? []).length === 1")
    gene = nb.python("adata.var_names[3]")
    nb.python(f"setattr(v, 'color', {gene!r})")
    until_js(frame, "gene => window.karospace.getState().color.gene === gene", arg=gene)
    nb.python("setattr(v, 'camera', {'x': 1000, 'y': 900, 'zoom': 3})")
    until_js(frame, f"{state}.camera.zoom === 3")
    nb.python("setattr(v, 'state', {'point_size': 2, 'theme': 'dark'})")
    until_js(frame, f"{state}.pointSize === 2 && {state}.theme === 'dark'")
    frame.evaluate("window.karospace.setState({color: {kind: 'annotation', column: 'cell_type'}, opacity: 0.5})")
    nb.until("v.color", "cell_type")
    nb.until("v.state['opacity']", 0.5)
    nb.until("'state' in heard")
    misspell = "try:\n    v.color = 'EPCM'\nexcept Exception as error:\n    error_text = str(error)"
    assert "EPCAM" in nb.python(f"[exec({misspell!r}, globals()), error_text][1]")


def test_selection_is_synchronized_in_both_directions(shown: tuple[Notebook, Any]) -> None:
    nb, _ = shown
    nb.run(2)
    frame = nb.viewer(2)
    cells = frame.evaluate("window.karospace.cells")
    assert cells == 1000
    frame.evaluate(
        "() => { const mask = new Uint8Array(window.karospace.cells); mask[0] = mask[5] = mask[999] = 1; window.karospace.select(mask); }"
    )
    nb.until("0 if fewer.selection is None else int(fewer.selection.sum())", 3)
    assert nb.python("[len(fewer.selection), str(fewer.selection.dtype)]") == [3000, "bool"]
    from_bundle = nb.python(
        "[__import__('karospace_jupyter.bundle.cell_ids', fromlist=['x']).cell_ids(fewer.bundle)[i] for i in (0, 5, 999)]"
    )
    assert nb.python("fewer.selected_ids") == from_bundle
    nb.python("setattr(fewer, 'selection', (adata.obs['cell_type'] == 'Tumor').to_numpy())")
    wanted = nb.python(
        "int((adata.obs.loc[__import__('karospace_jupyter.bundle.cell_ids', fromlist=['x']).cell_ids(fewer.bundle), 'cell_type'] == 'Tumor').sum())"
    )
    until_js(frame, "n => window.karospace.selection?.reduce((a, b) => a + b, 0) === n", arg=wanted)
    nb.python("setattr(fewer, 'selection', None)")
    until_js(frame, "window.karospace.selection === null")


def test_regions_become_a_column_only_on_request(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    frame.evaluate(
        """() => {
            const mask = (...cells) => { const m = new Uint8Array(window.karospace.cells); for (const c of cells) m[c] = 1; return m; };
            window.karospace.setRegions([{name: 'rim', mask: mask(1, 2)}, {name: 'core', mask: mask(2, 9)}]);
        }"""
    )
    nb.until("list(v.regions)", ["rim", "core"])
    assert nb.python("'niche' in adata.obs") is False
    nb.python("v.annotate('niche')")
    assert nb.python("[str(adata.obs['niche'].iloc[i]) for i in (0, 1, 2, 9)]") == ["nan", "rim", "core", "core"]
    assert nb.python("str(adata.obs['niche'].dtype)") == "category"
    # The viewer can show the new column at once, without a call of `refresh`.
    nb.python("setattr(v, 'color', 'niche')")
    until_js(frame, "window.karospace.getState().color.column === 'niche' && window.karospace.valueAt(9) === 'core'")
    nb.python("setattr(v, 'regions', {'core': [1]}) or v.annotate('niche', overwrite=True)")
    until_js(frame, "window.karospace.valueAt(1) === 'core' && window.karospace.valueAt(9) === null")
    nb.python("adata.obs.__setitem__('halves', np.where(np.arange(3000) < 9, 'left', 'right')) or v.refresh()")
    frame.get_by_role("tab", name="Annotation").click()
    expect(frame.get_by_role("option", name="halves")).to_have_count(1)
    nb.python("setattr(v, 'regions', {'one': [4, 5, 6]})")
    until_js(frame, "window.karospace.regions.length === 1 && window.karospace.regions[0].count === 3")


def test_layer_of_the_view_replaces_exported_genes(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    gene = nb.python("v.bundle.manifest.gene_list[0]")
    cells = nb.python(f"np.argsort(adata[:, {gene!r}].X.toarray().ravel())[-3:].tolist()")
    assert gene_in(frame, gene, cells) == pytest.approx(expected(nb, gene, cells))
    nb.python("setattr(v, 'layer', 'counts')")
    counts = nb.python(f"adata[{cells}, {gene!r}].layers['counts'].toarray().ravel().tolist()")
    becomes(lambda: [frame.evaluate("cell => window.karospace.valueAt(cell)", cell) for cell in cells], counts)
    expect(frame.get_by_text("layer:counts")).to_be_visible()
    nb.python("setattr(v, 'layer', 'X')")
    holds(lambda: np.testing.assert_allclose(gene_in(frame, gene, cells), expected(nb, gene, cells), rtol=1e-6))


HELD = """
import time
from pathlib import Path
from karospace_jupyter.widget.live_statistics import LiveStatistics
compute, begun, ended = LiveStatistics._computed, [], []
def held(self, job):
    begun.append(True)
    try:
        while not Path("sort.go").exists():
            job.check()
            time.sleep(0.02)
        return compute(self, job)
    finally:
        ended.append(job.cancelled)
LiveStatistics._computed = held
"""


def test_all_genes_are_sorted_by_statistics_that_the_kernel_computes(notebook: Open, shots: Path | None) -> None:
    nb = notebook([f"{DATA}{HELD}\nv = karospace_view(adata, genes_mode='hvgs:5', height=600)\nv"])
    nb.run(0)
    frame = nb.viewer(0)
    frame.get_by_role("tab", name="Gene").click()
    order, hits = frame.get_by_label("Gene order"), frame.locator("#ks-gene-hits")
    names, numbers = hits.get_by_role("option").locator("span:first-child"), hits.locator(".ks-number")
    order.select_option("mean")
    expect(hits).to_contain_text("Computing statistics of 60 genes")
    if shots:
        nb.page.screenshot(path=shots / "computing.png")
    (nb.file.parent / "sort.go").touch()
    expect(hits).not_to_contain_text("Computing")
    mean = nb.python("adata.var_names[np.argsort(-np.asarray(adata.X.mean(axis=0)).ravel(), kind='stable')].tolist()")
    expect(names).to_have_text(mean)
    order.select_option("variability")
    expect(numbers).to_have_text([f"no. {rank}" for rank in range(1, 61)])
    order.select_option("fraction")
    shares = nb.python("np.sort(100 * np.asarray((adata.X != 0).mean(axis=0)).ravel())[::-1].tolist()")
    expect(numbers).to_have_count(len(shares))
    parse = "spans => spans.map((span) => parseFloat(span.textContent))"
    eventually(lambda: numbers.evaluate_all(parse), lambda found: np.allclose(found, shares, atol=0.51))
    if shots:
        nb.page.screenshot(path=shots / "sorted.png")
    # Statistics are computed once, and again for another layer; closing the view cancels the computation.
    assert nb.python("ended") == [False]
    (nb.file.parent / "sort.go").unlink()
    nb.python("setattr(v, 'layer', 'counts')")
    frame.get_by_role("combobox", name="Gene", exact=True).focus()
    expect(hits).to_contain_text("Computing")
    nb.until("len(begun)", 2)  # the page may be ahead of the kernel
    nb.python("v.close()")
    nb.until("ended", [False, True])


def test_groups_are_synchronized_and_become_a_column(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    state = "window.karospace.getState()"
    nb.python("setattr(v, 'color', 'cell_type')")
    nb.python("setattr(v, 'groups', {'cell_type': {'Lymphocyte': ['B cell', 'T cell']}})")
    until_js(frame, f"{state}.color.column === 'cell_type' && {state}.groups.cell_type?.length === 1")
    cell = nb.python("int(np.flatnonzero(adata.obs['cell_type'] == 'B cell')[0])")
    until_js(frame, "cell => window.karospace.valueAt(cell) === 'Lymphocyte'", arg=cell)
    frame.get_by_role("button", name="Rename Lymphocyte").click()
    frame.get_by_label("New name for Lymphocyte").fill("Lymphoid")
    frame.get_by_label("New name for Lymphocyte").press("Enter")
    nb.until("v.groups", {"cell_type": {"Lymphoid": ["B cell", "T cell"]}})
    nb.python("v.annotate('lineage', groups='cell_type')")
    assert nb.python(f"str(adata.obs['lineage'].iloc[{cell}])") == "Lymphoid"
    nb.python("setattr(v, 'color', 'lineage')")
    until_js(frame, f"{state}.color.column === 'lineage'")
    until_js(frame, "cell => window.karospace.valueAt(cell) === 'Lymphoid'", arg=cell)
    nb.python("setattr(v, 'groups', {})")
    until_js(frame, f"Object.keys({state}.groups).length === 0")


def test_snapshot_returns_an_image_of_the_tissue(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    nb.run(3)
    box = frame.evaluate("(() => { const c = document.querySelector('canvas'); return [c.width, c.height]; })()")
    assert nb.python("[type(picture).__module__.split('.')[0], list(picture.size)]") == ["PIL", box]
    assert nb.python("len(np.unique(np.asarray(picture.convert('RGB')).reshape(-1, 3), axis=0))") > 20


def test_loaded_data_stays_available_after_a_kernel_restart(notebook: Open) -> None:
    nb = notebook([f"{DATA}\nv = karospace_view(adata)\nv"])
    nb.run(0)
    frame = nb.viewer(0)
    for column in ("region", "cell_type", "area"):
        frame.evaluate("column => window.karospace.setState({color: {kind: 'annotation', column}})", column)
    frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}})")
    process = nb.python("__import__('os').getpid()")
    nb.command("kernelmenu:restart")
    nb.page.get_by_role("button", name="Confirm Kernel Restart").click()
    eventually(lambda: not psutil.pid_exists(process), page=nb.page, what="the kernel does not end")
    banner = frame.locator(".ks-lost")
    expect(banner).to_contain_text("Kernel disconnected")
    # The loaded annotations and the loaded gene are still available.
    for column in ("region", "cell_type", "area"):
        frame.evaluate("column => window.karospace.setState({color: {kind: 'annotation', column}})", column)
        assert frame.evaluate("window.karospace.valueAt(3)") is not None
    frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}})")
    frame.evaluate(
        "() => { window.refused = null; window.karospace.setState({color: {kind: 'gene', gene: 'VIM'}}).catch((e) => { window.refused = e.message; }); }"
    )
    message = "(window.refused ?? '') + (document.querySelector('.ks-waiting')?.textContent ?? '')"
    eventually(lambda: frame.evaluate(message), lambda text: "Run the cell again" in text)
    # The color stays, and the viewer names what it cannot load; running the cell again reconnects it.
    expect(banner).to_contain_text("VIM cannot be loaded: the kernel has stopped.")
    assert frame.evaluate("window.karospace.getState().color.gene") == "EPCAM"
    assert frame.evaluate("window.karospace.valueAt(3)") is not None
    reconnect = banner.get_by_role("button", name="Reconnect")
    reconnect.click(trial=True)
    # The click removes the frame that contains the button, so a click sent by Playwright might never return.
    reconnect.evaluate("button => { setTimeout(() => button.click()); }")
    eventually(lambda: frame.is_detached(), page=nb.page, what="the cell does not run")
    new_frame = nb.viewer(0)
    expect(new_frame.locator(".ks-lost")).to_have_count(0)
    new_frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'VIM'}})")
    until_js(new_frame, "window.karospace.valueAt(3) !== null")


def test_killed_kernel_leaves_the_view_usable(notebook: Open, shots: Path | None) -> None:
    # The server replaces the killed kernel with a new one that does not know the view.
    nb = notebook([f"{DATA}\nv = karospace_view(adata, genes_mode='hvgs:5', height=600)\nv"])
    nb.run(0)
    frame = nb.viewer(0)
    loaded = [{"kind": "annotation", "column": "region"}, {"kind": "gene", "gene": "EPCAM"}]
    show = "color => window.karospace.setState({color}).then(() => window.karospace.valueAt(3))"
    before = [frame.evaluate(show, color) for color in loaded]
    assert None not in before
    process = nb.python("__import__('os').getpid()")
    nb.disconnect()
    os.kill(process, signal.SIGKILL)
    banner = frame.locator(".ks-lost")
    expect(banner).to_contain_text("Kernel disconnected")
    dismiss_kernel_died(nb)
    expect(frame.locator(".ks-notice-line")).to_have_count(0)  # no other message, even if columns were being read
    # Loaded values still color the tissue; moving it, selecting cells, and saving a picture still work.
    assert [frame.evaluate(show, color) for color in loaded] == before
    current_zoom = "window.karospace.getState().camera.zoom"
    zoom = frame.evaluate(current_zoom)
    frame.get_by_role("button", name="Zoom in").click()
    until_js(frame, f"zoom => {current_zoom} > zoom", arg=zoom)
    frame.evaluate("window.karospace.select(new Uint8Array(window.karospace.cells).fill(1, 0, 9))")
    until_js(frame, "window.karospace.selection.reduce((a, b) => a + b) === 9")
    size = "window.karospace.picture().then((blob) => blob.size)"
    assert frame.evaluate(size) > 10_000
    # For other data, a message names what cannot be loaded and says what to do; the color stays.
    frame.get_by_role("tab", name="Gene").click()
    frame.get_by_label("Gene order").select_option("mean")
    expect(banner).to_contain_text("The gene order cannot be loaded: the kernel has stopped.")
    expect(frame.get_by_label("Gene order")).to_have_value("file")
    refused = "window.karospace.setState({color: {kind: 'gene', gene: 'VIM'}}).then(() => '', (error) => error.message)"
    assert "Run the cell again" in frame.evaluate(refused)
    expect(banner).to_contain_text("VIM cannot be loaded: the kernel has stopped.")
    assert frame.evaluate("window.karospace.getState().color") == loaded[1]
    assert frame.evaluate("window.karospace.valueAt(3)") == before[1]
    if shots:
        nb.page.screenshot(path=shots / "killed.png")
    banner.get_by_role("button", name="Reconnect").click(trial=True)


def test_gene_is_read_while_a_cell_runs(shown: tuple[Notebook, Any], lab: Lab) -> None:
    # The kernel replies in a subshell: `setState` resolves once the gene is drawn, while the cell still runs.
    nb, frame = shown
    nb.run(4, wait=False)
    try:
        frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'VIM'}})")
        expect(nb.prompt(4), "the cell is still running").to_have_text("[*]:")
    finally:
        (lab.folder / "view.go").touch()
    assert gene_in(frame, "VIM", [5]) == pytest.approx(expected(nb, "VIM", [5]))


def test_two_views_are_independent(shown: tuple[Notebook, Any]) -> None:
    nb, first = shown
    nb.run(5)
    second = nb.viewer(5)
    for frame in (first, second):
        frame.evaluate("window.karospace.setState({color: {kind: 'gene', gene: 'EPCAM'}})")
    assert [first.evaluate("window.karospace.cells"), second.evaluate("window.karospace.cells")] == [3000, 2000]
    assert first.evaluate("window.karospace.valueAt(8)") == pytest.approx(expected(nb, "EPCAM", [8])[0])
    assert second.evaluate("window.karospace.valueAt(8)") == pytest.approx(
        nb.python("float(other[8, 'EPCAM'].X.toarray()[0, 0])")
    )


def test_views_of_a_grid_share_camera_color_and_selection(shown: tuple[Notebook, Any]) -> None:
    nb, _ = shown
    nb.run(7)
    outputs = nb.output(7).locator("iframe")
    frames = [viewer_in(outputs.nth(at)) for at in range(3)]
    frames[0].evaluate(
        "window.karospace.setState({camera: {x: 1500, y: 1200, zoom: 2.5}, color: {kind: 'annotation', column: 'region'}})"
    )
    for frame in frames[1:]:
        until_js(
            frame,
            "window.karospace.getState().camera.zoom === 2.5 && window.karospace.getState().color.column === 'region'",
        )
    # A gene that is missing from one of the views colors only the others; all keep sharing the camera.
    color = "window.karospace.getState().color"
    gene = nb.python("adata.var_names[59]")
    for at, zoom in ((0, 3), (2, 4)):
        frames[0].evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
        until_js(frames[1], f"gene => {color}.gene === gene", arg=gene)
        frames[at].evaluate("zoom => window.karospace.setState({camera: {x: 1500, y: 1200, zoom}})", zoom)
        for frame in frames:
            until_js(frame, "zoom => window.karospace.getState().camera.zoom === zoom", arg=zoom)
        let_time_pass(0.5, page=nb.page)  # longer than a view waits before it sends its state
        assert [frame.evaluate(f"{color}.gene ?? {color}.column") for frame in frames] == [gene, gene, "region"]
    frames[1].evaluate(
        "() => { const m = new Uint8Array(window.karospace.cells); m[3] = 1; window.karospace.select(m); }"
    )
    until_js(frames[0], "window.karospace.selection?.[3] === 1")
    assert frames[2].evaluate("window.karospace.selection") is None
    nb.until("[int(v.selection.sum()) if v.selection is not None else 0 for v in g.children]", [1, 1, 0])


def test_view_works_if_the_application_drops_buffers(notebook: Open) -> None:
    nb = notebook([LOSSY + DATA, "v = karospace_view(adata, genes_mode='hvgs:5')\nv"])
    nb.run(0)
    nb.run(1)
    frame = nb.viewer(1)
    gene = nb.python("adata.var_names[30]")
    assert gene_in(frame, gene, [0, 7, 2999]) == pytest.approx(expected(nb, gene, [0, 7, 2999]))
    frame.evaluate("window.karospace.select(new Uint8Array(window.karospace.cells).fill(1, 0, 12))")
    nb.until("0 if v.selection is None else int(v.selection.sum())", 12)
    nb.python("setattr(v, 'selection', np.arange(3000) < 7)")
    until_js(frame, "window.karospace.selection?.reduce((a, b) => a + b, 0) === 7")
    assert nb.python("min(v.snapshot().size)") > 100
    assert nb.problems == []


def test_every_gene_of_a_large_object_can_be_read(notebook: Open) -> None:
    nb = notebook([DATA + LARGE, "v = karospace_view(large)\nv"])
    nb.run(0)
    nb.run(1)
    frame = nb.viewer(1)
    assert frame.evaluate("window.karospace.cells") == 100_000
    cells = [0, 50_000, 99_999]
    for gene in ("G0", "G12345", "G19999"):
        nb.python(f"setattr(v, 'color', {gene!r})")
        until_js(frame, "gene => window.karospace.getState().color.gene === gene", arg=gene)
        known = nb.python(f"large[:, {gene!r}].X.toarray().ravel()[{cells}].tolist()")
        until_js(
            frame,
            "([cells, known]) => cells.every((cell, i) => window.karospace.valueAt(cell) === known[i])",
            arg=[cells, known],
        )
    frame.evaluate("window.karospace.select(new Uint8Array(window.karospace.cells).fill(1, 0, 25_000))")
    nb.until("0 if v.selection is None else int(v.selection.sum())", 25_000)


def test_view_displayed_again_keeps_the_colors_of_its_regions(notebook: Open) -> None:
    nb = notebook([DATA, "v = karospace_view(adata)\nv", "v"])
    nb.run(0)
    nb.run(1)
    frame = nb.viewer(1)
    frame.evaluate("""() => {
        const cells = new Uint8Array(window.karospace.cells).fill(1, 0, 40);
        window.karospace.setRegions([{name: 'core', color: '#12ab34', mask: cells}]);
    }""")
    nb.until("list(v.regions)", ["core"])
    nb.run(2)
    second = nb.viewer(2)
    until_js(second, "window.karospace.regions.length === 1")
    assert second.evaluate("window.karospace.regions[0].color") == "#12ab34"


def test_running_a_cell_again_frees_the_previous_view(notebook: Open) -> None:
    nb = notebook([DATA, "v = karospace_view(adata)\nv"])
    nb.run(0)
    nb.run(1)
    nb.viewer(1)
    count = "[len(get_ipython().kernel.comm_manager.comms), __import__('threading').active_count(), len(__import__('ipywidgets').widgets.widget._instances)]"
    before = nb.python(count)
    for _ in range(3):
        nb.run(1)
        nb.viewer(1)

    def as_before() -> None:
        after = nb.python(count)
        assert after[0] == before[0] and after[2] == before[2], (before, after)
        assert after[1] <= before[1] + 1

    holds(as_before, page=nb.page)
    becomes(lambda: nb.page.evaluate("document.querySelectorAll('iframe').length"), 1)


def test_bundle_is_displayed_without_fetching_its_files(shown: tuple[Notebook, Any], lab: Lab) -> None:
    nb, _ = shown
    nb.requests.clear()
    nb.run(6)
    frame = nb.viewer(6)
    gene = nb.python("__import__('karospace_jupyter').Bundle('mine').manifest.gene_list[0]")
    assert gene_in(frame, gene, [0, 11]) == pytest.approx(expected(nb, gene, [0, 11]))
    outside = [url for url in nb.requests if not url.startswith((lab.url, "blob:", "data:", "about:"))]
    assert outside == []
    assert not [url for url in nb.requests if "assets/" in url or "mine" in url]
    assert (Path(lab.folder) / "mine" / "manifest.json").exists()


def test_genes_of_a_bundle_are_compared_in_a_worker(shown: tuple[Notebook, Any]) -> None:
    nb, _ = shown
    nb.run(6)
    frame = nb.viewer(6)
    frame.evaluate("""() => { window.workers = 0;
      window.Worker = class extends Worker { constructor(...given) { super(...given); window.workers++; } }; }""")
    frame.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 900 ? 1 : 0))")
    frame.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    frame.get_by_role("region", name="Compare genes").get_by_text("900 and 2,100 cells").wait_for()
    expect(frame.get_by_role("region", name="Compare genes").get_by_role("row")).not_to_have_count(0)
    assert frame.evaluate("window.workers") == 1


def test_genes_of_the_live_object_are_compared_in_the_kernel(shown: tuple[Notebook, Any]) -> None:
    nb, frame = shown
    frame.evaluate("karospace.select(Uint8Array.from({length: karospace.cells}, (_, i) => i < 900 ? 1 : 0))")
    nb.until("0 if v.selection is None else int(v.selection.sum())", 900)
    frame.get_by_role("region", name="Selection").get_by_role("button", name="Compare genes").click()
    panel = frame.get_by_role("region", name="Compare genes")
    panel.get_by_text("900 and 2,100 cells · 60 genes").wait_for()
    comparison = nb.python("(lambda t: [t.index.tolist(), t.log10_p_adjusted.tolist()])(v.compare('selection'))")
    names, logarithms = comparison
    expect(panel.locator("tbody th")).to_have_text(names)
    p_values = pytest.approx([10**p for p in logarithms], rel=0.06)
    becomes(
        lambda: [float(text) for text in panel.locator("tbody td:last-child").all_inner_texts()] == p_values,
        True,
        page=nb.page,
    )
    # A gene that was not exported colors the tissue.
    frame.get_by_role("button", name=names[0], exact=True).click()
    nb.until("v.state['color']", {"kind": "gene", "gene": names[0]})
    frame.get_by_role("button", name="Close comparison").click()
    frame.evaluate("karospace.select(null)")
    nb.until("v.selection is None", True)


def test_widget_closed_in_its_own_cell_logs_no_error(shown: tuple[Notebook, Any]) -> None:
    nb, _ = shown
    before = list(nb.problems)
    for cell in (8, 9, 10):
        nb.run(cell)
    # Once another view is drawn, the pending work of the closed widgets has finished.
    nb.run(5)
    nb.viewer(5)
    for cell in (8, 9, 10):
        expect(nb.output(cell).first).to_have_text("", use_inner_text=True)
    assert nb.problems == before


def test_requests_for_files_outside_the_bundle_are_rejected(shown: tuple[Notebook, Any]) -> None:
    nb, _ = shown
    ask = "(lambda: [exec('''def t(p):\\n    try:\\n        v._assets.read(p)\\n        return 'read'\\n    except Exception as e:\\n        return type(e).__name__''', globals()), [t(p) for p in ('../secret', '/etc/passwd', 'assets/../../x', 'assets', '', None, 5, 'live/gene_999', 'live/gene_-1', 'live/gene_0/..')]][1])()"
    assert set(nb.python(ask)) == {"BundleError", "GenesError"}
