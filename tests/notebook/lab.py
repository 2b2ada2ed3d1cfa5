"""Start JupyterLab with real kernels, and drive its notebooks in a real browser."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from forked_kernels import end_with_the_parent
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Error
from waiting import PATIENCE_MS, PATIENCE_S, eventually, until_js

import karospace_jupyter

FORKED_KERNELS = Path(__file__).with_name("forked_kernels.py")
STATIC = Path(karospace_jupyter.__file__).parent / "_static"
TISSUES = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
from tissues import synthetic_tissue
"""
"""Imports `synthetic_tissue` in a kernel, like `karospace_jupyter.datasets` but cached on disk."""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


RESEND_AFTER_S = 3.0
"""Seconds without a reply after which a request is sent again."""
GRACE_S = 15
"""Seconds that a server may take to stop; then it is killed, without failing a test."""


@functools.cache
def _start_fork_server() -> Path:
    """Start the process that forks kernels, once for all servers, and return the path of its socket."""
    path = Path(tempfile.mkdtemp(), "kernels")
    command = [sys.executable, FORKED_KERNELS, "serve", path]
    process = subprocess.Popen(command, cwd=path.parent, preexec_fn=end_with_the_parent)

    def end() -> None:
        process.kill()
        process.wait()
        shutil.rmtree(path.parent)

    atexit.register(end)
    eventually(path.exists, what="the process that forks kernels has not started")
    return path


def _add_forked_kernel(data: Path) -> None:
    """Add a forked kernel `python3` to a data folder of Jupyter, which precedes other folders with that kernel."""
    folder = data / "kernels" / "python3"
    folder.mkdir(parents=True)
    argv = [sys.executable, str(FORKED_KERNELS), str(_start_fork_server()), "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (ipykernel)", "language": "python", "metadata": {"debugger": True}}
    (folder / "kernel.json").write_text(json.dumps(spec))


class Server:
    """Server process on 127.0.0.1, which is stopped with all its children."""

    def __init__(self, command: list[str], url: str, cwd: Path, env: dict[str, str] | None = None) -> None:
        self.url = url
        self._out = (cwd / f"server-{free_port()}.log").open("w+")
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            # `jupyter lab` finds its subcommands on PATH, so put this environment first.
            env={
                **os.environ,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                **(env or {}),
            },
            stdout=self._out,
            stderr=self._out,
            start_new_session=True,
            preexec_fn=end_with_the_parent,
        )

    def wait(self, path: str = "", *, below: int = 500) -> None:
        """Wait until the server answers with a status below `below`."""

        def answers() -> bool:
            assert self.process.poll() is None, f"{self.url} has ended:\n{self.log()[-3000:]}"
            try:
                urllib.request.urlopen(self.url + path, timeout=PATIENCE_S).close()
            except urllib.error.HTTPError as exc:
                return exc.code < below
            except OSError:
                return False
            return True

        eventually(answers, what=lambda: f"no answer from {self.url}:\n{self.log()[-3000:]}")

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
                self.process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(GRACE_S)
        # Kernels and single-user servers run in their own sessions, which killpg does not reach.
        _, alive = psutil.wait_procs(children, timeout=GRACE_S)
        for child in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(alive, timeout=GRACE_S)
        print(self.log()[-3000:])  # pytest shows it if the test fails
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
        """Start JupyterLab from this environment with the panel of this checkout, or from another `python`."""
        self.folder = folder
        self.application = application
        # Kernels listen on sockets in this folder: ports that are free when a server picks them may be taken when its kernel
        # starts. Paths of sockets must be short.
        self.runtime = Path(tempfile.mkdtemp())
        port = free_port()
        path_variable = {} if python is None else {"PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]])}
        env = {
            **path_variable,
            "JUPYTER_PATH": os.pathsep.join(map(str, [STATIC, folder / ".kernels"])) if python is None else "",
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
            "--KernelManager.transport=ipc", "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            *args,
        ]  # fmt: skip
        # Disable the notifications of a first visit, which cover the page; autosave, because tests save by themselves;
        # and windowing, because cells outside the window would have no size and could not be clicked.
        overrides = folder / ".config" / "labconfig"
        overrides.mkdir(parents=True, exist_ok=True)
        settings = {
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
            "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
            "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
        }
        (overrides / "default_setting_overrides.json").write_text(json.dumps(settings))
        if python is None and sys.platform == "linux":
            _add_forked_kernel(folder / ".kernels")
        super().__init__(command, f"http://127.0.0.1:{port}{base}", folder, env)
        self.wait("api/status")

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def notebook(self, page: Any, cells: list[str], *, name: str = "test.ipynb", kernel: str = "python3") -> Notebook:
        file = self.folder / name
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
        nb.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(nb, file)
        return Notebook(self, page, file)

    def sessions(self) -> dict[str, dict[str, Any]]:
        """Return the notebooks, consoles and files that have a kernel, by the ID of their session."""
        with urllib.request.urlopen(f"{self.url}api/sessions", timeout=PATIENCE_S) as answer:
            return {session["id"]: session for session in json.load(answer)}

    def end_session(self, session_id: str) -> None:
        """Shut down the kernel of a session, if it still has one."""
        request = urllib.request.Request(f"{self.url}api/sessions/{session_id}", method="DELETE")
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=PATIENCE_S).close()


