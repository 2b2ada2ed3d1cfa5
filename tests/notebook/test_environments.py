"""Widgets in each supported notebook environment, with real kernels in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from environments import (
    DATA,
    FORM,
    SELECTED,
    VIEW,
    export_by_click,
    progress_above,
    run_first_cell,
    select,
    selection_reaches_python,
    shows_a_gene,
    viewer_of,
    write_notebook,
)
from lab import Lab, Notebook, Server, free_port
from nbclient import NotebookClient
from playwright.sync_api import expect
from waiting import PATIENCE_S, becomes

pytestmark = pytest.mark.e2e

Open = Callable[..., Notebook]


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1300, "height": 1100})
    yield context.new_page()
    context.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server in the folder of the test; it is stopped after the test."""
    servers: list[Server] = []

    def start(module: str, *args: str, port: int, path: str = "/", env: dict[str, str] | None = None) -> Server:
        env = {
            "JUPYTER_RUNTIME_DIR": str(tmp_path / ".runtime"),
            "IPYTHONDIR": str(tmp_path / ".ipython"),
            **(env or {}),
        }
        command = [sys.executable, "-m", module, *args]
        servers.append(Server(command, f"http://127.0.0.1:{port}{path}", tmp_path, env))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_form_and_viewer_work_in_notebook_7(page: Any, tmp_path: Path) -> None:
    lab = Lab(tmp_path, application="notebook")
    try:
        nb = lab.notebook(page, [FORM, "w"])
        nb.run(0)
        earlier_problems = list(nb.problems)  # some are those of Notebook 7 itself
        nb.run(1)
        export_by_click(nb.output(1))
        frame = nb.viewer(1)
        shows_a_gene(frame)
        select(frame)
        nb.until("[] if w.view.selection is None else np.flatnonzero(w.view.selection).tolist()", SELECTED)
        assert nb.problems == earlier_problems
        nb.shut_down()
    finally:
        lab.stop()


@pytest.fixture(scope="module")
def six(lab: Lab, older_kernel: Path) -> str:
    """Install a kernel with ipykernel 6, which has no subshells, and otherwise the same packages."""
    kernel = lab.folder / ".data" / "kernels" / "six"
    kernel.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "six", "language": "python", "env": {"PYTHONPATH": str(older_kernel)}}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    return "six"


def test_ipykernel_6_handles_messages_while_a_cell_waits(six: str, notebook: Open, lab: Lab, holding: Any) -> None:
    nb = notebook(
        [
            f"{DATA}\nbig = synthetic_tissue(6_000, 100, seed=4)",
            "w = karospace_widget(big, 'sixth', genes_mode='all', jobs=1)\nw",
            "ended = None\nw.start()\nended = w.wait(600)\nended",
            "w.start()\nwhile not Path('sixth.go').exists():\n    time.sleep(0.05)",
        ],
        kernel=six,
    )
    nb.run(0)
    assert nb.python("__import__('ipykernel').__version__").startswith("6.")
    nb.run(1)
    card = nb.output(1).locator(".kf-card")
    card.get_by_text("detected").wait_for()
    bar = card.get_by_role("progressbar")
    # A cell in `wait` handles messages of the page itself.
    holding(0.5)
    nb.run(2, wait=False)
    bar.wait_for()
    card.get_by_role("button", name="Cancel").click()
    card.get_by_text("The export was canceled").wait_for()
    nb.until("ended", "cancelled")
    # A cell that computes handles none: the form shows that the kernel is busy, and cancels after the cell.
    nb.run(3, wait=False)
    bar.wait_for()
    card.get_by_role("button", name="Cancel").click()
    card.get_by_text("kernel is busy").wait_for()
    (lab.folder / "sixth.go").touch()
    assert nb.until("w.status in ('cancelled', 'done')")
    card.get_by_text("kernel is busy").wait_for(state="detached")
    # Without a cancel, the export shows its progress and finishes.
    shares = [0.2, 0.5, 0.8]
    holding(shares[0])
    nb.run(2, wait=False)
    bar.wait_for()
    seen: list[float] = []
    for share in shares:
        holding(share)
        seen.append(progress_above(bar, seen[-1] if seen else 0))
    assert len(set(seen)) >= 3, seen
    holding(None)
    card.get_by_text("Done", exact=True).wait_for()
    assert nb.python("[ended, w.status]") == ["done", "done"]
    nb.viewer(1)


def test_ipykernel_6_shows_a_view(six: str, notebook: Open) -> None:
    nb = notebook([VIEW, "v", "picture = v.snapshot()\nlist(picture.size)"], kernel=six)
    nb.run(0)
    assert nb.python("__import__('ipykernel').__version__").startswith("6.")
    nb.run(1)
    frame = nb.viewer(1)
    shows_a_gene(frame)
    select(frame)
    nb.until("[] if v.selection is None else np.flatnonzero(v.selection).tolist()", SELECTED)
    # The cell requests a snapshot and waits for the page.
    nb.run(2)
    assert nb.python("len(picture.getcolors(2**24))") > 50
    assert nb.problems == []


