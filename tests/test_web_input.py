"""Input from web hosts: hosts without ranges or lengths, secrets in the URL, and broken connections."""

from __future__ import annotations

import errno
import io
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from karospace_jupyter import ExportConfig, adata_to_karospace, stores
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import Cancelled, NoSourceError, SourceError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.job import Job, Progress
from karospace_jupyter.stores import Store

SMALL = {"genes_mode": "hvgs:5", "packed": "no", "image_path": "none", "preview": False}


@dataclass
class Host:
    """A web host that ignores ranges. Tests set its fields to change what it does."""

    url: str
    folder: Path
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    length: bool = True
    """Whether responses state the length of files."""
    status: Callable[[str], int] = lambda path: 200
    cut: int = 0
    """Close the connection this many bytes before the end of a file, for the first `cuts` requests."""
    cuts: int = 10**6


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            host.requests.append((self.command, path))
            host.headers.append(dict(self.headers))
            file, status = host.folder / path.lstrip("/"), host.status(path)
            data = file.read_bytes() if file.is_file() and status == 200 else b""
            self.send_response(status if status != 200 or file.is_file() else 404)
            if host.length:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                host.cuts -= 1
                self.wfile.write(data[: -host.cut] if host.cut and host.cuts >= 0 else data)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "HEAD"):
        setattr(Handler, f"do_{method}", Handler.answer)
    folder = tmp_path / "www"
    folder.mkdir()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    host = Host(f"http://127.0.0.1:{httpd.server_port}", folder)
    try:
        yield host
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_PAUSES_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(stores, "_BLOCK_BYTES", 2**14)


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(200, 12, seed=1)