class Notebook:
    """Open notebook with access to its cells by index and to its kernel by a second client."""

    def __init__(self, lab: Lab, page: Any, file: Path) -> None:
        self.lab, self.page, self.file = lab, page, file
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._client: BlockingKernelClient | None = None
        page.on("pageerror", self._record_error)
        page.on("request", lambda request: self.requests.append(request.url))
        path = (
            f"lab/workspaces/{file.stem.replace('_', '-')}/tree/{file.name}"
            if lab.application == "lab"
            else f"notebooks/{file.name}"
        )
        page.goto(f"{lab.url}{path}")
        clear_the_way(page)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        until_js(page, "window.jupyterapp !== undefined")
        eventually(self._kernels, page=page, what="no kernel started")
        # A key press before the page is connected to its kernel runs nothing.
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(state="attached")

    def _record_error(self, error: Any) -> None:
        # JupyterLab's output area handles kernel messages even after it is disposed: a bug in JupyterLab.
        disposed_area = str(error) == "Cannot read properties of null (reading 'widgets')"
        if not (disposed_area and "karospace" not in (error.stack or "")):
            self.problems.append(f"{error}\n{error.stack}")

    def command(self, name: str, args: dict[str, Any] | None = None) -> None:
        """Run a command of JupyterLab without waiting for it, because it may open a dialog first."""
        self.page.evaluate("([name, args]) => { window.jupyterapp.commands.execute(name, args); }", [name, args or {}])

    def cell(self, index: int) -> Any:
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def prompt(self, index: int) -> Any:
        """Return the prompt of a cell: empty brackets, with a star while it runs, with its number afterwards."""
        return self.cell(index).locator(".jp-InputPrompt").first

    def run(self, index: int, *, wait: bool = True) -> None:
        """Run one cell by keyboard. With `wait`, wait until it has finished, otherwise until it has started."""
        before = self.prompt(index).inner_text()
        self.cell(index).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        ended = re.compile(r"\[\d+\]")
        eventually(
            lambda: self.prompt(index).inner_text(),
            lambda now: now != before and (not wait or ended.search(now)),
            what=f"cell {index} does not {'finish' if wait else 'start'}",
        )

    def output(self, index: int) -> Any:
        return self.cell(index).locator(".jp-OutputArea-output")

    def viewer(self, index: int) -> Any:
        """Return the frame of the viewer in the output of a cell, once it is drawn."""
        return viewer_in(self.output(index).locator("iframe").first)

    def _kernels(self) -> list[dict[str, Any]]:
        sessions = self.lab.sessions().values()
        return [session["kernel"] for session in sessions if session["path"] == self.file.name]

    @property
    def kernel_id(self) -> str:
        return str(self._kernels()[0]["id"])

    def shut_down(self) -> None:
        """Shut down the kernel."""
        self.disconnect()
        for kernel in self._kernels():
            request = urllib.request.Request(f"{self.lab.url}api/kernels/{kernel['id']}", method="DELETE")
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=PATIENCE_S).close()

    def python(self, expression: str) -> Any:
        """Evaluate an expression in the notebook's kernel; the value must be JSON."""
        code = {"value": f"__import__('json').dumps({expression})"}
        with self._connected() as client:
            message = client.execute("", silent=True, store_history=False, user_expressions=code)
            value = _reply(client, message, PATIENCE_S)["content"]["user_expressions"]["value"]
        assert value["status"] == "ok", "\n".join([str(value.get("evalue")), *value.get("traceback", [])])
        return json.loads(eval(value["data"]["text/plain"]))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[BlockingKernelClient]:
        """Yield a client of the current kernel, which is kept for later requests and replaced after a failure."""
        file = self.lab.runtime / f"kernel-{self.kernel_id}.json"
        if self._client is not None and self._client.connection_file != str(file):
            self.disconnect()
        if self._client is None:
            self._client = BlockingKernelClient(connection_file=str(file))
            self._client.load_connection_file()
            # No heartbeat channel: a kernel on a busy machine that misses a beat is not dead. No iopub channel: the
            # output of cells is not needed.
            self._client.start_channels(stdin=False, hb=False, iopub=False)
        try:
            _wait_for_kernel(self._client)
            yield self._client
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None

    def until(self, expression: str, wanted: Any = True) -> Any:
        """Evaluate an expression in the kernel until it has the wanted value."""
        return eventually(
            lambda: self.python(expression),
            lambda found: found == wanted,
            page=self.page,
            what=f"{expression} is not {wanted!r}",
        )