BUNDLE = f"{DATA}\nb = adata_to_karospace(adata, 'bundle', genes_mode='all')"
SENTENCE = "run this cell again, or open {}."


def converted(folder: Path, name: str, *options: str) -> str:
    """Convert a notebook to HTML with nbconvert, and return the URL of the file."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", *options, name]
    env = {**os.environ, "IPYTHONDIR": str(folder / ".ipython"), "JUPYTER_RUNTIME_DIR": str(folder / ".runtime")}
    completed = subprocess.run(command, cwd=folder, env=env, timeout=PATIENCE_S, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    return (folder / name).with_suffix(".html").as_uri()


def without_network(page: Any) -> list[Any]:
    """Make every network request fail; return the list of requests."""
    requests: list[Any] = []
    page.on("request", lambda request: requests.append(request))
    page.route(re.compile("^https?:"), lambda route: route.abort())
    return requests


def shows_the_picture(page: Any, folder: Path) -> None:
    picture = page.locator("img[src^='data:image/webp']").first
    picture.wait_for()
    becomes(lambda: picture.evaluate("image => image.naturalWidth > 100"), wanted=True)
    body = page.locator("body")
    expect(body).to_contain_text("3,000 cells", use_inner_text=True)
    expect(body).to_contain_text(SENTENCE.format(folder / "bundle"), use_inner_text=True)


def test_nbconvert_shows_the_preview_and_how_to_open_the_bundle(page: Any, tmp_path: Path) -> None:
    file = write_notebook(tmp_path, [BUNDLE, "karospace_view(b)"])
    nb = nbformat.read(file, 4)
    # As JupyterLab saves it: with outputs but without widget state.
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(nb, store_widget_state=False, startup_timeout=PATIENCE_S, resources=resources).execute()
    nbformat.write(nb, file)
    without_network(page)
    page.goto(converted(tmp_path, file.name))
    shows_the_picture(page, tmp_path)


def test_nbconvert_execute_shows_the_preview_without_widget_state(page: Any, tmp_path: Path) -> None:
    file = write_notebook(tmp_path, [BUNDLE, "karospace_view(b)"])
    without_network(page)
    page.goto(converted(tmp_path, file.name, "--execute", "--ExecutePreprocessor.store_widget_state=False"))
    shows_the_picture(page, tmp_path)


def test_nbconvert_with_widget_state_shows_that_there_is_no_kernel(
    page: Any, tmp_path: Path, html_manager_modules: Path
) -> None:
    """With widget state in the page, scripts of Jupyter from a CDN render the widgets instead of their outputs."""
    import anywidget

    def cdn(route: Any) -> None:
        url = route.request.url
        if "html-manager" in url:
            file = html_manager_modules / "@jupyter-widgets" / "html-manager" / "dist" / url.split("/dist/")[1]
        elif "require.js" in url:
            file = html_manager_modules / "requirejs" / "require.js"
        elif "/npm/anywidget@" in url:
            file = Path(anywidget.__file__).parent / "nbextension" / "index.js"
        else:
            route.abort()
            return
        route.fulfill(path=file) if file.exists() else route.abort()

    file = write_notebook(tmp_path, [BUNDLE, "karospace_view(b)", "karospace_widget(adata)"])
    page.route(re.compile("^https?:"), cdn)
    page.goto(converted(tmp_path, file.name, "--execute"))
    picture = page.locator("img[src^='data:image/webp']").first
    picture.wait_for()
    becomes(lambda: picture.evaluate("image => image.naturalWidth > 100"), wanted=True)
    page.get_by_text("The viewer cannot be loaded: the kernel has stopped").wait_for()
    form = page.locator(".kf-card")
    form.wait_for()
    expect(form.get_by_role("button", name="Export", exact=True)).to_be_disabled()


def test_nbconvert_keeps_an_inline_view_interactive(page: Any, tmp_path: Path) -> None:
    file = write_notebook(tmp_path, [BUNDLE, "karospace_view(b, inline=True)"])
    requests = without_network(page)
    page.goto(converted(tmp_path, file.name, "--execute"))
    frame = viewer_of(page)
    before = len(requests)
    shows_a_gene(frame)
    assert [request.url for request in requests[before:]] == []
    # The page of nbconvert loads scripts from a CDN; the viewer itself requests nothing.
    of_viewer = [request.url for request in requests if request.frame == frame]
    assert [url for url in of_viewer if not url.startswith(("about:", "data:", "blob:"))] == []


def test_form_and_viewer_work_in_voila(page: Any, tmp_path: Path, serve: Callable[..., Server]) -> None:
    file = write_notebook(tmp_path, [f"{FORM}\nw"])
    port = free_port()
    server = serve(
        "voila", file.name, f"--port={port}", "--no-browser", "--Voila.ip=127.0.0.1", "--ServerApp.allow_root=True",
        port=port,
    )  # fmt: skip
    server.wait("static/")
    page.goto(server.url)
    export_by_click(page)
    frame = viewer_of(page)
    shows_a_gene(frame)
    selection_reaches_python(frame, tmp_path)


def marimo_file(folder: Path, *cells: str) -> str:
    bodies = [f"@app.cell\ndef _():\n{textwrap.indent(cell.strip(), '    ')}\n    return" for cell in cells]
    text = "\n\n\n".join(["import marimo\n\napp = marimo.App()", *bodies, 'if __name__ == "__main__":\n    app.run()'])
    (folder / "app.py").write_text(text + "\n")
    return "app.py"


@pytest.mark.parametrize("kind", ["view", "form"])
@pytest.mark.parametrize("mode", ["run", "edit"])
def test_widgets_work_in_marimo(mode: str, kind: str, page: Any, tmp_path: Path, serve: Callable[..., Server]) -> None:
    file = marimo_file(tmp_path, f"{VIEW}\nv" if kind == "view" else f"{FORM}\nw")
    port = free_port()
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config"), "MARIMO_SKIP_UPDATE_CHECK": "1"}
    args = ["--headless", "--no-token", "--host", "127.0.0.1", "-p", str(port)]
    server = serve("marimo", mode, file, *args, port=port, env=env)
    server.wait("health")
    page.goto(server.url)
    if mode == "edit":
        page.locator(".cm-content").first.wait_for()
        page.locator(".cm-content").first.click()
        page.keyboard.press("Control+Enter")
    if kind == "form":
        export_by_click(page)
    frame = viewer_of(page)
    shows_a_gene(frame)
    selection_reaches_python(frame, tmp_path)
    if kind == "form":
        # A second export replaces the view.
        first = page.locator("iframe[srcdoc]").first.element_handle()
        page.get_by_role("button", name="Export again").click()
        first.wait_for_element_state("hidden")
        shows_a_gene(viewer_of(page))


def test_view_works_in_jupyterhub_behind_its_proxy(
    page: Any, tmp_path: Path, serve: Callable[..., Server], proxy_modules: Path
) -> None:
    proxy = proxy_modules / ".bin" / "configurable-http-proxy"
    home = tmp_path / "home"
    home.mkdir()
    write_notebook(home, [f"{VIEW}\nv"])
    port = free_port()
    config = f"""
        c = get_config()
        c.JupyterHub.bind_url = "http://127.0.0.1:{port}/some/prefix/"
        c.JupyterHub.hub_port = {free_port()}
        c.ConfigurableHTTPProxy.command = [{str(proxy)!r}]
        c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{free_port()}"
        c.JupyterHub.authenticator_class = "dummy"
        c.Authenticator.allow_all = True
        c.JupyterHub.spawner_class = "simple"
        c.SimpleLocalProcessSpawner.home_dir_template = {str(home)!r}
        c.Spawner.cmd = [{sys.executable!r}, "-m", "jupyterhub.singleuser"]
        c.Spawner.args = ["--allow-root"]
        c.Spawner.default_url = "/lab"
        c.Spawner.start_timeout = {PATIENCE_S:.0f}
        c.Spawner.http_timeout = {PATIENCE_S:.0f}
        c.Spawner.environment = {{"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}}
        """
    (tmp_path / "config.py").write_text(textwrap.dedent(config))
    server = serve(
        "jupyterhub", "-f", "config.py", port=port, path="/some/prefix/",
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    # The proxy returns 404 and 503 until the hub has registered with it.
    server.wait("hub/login", below=400)
    page.goto(server.url + "hub/login")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", "any")
    page.click("input[type=submit], button[type=submit]")
    page.wait_for_url("**/user/ada/lab**")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(server.url + "user/ada/lab/tree/page.ipynb")
    run_first_cell(page)
    frame = viewer_of(page)
    shows_a_gene(frame)
    selection_reaches_python(frame, home)
    allowed = (f"{server.url}user/ada/", f"{server.url}hub/", "blob:", "data:", "about:")
    assert [url for url in requests if not url.startswith(allowed)] == []
    # The files of the viewer are sent in kernel messages, not requested over HTTP.
    paths = [urlsplit(url).path for url in requests if not url.startswith(("blob:", "data:"))]
    assert [path for path in paths if re.search(r"/(index\.html|manifest\.json|assets/.*|files/.*)$", path)] == []
