"""The widgets wherever notebooks run: each environment for real, with its own kernel, in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import Lab, Notebook, Server, free_port, until_js
from nbclient import NotebookClient

from karospace_jupyter.datasets import synthetic_tissue

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
DATA = """
import time
from karospace_jupyter import karospace_view, karospace_widget, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue
adata = synthetic_tissue(3000, 60, seed=3)
"""
Open = Callable[..., Notebook]


def value_of(gene: str, cell: int) -> float:
    adata = synthetic_tissue(3000, 60, seed=3)
    return float(adata[cell, gene].X.toarray()[0, 0])


def viewer_in(page: Any, *, timeout: float = 60) -> Any:
    page.locator("iframe").first.wait_for(state="visible", timeout=timeout * 1000)
    frame = page.locator("iframe").first.element_handle().content_frame()
    until_js(frame, "window.karospace !== undefined", timeout=timeout)
    frame.evaluate("window.karospace.ready")
    return frame


def shows_genes(frame: Any, gene: str = "EPCAM") -> None:
    frame.evaluate("gene => window.karospace.setState({color: {kind: 'gene', gene}})", gene)
    assert frame.evaluate("window.karospace.valueAt(12)") == pytest.approx(value_of(gene, 12))


def written(folder: Path, cells: list[str], name: str = "page.ipynb") -> Path:
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / name)
    return folder / name


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1300, "height": 1100})
    yield context.new_page()
    context.close()


def test_notebook_7(browser: Any, page: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, application="notebook")
    try:
        nb = lab.notebook(page.context, [DATA, "w = karospace_widget(adata, 'seven', genes_mode='all')\nw"])
        nb.run(0)
        nb.run(1)
        nb.output(1).get_by_text("detected").wait_for()
        nb.output(1).get_by_role("button", name="Export", exact=True).click()
        frame = nb.viewer(1)
        shows_genes(frame)
        frame.evaluate(
            "() => { const m = new Uint8Array(window.karospace.cells); m[4] = 1; window.karospace.select(m); }"
        )
        nb.until("0 if w.view.selection is None else int(w.view.selection.sum())", 1)
        nb.shut_down()
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def six(lab: Lab) -> str:
    """A kernel with ipykernel 6, which has no subshells: the same packages, another ipykernel before them."""
    target = ROOT / "build" / "ipykernel6"
    if not (target / "ipykernel").exists():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--retries",
            "5",
            "--no-deps",
            "--target",
            str(target),
        ]
        subprocess.run([*command, "ipykernel==6.31.0"], check=True, timeout=300)
    spec = lab.folder / "spec"
    spec.mkdir(exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = {"argv": argv, "display_name": "six", "language": "python", "env": {"PYTHONPATH": str(target)}}
    (spec / "kernel.json").write_text(json.dumps(text))
    kernels = lab.folder / ".data" / "kernels" / "six"
    shutil.copytree(spec, kernels, dirs_exist_ok=True)
    return "six"


def test_ipykernel_6(six: str, notebook: Open) -> None:
    nb = notebook(
        [
            DATA,
            "w = karospace_widget(synthetic_tissue(60_000, 400, seed=4), 'sixth', genes_mode='all', jobs=1)\nw",
            "w.start()\nended = w.wait(60)\nended",
            "w.start()\ntime.sleep(4)",
            "v = karospace_view(adata)\nv",
            "picture = v.snapshot()\npicture.size",
        ],
        kernel=six,
    )
    nb.run(0)
    assert nb.python("__import__('ipykernel').__version__").startswith("6.")
    nb.run(1, timeout=120)
    card = nb.output(1).locator(".kf-card")
    card.get_by_text("detected").wait_for(timeout=60_000)
    # A cell that waits handles the page's messages itself.
    nb.run(2, wait=False)
    card.get_by_role("progressbar").wait_for(timeout=15_000)
    card.get_by_role("button", name="Cancel").click()
    card.get_by_text("The export was cancelled").wait_for(timeout=10_000)
    nb.until("globals().get('ended')", "cancelled")
    # A cell that computes does not: the form says so, and the cancel is heard after it.
    nb.run(3, wait=False)
    card.get_by_role("progressbar").wait_for(timeout=15_000)
    card.get_by_role("button", name="Cancel").click()
    card.get_by_text("kernel is busy").wait_for(timeout=10_000)
    nb.until("w.status in ('cancelled', 'done')", timeout=60)
    nb.run(4)
    shows_genes(nb.viewer(4))
    nb.run(5)
    assert nb.python("picture.size[0]") > 100


def test_an_exported_page_shows_the_picture_or_all(page: Any, tmp_path: Path) -> None:
    cells = [
        DATA + "b = adata_to_karospace(adata, 'bundle', genes_mode='all')",
        "karospace_view(b)",
        "karospace_view(b, inline=True)",
    ]
    nb = nbformat.read(written(tmp_path, cells), 4)
    client = NotebookClient(nb, store_widget_state=False, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    nbformat.write(nb, tmp_path / "run.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(tmp_path / "run.ipynb")]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("http*://**", lambda route: route.abort())
    page.goto((tmp_path / "run.html").as_uri())
    picture = page.locator("img[src^='data:image/webp']").first
    picture.wait_for()
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert "3,000 cells" in page.locator("body").inner_text()
    assert "open " + str(tmp_path / "bundle") in page.locator("body").inner_text()
    frame = viewer_in(page)
    before = len(asked)
    shows_genes(frame)
    assert len(asked) == before


def test_voila(page: Any, tmp_path: Path) -> None:
    file = written(tmp_path, [DATA + "w = karospace_widget(adata, 'voila', genes_mode='all')\nw"])
    port = free_port()
    command = [
        sys.executable, "-m", "voila", str(file), f"--port={port}", "--no-browser", "--Voila.ip=127.0.0.1",
        "--ServerApp.allow_root=True",
    ]  # fmt: skip
    server = Server(command, f"http://127.0.0.1:{port}/", tmp_path, {"JUPYTER_RUNTIME_DIR": str(tmp_path / ".runtime")})
    try:
        server.wait("static/", timeout=60)
        page.goto(server.url, timeout=60_000)
        page.get_by_text("detected").wait_for(timeout=60_000)
        page.get_by_role("button", name="Export", exact=True).click()
        shows_genes(viewer_in(page))
    finally:
        server.stop()


def test_marimo(page: Any, tmp_path: Path) -> None:
    body = "\n".join("    " + line for line in (DATA + "v = karospace_view(adata)").strip().splitlines())
    (tmp_path / "app.py").write_text(
        f"import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n{body}\n    v\n    return\n\n\nif __name__ == '__main__':\n    app.run()\n"
    )
    port = free_port()
    command = [
        sys.executable, "-m", "marimo", "run", "app.py", "--headless", "--no-token", "--host", "127.0.0.1", "-p", str(port),
    ]  # fmt: skip
    env = {"HOME": str(tmp_path), "MARIMO_SKIP_UPDATE_CHECK": "1"}
    server = Server(command, f"http://127.0.0.1:{port}/", tmp_path, env)
    try:
        server.wait("health", timeout=60)
        page.goto(server.url)
        shows_genes(viewer_in(page))
    finally:
        server.stop()


def test_jupyterhub_behind_its_proxy(page: Any, tmp_path: Path) -> None:
    proxy = ROOT / "build" / "hub-proxy"
    binary = proxy / "node_modules" / ".bin" / "configurable-http-proxy"
    if not binary.exists():
        command = ["npm", "install", "--prefix", str(proxy), "--no-audit", "--no-fund", "--fetch-retries", "5"]
        proxy.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, "configurable-http-proxy@5.1.0"], check=True, timeout=300)
    home = tmp_path / "home"
    home.mkdir()
    written(home, [DATA + "v = karospace_view(adata)\nv"])
    port, api, hub = free_port(), free_port(), free_port()
    (tmp_path / "config.py").write_text(
        f"""
