"""A real JupyterLab with real kernels, driven in a real browser."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client import BlockingKernelClient

import karospace_jupyter

STATIC = Path(karospace_jupyter.__file__).parent / "_static"
TISSUES = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
from tissues import synthetic_tissue
"""
"""Gives a kernel the built-in tissue, as `karospace_jupyter.datasets` does."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


PR_SET_PDEATHSIG = 1


def _end_with_the_parent() -> None:
    """Have Linux end this process when the tests are killed, so that no server outlives them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Server:
    """A process that serves on 127.0.0.1; ended with everything it started."""

    def __init__(self, command: list[str], url: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        self.url = url
        self._out = (cwd / f"server-{free_port()}.log").open("w+")
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            # `jupyter lab` looks for its parts on the path: those of this environment come first.
            env={
                **os.environ,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                **(env or {}),
            },
            stdout=self._out,
            stderr=self._out,
            start_new_session=True,
            preexec_fn=_end_with_the_parent,
        )

    def wait(self, path: str = "", timeout: float = 60, *, below: int = 500) -> None:
        """Wait until the server answers with a status below `below`."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                urllib.request.urlopen(self.url + path, timeout=5).close()
                return
            except urllib.error.HTTPError as exc:
                if exc.code < below:
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"no answer from {self.url}:\n{self.log()[-3000:]}")

    def log(self) -> str:
        self._out.flush()
        return Path(self._out.name).read_text()

    def stop(self) -> None:
        children: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        # Kernels and servers of users are in sessions of their own.
        _, alive = psutil.wait_procs(children, timeout=5)
        for child in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(alive, timeout=5)
        self._out.close()


class Lab(Server):
    def __init__(
        self,
        folder: Path,
        *,
        base: str = "/",
        application: str = "lab",
        args: tuple[str, ...] = (),
        python: Path | None = None,
    ) -> None:
        """Start it from this environment with the panel of this checkout, or from another one as it is installed."""
        self.folder = folder
        self.application = application
        self.runtime = folder / ".runtime"
        self.runtime.mkdir(exist_ok=True)
        port = free_port()
        own = {} if python is None else {"PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]])}
        env = {
            **own,
            "JUPYTER_PATH": str(STATIC) if python is None else "",
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTER_DATA_DIR": str(folder / ".data"),
            "JUPYTER_CONFIG_DIR": str(folder / ".config"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / ".settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / ".workspaces"),
            "IPYTHONDIR": str(folder / ".ipython"),
        }
        command = [
            str(python or sys.executable), "-m", "jupyter", application, "--no-browser", "--allow-root", "--ip=127.0.0.1",
            f"--port={port}", f"--ServerApp.root_dir={folder}", f"--ServerApp.base_url={base}",
            "--IdentityProvider.token=", "--ServerApp.password=", "--expose-app-in-browser",
            "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *args,
        ]  # fmt: skip
        # What a first visit asks everyone covers the page.
        overrides = folder / ".config" / "labconfig"
        overrides.mkdir(parents=True, exist_ok=True)
        quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
        (overrides / "default_setting_overrides.json").write_text(json.dumps(quiet))
        super().__init__(command, f"http://127.0.0.1:{port}{base}", folder, env)
        self.wait("api/status")

    def notebook(
        self, context: Any, cells: list[str], *, name: str = "test.ipynb", kernel: str = "python3"
    ) -> Notebook:
        file = self.folder / name
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        nb.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(nb, file)
        return Notebook(self, context.new_page(), file)


class Notebook:
    """An open notebook: cells by their number, and its kernel from a second side."""

    def __init__(self, lab: Lab, page: Any, file: Path) -> None:
        self.lab, self.page, self.file = lab, page, file
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._client: BlockingKernelClient | None = None
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        path = (
            f"lab/workspaces/{file.stem.replace('_', '-')}/tree/{file.name}"
            if lab.application == "lab"
            else f"notebooks/{file.name}"
        )
        page.goto(f"{lab.url}{path}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
        page.wait_for_function("window.jupyterapp !== undefined", timeout=30_000)
        end = time.monotonic() + 60
        while not self._kernels():
            assert time.monotonic() < end, "no kernel started"
            page.wait_for_timeout(200)
        # The first message of a kernel that was just started can be lost with its sockets.
        self.python("1", timeout=60)

    def command(self, name: str, args: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab without waiting for it: it may ask first."""
        self.page.evaluate("([name, args]) => { window.jupyterapp.commands.execute(name, args); }", [name, args or {}])

    def cell(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def run(self, index: int, *, wait: bool = True, timeout: float = 60) -> None:
        """Run one cell by its keys, as a person does."""
        cell = self.cell(index)
        before = cell.locator(".jp-InputPrompt").first.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        if wait:
            self.page.wait_for_function(
                """([index, before]) => {
                    const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index];
                    const prompt = cell.querySelector('.jp-InputPrompt').innerText;
                    return prompt !== before && /\\[\\d+\\]/.test(prompt);
                }""",
                arg=[index, before],
                timeout=timeout * 1000,
            )

    def output(self, index: int) -> Any:
        return self.cell(index).locator(".jp-OutputArea-output")

    def viewer(self, index: int, *, timeout: float = 60) -> Any:
        """The frame of the viewer in a cell's output, once it stands."""
        frame = self.output(index).locator("iframe").first
        frame.wait_for(state="visible", timeout=timeout * 1000)
        content = frame.element_handle().content_frame()
        until_js(content, "window.karospace !== undefined", timeout=timeout)
        ready(content, timeout=timeout)
        return content

    def _kernels(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.lab.url}api/sessions") as answer:
            sessions = json.load(answer)
        return [session["kernel"] for session in sessions if session["path"] == self.file.name]

    @property
    def kernel_id(self) -> str:
        return str(self._kernels()[0]["id"])

    def shut_down(self) -> None:
        """End the kernel."""
        for kernel in self._kernels():
            request = urllib.request.Request(f"{self.lab.url}api/kernels/{kernel['id']}", method="DELETE")
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request).close()

    def client(self) -> BlockingKernelClient:
        file = self.lab.runtime / f"kernel-{self.kernel_id}.json"
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        # Without the heartbeat: a kernel on a busy machine that misses a beat is not dead.
        client.start_channels(stdin=False, hb=False)
        client.wait_for_ready(timeout=60)
        return client

    def python(self, expression: str, *, timeout: float = 30) -> Any:
        """Evaluate an expression in the notebook's kernel; the value must be JSON."""
        client = self.client()
        try:
            code = {"value": f"__import__('json').dumps({expression})"}
            message = client.execute("", silent=True, store_history=False, user_expressions=code)
            while True:
                reply = client.get_shell_msg(timeout=timeout)
                if reply["parent_header"].get("msg_id") == message:
                    break
            value = reply["content"]["user_expressions"]["value"]
            assert value["status"] == "ok", "\n".join([str(value.get("evalue")), *value.get("traceback", [])])
            return json.loads(eval(value["data"]["text/plain"]))
        finally:
            client.stop_channels()

    def until(self, expression: str, wanted: Any = True, *, timeout: float = 30) -> Any:
        end = time.monotonic() + timeout
        while True:
            found = self.python(expression)
            if found == wanted:
                return found
            assert time.monotonic() < end, f"{expression} is {found!r}, not {wanted!r}"
            self.page.wait_for_timeout(100)


def until_js(frame: Any, expression: str, arg: Any = None, *, timeout: float = 20) -> None:
    """Wait until an expression, or a function of `arg`, is true in a page whose policy forbids polling by string."""
    end = time.monotonic() + timeout
    while not frame.evaluate(expression, arg):
        assert time.monotonic() < end, f"never true: {expression}"
        frame.page.wait_for_timeout(50)


def ready(frame: Any, *, timeout: float = 60) -> None:
    """Wait for the viewer's first frame; a script that never ends would hang the tests."""
    late = f"new Promise((_, no) => setTimeout(() => no(new Error('the viewer is not ready')), {timeout * 1000}))"
    frame.evaluate(f"Promise.race([window.karospace.ready, {late}])")