def _reply(client: BlockingKernelClient, message: str, timeout_s: float) -> dict[str, Any]:
    """Return the reply to a message; skip late replies to earlier ones."""
    while True:
        reply: dict[str, Any] = client.get_shell_msg(timeout=timeout_s)
        if reply["parent_header"].get("msg_id") == message:
            return reply


def _wait_for_kernel(client: BlockingKernelClient) -> None:
    """Send requests until the kernel replies: a message to a kernel that is still starting can be lost."""

    def answers() -> bool:
        try:
            _reply(client, client.kernel_info(), RESEND_AFTER_S)
        except queue.Empty:
            return False
        return True

    eventually(answers, what="the kernel does not answer")


def viewer_in(frame: Any) -> Any:
    """Return the frame of the viewer in an iframe once it is drawn; the frame may be replaced in the meantime."""

    def drawn() -> Any:
        handle = frame.element_handle()
        content = handle and handle.content_frame()
        try:
            if content and content.evaluate("window.karospace !== undefined"):
                ready(content)
                return content
        except Error as error:
            if not any(text in str(error) for text in ("detached", "context was destroyed", "navigat")):
                raise
        return None

    frame.wait_for(state="visible")
    return eventually(drawn, page=frame.page, what="there is no viewer")


def ready(frame: Any) -> None:
    """Wait for the first frame of the viewer, with a timeout, because a script that never ends would hang the tests."""
    late = f"new Promise((_, reject) => setTimeout(() => reject(new Error('the viewer is not ready')), {PATIENCE_MS}))"
    frame.evaluate(f"Promise.race([window.karospace.ready, {late}])")


IN_THE_WAY = re.compile(
    "Server Connection Error|server is not running|unreachable|unavailable|has changed on disk|Autosave|File Save Error"
    "|Build Recommended|Error Starting Kernel",
)
"""Texts of dialogs that JupyterLab may open at any time when its server is slow; not under test."""


def clear_the_way(page: Any, texts: re.Pattern[str] = IN_THE_WAY) -> None:
    """Dismiss dialogs with these texts automatically when they cover an element to click."""
    dialog = page.locator(".jp-Dialog").filter(has_text=texts)

    def dismiss(shown: Any) -> None:
        buttons = shown.locator(".jp-Dialog-footer button")
        # Accept the kernel that this dialog suggests: without one, no cell would run.
        wanted = "^Select$" if "Select Kernel" in shown.inner_text() else "Dismiss|Cancel|Close|Ok"
        buttons.filter(has_text=re.compile(wanted, re.IGNORECASE)).first.click(no_wait_after=True)

    page.add_locator_handler(dialog.first, dismiss)