c = get_config()
c.JupyterHub.bind_url = 'http://127.0.0.1:{port}/some/prefix/'
c.ConfigurableHTTPProxy.command = [{str(binary)!r}]
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{api}'
c.JupyterHub.hub_port = {hub}
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.SimpleLocalProcessSpawner.home_dir_template = {str(home)!r}
c.Spawner.cmd = [{sys.executable!r}, '-m', 'jupyterhub.singleuser']
c.Spawner.args = ['--allow-root']
c.Spawner.default_url = '/lab'
c.Spawner.start_timeout = 60
c.Spawner.environment = {{'JUPYTERHUB_SINGLEUSER_APP': 'jupyter_server.serverapp.ServerApp'}}
"""
    )
    command = [sys.executable, "-m", "jupyterhub", "-f", "config.py"]
    server = Server(
        command,
        f"http://127.0.0.1:{port}/some/prefix/",
        tmp_path,
        {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    try:
        server.wait("hub/login", timeout=90, below=400)
        page.goto(server.url + "hub/login")
        page.fill("input[name=username]", "ada")
        page.fill("input[name=password]", "any")
        page.click("input[type=submit], button[type=submit]")
        page.wait_for_url("**/user/ada/lab**", timeout=90_000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url + "user/ada/lab/tree/page.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_selector(
            ".jp-Toolbar-kernelStatus [data-icon*='circle'], .jp-NotebookPanel-toolbar", timeout=30_000
        )
        page.wait_for_timeout(3000)
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Control+Enter")
        shows_genes(viewer_in(page, timeout=90))
        strange = [url for url in asked if not url.startswith((server.url, "blob:", "data:", "about:"))]
        assert strange == []
        assert not [url for url in asked if "assets/" in url and "karospace" in url]
    finally:
        server.stop()
