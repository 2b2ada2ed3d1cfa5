"""Start kernels as forks of a process that has imported everything, because a new interpreter takes seconds for that.

Jupyter starts this file as the kernel. It asks the server of forks (`ForkedKernels`) for a kernel with its own
environment and outputs, passes its signals on, and ends when the kernel ends. The kernel ends when this process does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys

OUTPUTS = [1, 2]
PR_SET_PDEATHSIG = 1


def end_with_the_parent(by: int = signal.SIGTERM) -> None:
    """Make Linux send this process the signal `by` when its parent ends, however it ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by)


def main(path: str, arguments: list[str]) -> int:
    """Request a kernel from the server at `path`, and wait until it ends."""
    import json

    end_with_the_parent(signal.SIGKILL)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        request = json.dumps({"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()})  # noqa: PTH109
        socket.send_fds(connection, [len(request).to_bytes(4, "big")], OUTPUTS)
        connection.sendall(request.encode())
        kernel = int.from_bytes(connection.recv(4), "big")
        assert kernel, "no kernel was forked"

        def pass_on(number: int, _: object) -> None:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(kernel, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        while connection.recv(1):
            pass
    return 0


def serve(path: str) -> None:
    """Fork a kernel for each connection, until this process is ended."""
    import json

    import anndata  # noqa: F401
    import ipykernel.kernelapp
    import ipywidgets  # noqa: F401

    import karospace_jupyter
    import karospace_jupyter.datasets
    import karospace_jupyter.session

    for name in karospace_jupyter.__all__:  # imports their modules
        getattr(karospace_jupyter, name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps kernels that ended
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        while True:
            connection, _ = listener.accept()
            size, outputs, _, _ = socket.recv_fds(connection, 4, len(OUTPUTS))
            with connection.makefile("rb") as stream:
                request = json.loads(stream.read(int.from_bytes(size, "big")))
            if not os.fork():
                listener.close()
                break
            connection.close()
            for descriptor in outputs:
                os.close(descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for descriptor, output in zip(outputs, OUTPUTS, strict=True):
        os.dup2(descriptor, output)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    # Without this variable, ipykernel does not expect Jupyter as its parent; `_end_with` ends the kernel instead.
    os.environ.pop("JPY_PARENT_PID", None)
    _end_with(connection)
    os.chdir(request["folder"])
    sys.argv = ["ipykernel_launcher.py", *request["arguments"]]
    connection.sendall(os.getpid().to_bytes(4, "big"))
    ipykernel.kernelapp.launch_new_instance()


def _end_with(connection: socket.socket) -> None:
    """Kill this process and its children when the other end of the connection is closed."""
    import threading

    def watch() -> None:
        connection.recv(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "serve":
        serve(*rest)
    else:
        sys.exit(main(command, rest))