@pytest.mark.parametrize("length", [True, False])
def test_file_of_a_host_that_ignores_ranges_is_downloaded_once(adata: Any, host: Host, *, length: bool) -> None:
    adata.write_h5ad(host.folder / "a.h5ad")
    host.length = length
    seen: list[Progress] = []
    bundle = run_to_memory(f"{host.url}/a.h5ad", ExportConfig(**SMALL), Job(seen.append))
    assert (bundle.manifest.dataset_name, bundle.manifest.n_cells) == ("a", 200)
    assert host.requests == [("GET", "/a.h5ad")]
    assert host.headers[0]["Accept-Encoding"] == "identity"
    last = next(progress for progress in reversed(seen) if progress.stage == "Downloading")
    blocks = -(-(host.folder / "a.h5ad").stat().st_size // 2**14)
    assert last.finished and last.done == last.total == (blocks if length else 1)


def test_options_of_the_file_system_reach_the_host(adata: Any, host: Host) -> None:
    adata.write_h5ad(host.folder / "a.h5ad")
    options = {"headers": {"Authorization": "Bearer hunter2"}}
    run_to_memory(f"{host.url}/a.h5ad", ExportConfig(storage_options=options, **SMALL))
    assert host.headers[0]["Authorization"] == "Bearer hunter2"


def test_broken_download_is_repeated_from_the_start(adata: Any, host: Host) -> None:
    adata.write_h5ad(host.folder / "a.h5ad")
    host.cut, host.cuts = 1000, 2
    assert run_to_memory(f"{host.url}/a.h5ad", ExportConfig(**SMALL)).manifest.n_cells == 200
    assert len(host.requests) == 3


def test_download_that_stays_incomplete_is_an_error(adata: Any, host: Host) -> None:
    adata.write_h5ad(host.folder / "a.h5ad")
    host.cut = 1000
    with pytest.raises(SourceError, match=r"a\.h5ad cannot be read: .*Try again later"):
        run_to_memory(f"{host.url}/a.h5ad", ExportConfig(**SMALL))


def test_download_can_be_canceled(adata: Any, host: Host) -> None:
    adata.write_h5ad(host.folder / "a.h5ad")
    job = Job(lambda progress: job.cancel())
    with pytest.raises(Cancelled):
        run_to_memory(f"{host.url}/a.h5ad", ExportConfig(**SMALL), job)
    assert len(host.requests) <= 1


def test_zarr_store_is_read_from_a_host_that_lists_nothing(adata: Any, host: Host) -> None:
    import zarr

    adata.write_zarr(host.folder / "a.zarr")
    zarr.consolidate_metadata(str(host.folder / "a.zarr"))
    bundle = run_to_memory(f"{host.url}/a.zarr", ExportConfig(**SMALL))
    assert (bundle.manifest.dataset_name, bundle.manifest.n_cells) == ("a", 200)
    with pytest.raises(SourceError, match=r"a\.zarr has a query, which cannot be used for a zarr store"):
        run_to_memory(f"{host.url}/a.zarr?token=hunter2", ExportConfig(**SMALL))


def test_group_of_a_file_on_a_host_is_read(adata: Any, host: Host) -> None:
    import h5py
    from anndata.io import write_elem

    with h5py.File(host.folder / "two.h5mu", "w") as file:
        write_elem(file, "mod/rna", adata)
        file["mod"].attrs["encoding-type"] = "dict"
    bundle = run_to_memory(f"{host.url}/two.h5mu/mod/rna?token=hunter2", ExportConfig(**SMALL))
    assert bundle.manifest.dataset_name == "two rna"
    with pytest.raises(NoSourceError, match=r"two\.h5mu has no group mod/atac"):
        run_to_memory(f"{host.url}/two.h5mu/mod/atac", ExportConfig(**SMALL))


def test_input_that_is_not_anndata_is_explained(adata: Any, host: Host) -> None:
    (host.folder / "empty.h5ad").write_bytes(b"")
    with pytest.raises(SourceError, match="it is empty"):
        run_to_memory(f"{host.url}/empty.h5ad", ExportConfig())
    with pytest.raises(NoSourceError, match=r"none\.h5ad does not exist\. Check the URL"):
        run_to_memory(f"{host.url}/none.h5ad", ExportConfig())
    adata_to_karospace(adata, host.folder / "viewer", **SMALL)
    with pytest.raises(SourceError, match="is an exported bundle"):
        run_to_memory(f"{host.url}/viewer", ExportConfig())


@pytest.mark.parametrize(("status", "advice", "requests"), [(401, "Check the credentials", 1), (503, "Try again", 4)])
def test_only_temporary_errors_of_a_host_are_retried(host: Host, status: int, advice: str, requests: int) -> None:
    host.status = lambda path: status
    with pytest.raises(SourceError, match=rf"a\.h5ad cannot be read: {status}.*{advice}"):
        run_to_memory(f"{host.url}/a.h5ad", ExportConfig())
    assert len(host.requests) == requests


def test_secrets_in_a_url_are_neither_shown_nor_exported(
    adata: Any, host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "karospace_jupyter")
    adata.write_h5ad(host.folder / "a.h5ad")
    url = f"{host.url}/a.h5ad?X-Amz-Signature=hunter2.hunter2.sig"
    assert main(["--h5ad", url, "--outdir", str(tmp_path / "viewer"), "--genes", "hvgs:5", "--packed", "no"]) == 0
    assert b'"a"' in (tmp_path / "viewer/manifest.json").read_bytes()
    for path in (tmp_path / "viewer").rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes()
    secret = host.url.replace("://", "://ann:hunter2@")
    for status in (200, 404, 503):
        host.status = lambda path, status=status: status  # type: ignore[misc]
        assert main(["--h5ad", f"{secret}/b.h5ad?token=hunter2", "--dry-run"]) in {1, 2}
    shown = capsys.readouterr()
    assert f"{host.url}/b.h5ad" in shown.err and f"{host.url}/b.h5ad: 503" in caplog.text
    assert "hunter2" not in shown.out + shown.err + caplog.text


class Full(io.BytesIO):
    """A file on a disk without space."""

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_full_disk_of_this_computer_is_not_mistaken_for_a_full_store(host: Host) -> None:
    (host.folder / "a.h5ad").write_bytes(b"x" * 1000)
    files = fsspec.filesystem("memory")
    files.pipe_file("/full/a.h5ad", b"x" * 1000)
    try:
        for url in (f"{host.url}/a.h5ad", "memory://full/a.h5ad"):
            with pytest.raises(SourceError) as raised:
                Store(url, None, SourceError).download(Full(), Job.null())
            assert str(raised.value) == (
                f"{url} cannot be downloaded to {tempfile.gettempdir()}, the folder for temporary files: its disk is "
                "full. Free some space, or set the environment variable TMPDIR to another folder."
            )
    finally:
        files.rm("/full", recursive=True)
    assert len(host.requests) == 1


def test_storage_options_for_a_web_host_are_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    for mode in ("--verify", "--open"):
        with pytest.raises(SystemExit):
            main([mode, "https://lab.example/tissue", "--storage-option", "anon=true"])
        assert f"{mode} with an HTTP address cannot be combined with --storage-option" in capsys.readouterr().err
