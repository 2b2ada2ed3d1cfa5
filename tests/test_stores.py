"""Object stores: bundles are uploaded and read by URL, and faults leave the old bundle or a complete new one."""

from __future__ import annotations

import functools
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import fsspec
import pytest
from commands import serve
from forks import Forks
from fsspec.implementations.memory import MemoryFileSystem
from object_store import Fault, Proxy, Request, faulty, options, s3_server
from waiting import PATIENCE_S, eventually

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, publish_index, stores
from karospace_jupyter.bundle.scripts import from_script
from karospace_jupyter.cli import main
from karospace_jupyter.config import OptionError
from karospace_jupyter.contracts.bundle_index import BundleIndex
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError, Cancelled, ConfigError, NoSourceError, SinkError, SourceError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.hosting import check_host
from karospace_jupyter.job import Job, Progress
from karospace_jupyter.publish import claim as claims
from karospace_jupyter.publish.claim import is_claim

SMALL = {"genes_mode": "hvgs:5", "packed": "no", "image_path": "none", "preview": False}
OTHER = {**SMALL, "genes_mode": "top_mean:7", "seed": 3, "downsample": 100}
"""Options of a different export, whose files differ from those of `SMALL`."""
NAME = re.compile(r"assets/.+\.[0-9a-f]{16}(\..+)?|index\.html|manifest\.json")
"""Matches the files of a bundle in a store; names of assets contain a hash."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with faulty(server) as proxy:
        yield proxy


@pytest.fixture
def url(server: str) -> str:
    """The URL of a folder in a new bucket."""
    bucket = f"bucket-{uuid.uuid4()}"
    s3(server).mkdir(bucket)
    return f"s3://{bucket}/tissue"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_PAUSES_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, which must be empty after each export."""
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(200, 12, seed=1)


@functools.cache
def s3(server: str) -> Any:
    """Return a file system for the tests themselves, which sees every change."""
    return fsspec.filesystem("s3", **options(server), skip_instance_cache=True, use_listings_cache=False)


def names(server: str, url: str) -> list[str]:
    """Return the paths of all files below a URL."""
    root = url.removeprefix("s3://")
    return [path.removeprefix(root + "/") for path in s3(server).find(root)]


def listed(bundle: Bundle) -> set[str]:
    """Return the paths of the assets in the manifest."""
    return {file.path for file in bundle.manifest.asset_files}


def export(adata: Any, url: str, server: str, job: Job | None = None, **chosen: Any) -> Bundle:
    return adata_to_karospace(adata, url, storage_options=options(server), job=job, **(chosen or SMALL))


def no_retries(server: str) -> dict[str, Any]:
    """Return options without the retries of botocore, which are slow."""
    return {**options(server), "config_kwargs": {"retries": {"max_attempts": 0}}}


def opened(url: str, server: str) -> Bundle:
    return Bundle(url, storage_options=options(server))


def test_bundle_exported_to_a_store_equals_one_in_a_folder(
    adata: Any, url: str, server: str, tmp_path: Path, spool: Path
) -> None:
    local = adata_to_karospace(adata, tmp_path / "viewer", genes_mode="all")
    bundle = export(adata, url, server, genes_mode="all")
    assert bundle.verify().hashed == len(listed(bundle))
    assert bundle.path is None and bundle.files.origin == url
    assert (bundle.gene("EPCAM") == local.gene("EPCAM")).all()
    assert [file.sha256 for file in bundle.manifest.asset_files] == [
        file.sha256 for file in local.manifest.asset_files if file.kind != "script"
    ]
    assert {*names(server, url)} == {*listed(bundle), "index.html", "manifest.json"}
    assert all(NAME.fullmatch(name) for name in names(server, url))
    assert list(spool.iterdir()) == []


def test_uploaded_bundle_passes_the_checks_of_a_web_host(adata: Any, url: str, server: str) -> None:
    public = {**options(server), "s3_additional_kwargs": {"ACL": "public-read"}}
    adata_to_karospace(adata, url, storage_options=public, genes_mode="all", embed_origins=["https://lab.example"])
    report = check_host(url.replace("s3://", f"{server}/"))
    assert report.problems == ()
    assert [text for text in report.advice if "compress" not in text] == []


def test_assets_are_cached_forever_but_page_and_manifest_are_revalidated(adata: Any, url: str, server: str) -> None:
    bundle = export(adata, url, server, genes_mode="hvgs:5")
    store, root = s3(server), url.removeprefix("s3://")
    heads = {
        path: store.call_s3("head_object", Bucket=root.split("/")[0], Key=f"tissue/{path}")
        for path in names(server, url)
    }
    assert {heads[path]["CacheControl"] for path in listed(bundle)} == {"public, max-age=31536000, immutable"}
    assert {heads[path]["CacheControl"] for path in ("index.html", "manifest.json")} == {"no-cache"}
    kinds = {path.rpartition(".")[2]: head["ContentType"] for path, head in heads.items()}
    assert kinds["gz"] == "application/gzip"
    assert kinds["html"] == "text/html; charset=utf-8"
    assert kinds["json"] == "application/json"
    assert kinds["png"] == "image/png"


def test_manifest_is_uploaded_last_and_unchanged_files_are_not_uploaded_again(
    adata: Any, url: str, server: str, proxy: Proxy
) -> None:
    export(adata, url, proxy.url)
    puts = [path.rpartition("/tissue/")[2] for path in proxy.puts()]
    assert puts[-1] == "manifest.json"
    assert puts[-2] == "index.html"
    proxy.requests.clear()
    export(adata, url, proxy.url)
    assert [path for path in proxy.puts() if "/upload-" not in path and "/assets/" in path] == []


def test_files_of_the_old_bundle_are_deleted_and_others_are_kept(adata: Any, url: str, server: str) -> None:
    old = export(adata, url, server)
    s3(server).pipe_file(f"{url}/README.md", b"mine")
    s3(server).pipe_file(f"{url}/assets/notes.csv", b"mine")
    new = export(adata, url, server, **OTHER)
    assert listed(old) - listed(new)
    assert {*names(server, url)} == {*listed(new), "index.html", "manifest.json", "README.md", "assets/notes.csv"}


def test_bundle_that_was_copied_to_the_store_is_replaced(adata: Any, url: str, server: str, tmp_path: Path) -> None:
    adata_to_karospace(adata, tmp_path / "viewer", **SMALL)
    s3(server).put(f"{tmp_path / 'viewer'}/", f"{url}/", recursive=True)
    assert "assets/obs_000.csv.gz" in names(server, url)
    new = export(adata, url, server)
    assert {*names(server, url)} == {*listed(new), "index.html", "manifest.json"}


def test_other_folder_is_not_replaced(adata: Any, url: str, server: str) -> None:
    s3(server).pipe_file(f"{url}/thesis.docx", b"mine")
    with pytest.raises(SinkError, match=r"not empty and is not a bundle.*thesis\.docx.*not changed"):
        export(adata, url, server)
    s3(server).pipe_file(f"{url}/manifest.json", b"{}")
    with pytest.raises(SinkError, match=r"manifest\.json that does not belong to a bundle"):
        export(adata, url, server)
    assert names(server, url) == ["manifest.json", "thesis.docx"]


def test_bundle_is_saved_to_a_store_and_back(adata: Any, url: str, server: str, tmp_path: Path) -> None:
    local = adata_to_karospace(adata, tmp_path / "viewer", genes_mode="all")
    local.to_html(tmp_path / "viewer.html")
    stored = Bundle(tmp_path / "viewer.html").save(url, storage_options=options(server))
    stored.verify()
    back = stored.save(tmp_path / "back")
    back.verify()
    assert back.manifest.scripts is not None
    assert (back.gene("EPCAM") == local.gene("EPCAM")).all()
    adata_to_karospace(adata, tmp_path / "back", **SMALL).verify()
    assert not [path for path in (tmp_path / "back/assets").rglob("*") if NAME.fullmatch(f"assets/{path.name}")]


def test_zip_is_written_in_the_same_pass(adata: Any, url: str, server: str, tmp_path: Path) -> None:
    bundle = export(adata, url, server, zip_path=tmp_path / "a.zip", **SMALL)
    zipped = Bundle(tmp_path / "a.zip")
    assert zipped.manifest.scripts is not None and bundle.manifest.scripts is None
    assert zipped.manifest.gene_list == bundle.manifest.gene_list


@pytest.mark.parametrize("ending", ["h5ad", "zarr"])
def test_input_is_read_by_url(adata: Any, url: str, server: str, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"data.{ending}"
    adata.write_h5ad(file) if ending == "h5ad" else adata.write_zarr(file)
    s3(server).put(str(file), f"{url}/data.{ending}", recursive=True)
    config = ExportConfig(storage_options=options(server), genes_mode="all")
    found = run_to_memory(f"{url}/data.{ending}", config)
    expected = run_to_memory(file, ExportConfig(genes_mode="all"))
    assert found.manifest.dataset_name == "data"
    assert [file.sha256 for file in found.manifest.asset_files] == [
        file.sha256 for file in expected.manifest.asset_files
    ]


def test_group_of_a_file_is_read_by_url(adata: Any, url: str, server: str, tmp_path: Path) -> None:
    import h5py
    from anndata.io import write_elem

    with h5py.File(tmp_path / "two.h5mu", "w") as file:
        write_elem(file, "mod/rna", adata)
        file["mod"].attrs["encoding-type"] = "dict"
    s3(server).put(str(tmp_path / "two.h5mu"), f"{url}/two.h5mu")
    config = ExportConfig(storage_options=options(server))
    assert run_to_memory(f"{url}/two.h5mu/mod/rna", config).manifest.dataset_name == "two rna"
    with pytest.raises(SourceError, match=rf"Open {url}/two.h5mu/mod/rna"):
        run_to_memory(f"{url}/two.h5mu", config)
    with pytest.raises(NoSourceError, match="has no group mod/atac"):
        run_to_memory(f"{url}/two.h5mu/mod/atac", config)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("none.h5ad", None, r"none\.h5ad does not exist"),
        ("a.h5ad", b"", "it is empty"),
        ("a.h5ad", b"PK\3\4 and more", "is a zip archive"),
        ("a.h5ad", b"\x89HDF\r\n\x1a\n and nothing else", "upload it again"),
    ],
)
def test_input_that_is_not_anndata_is_explained(
    url: str, server: str, name: str, data: bytes | None, message: str
) -> None:
    if data is not None:
        s3(server).pipe_file(f"{url}/{name}", data)
    with pytest.raises(SourceError, match=message):
        run_to_memory(f"{url}/{name}", ExportConfig(storage_options=options(server)))


def test_bundle_as_input_is_explained(adata: Any, url: str, server: str) -> None:
    export(adata, url, server)
    with pytest.raises(SourceError, match="is an exported bundle"):
        run_to_memory(url, ExportConfig(storage_options=options(server)))


def test_input_that_is_replaced_during_the_download_is_an_error(
    adata: Any, url: str, server: str, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "_BLOCK_BYTES", 2**16)
    adata.write_h5ad(tmp_path / "a.h5ad")
    s3(server).put(str(tmp_path / "a.h5ad"), f"{url}/a.h5ad")

    def replace(request: Request) -> None:
        if request.headers.get("Range", "").startswith("bytes=131072-"):
            s3(server).pipe_file(f"{url}/a.h5ad", (tmp_path / "a.h5ad").read_bytes()[:-1] + b"x")

    proxy.fault = replace
    with pytest.raises(SourceError, match="changed while it was downloaded"):
        run_to_memory(f"{url}/a.h5ad", ExportConfig(storage_options=options(proxy.url)))


TEMPORARY = {
    "500": Fault(status=500),
    "503": Fault(status=503, code="SlowDown", message="Please reduce your request rate."),
    "reset": Fault(reset=True),
}


@pytest.mark.parametrize("kind", TEMPORARY)
def test_requests_are_retried_after_temporary_faults(
    adata: Any, url: str, server: str, proxy: Proxy, kind: str
) -> None:
    seen: dict[tuple[str, str], int] = {}
    lock = threading.Lock()

    def each_fails_once(request: Request) -> Fault | None:
        with lock:
            key = (request.method, request.path)
            seen[key] = seen.get(key, 0) + 1
            return TEMPORARY[kind] if seen[key] == 1 else None

    proxy.fault = each_fails_once
    bundle = adata_to_karospace(adata, url, storage_options=no_retries(proxy.url), **SMALL)
    assert bundle.verify().hashed == len(listed(bundle))
    opened(url, server).verify()


def fail_later(fault: Fault, first: int) -> Any:
    """Return the `fault` of a proxy that fails all writes except claims, after the `first` successful ones."""
    count = 0
    lock = threading.Lock()

    def fails(request: Request) -> Fault | None:
        nonlocal count
        if request.method != "PUT" or "/upload-" in request.path:
            return None
        with lock:
            count += 1
            return fault if count > first else None

    return fails


PERSISTENT = {
    "down": (Fault(status=500), "Try again later"),
    "full": (
        Fault(
            status=507,
            code="XMinioStorageFull",
            message="Storage backend has reached its minimum free drive threshold.",
        ),
        "The store is full",
    ),
    "forbidden": (Fault(status=403, code="AccessDenied", message="Access Denied"), "Check the credentials"),
}


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("kind", PERSISTENT)
def test_failed_upload_leaves_the_old_bundle_and_the_next_export_continues(
    adata: Any, url: str, server: str, proxy: Proxy, spool: Path, kind: str, first: int
) -> None:
    old = export(adata, url, server)
    fault, message = PERSISTENT[kind]
    proxy.fault = fail_later(fault, first)
    with pytest.raises(SinkError, match=message) as raised:
        adata_to_karospace(adata, url, storage_options=no_retries(proxy.url), **OTHER)
    assert "is unchanged" in str(raised.value) and "next export" in str(raised.value)
    reopened = opened(url, server)
    assert reopened.verify().hashed == len(listed(old))
    assert listed(reopened) == listed(old)
    assert not [name for name in names(server, url) if "upload-" in name]
    assert list(spool.iterdir()) == []
    uploaded = {*names(server, url)} - listed(old)
    proxy.fault = lambda request: None
    proxy.requests.clear()
    new = export(adata, url, proxy.url, **OTHER)
    assert {*names(server, url)} == {*listed(new), "index.html", "manifest.json"}
    put = {path.rpartition("/tissue/")[2] for path in proxy.puts()}
    assert not uploaded & put - {"index.html", "manifest.json"}
    new.verify()


@pytest.mark.parametrize("what", ["index.html", "manifest.json"])
def test_fault_during_the_switch_leaves_a_complete_bundle(
    adata: Any, url: str, server: str, proxy: Proxy, what: str
) -> None:
    old = export(adata, url, server)
    forbidden = PERSISTENT["forbidden"][0]
    proxy.fault = lambda request: forbidden if request.method == "PUT" and request.path.endswith(what) else None
    with pytest.raises(SinkError, match=re.escape(what)):
        export(adata, url, proxy.url, **OTHER)
    reopened = opened(url, server)
    assert listed(reopened) == listed(old)
    reopened.verify()


def test_failed_cleanup_leaves_a_complete_bundle(adata: Any, url: str, server: str, proxy: Proxy) -> None:
    export(adata, url, server)
    forbidden = PERSISTENT["forbidden"][0]
    proxy.fault = lambda request: forbidden if request.method in {"POST", "DELETE"} else None
    new = export(adata, url, proxy.url, **OTHER)
    new.verify()
    assert len(names(server, url)) > len(listed(new)) + 2


def test_canceled_upload_leaves_the_store_as_it_was(adata: Any, url: str, server: str, spool: Path) -> None:
    export(adata, url, server)
    before = names(server, url)
    seen: list[Progress] = []

    def listen(progress: Progress) -> None:
        if progress.stage == "Uploading":
            seen.append(progress)
            job.cancel()

    job = Job(listen)
    with pytest.raises(Cancelled, match="nothing was written"):
        export(adata, url, server, job, **OTHER)
    assert seen and not seen[-1].finished
    assert names(server, url) == before
    assert list(spool.iterdir()) == []


def test_canceled_upload_sends_no_further_files(adata: Any, url: str, server: str, proxy: Proxy) -> None:
    release, held = threading.Event(), threading.Event()
    slow = Fault(wait=release)

    def hold(request: Request) -> Fault | None:
        if request.method == "PUT" and "/upload-" not in request.path:
            held.set()
            return slow
        return None

    proxy.fault = hold
    job = Job()
    ended: list[BaseException] = []

    def work() -> None:
        try:
            export(adata, url, proxy.url, job)
        except Cancelled as exc:
            ended.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert held.wait(PATIENCE_S)
        job.cancel()
    finally:
        release.set()  # pending requests end; no others follow
        thread.join(PATIENCE_S)
    assert len(ended) == 1
    assert len([path for path in proxy.puts() if "/upload-" not in path]) <= stores._PARALLEL
    assert names(server, url) == []
    proxy.fault = lambda request: None
    assert len(listed(export(adata, url, server))) > stores._PARALLEL, "there were further files"


MOMENTS = None if os.environ.get("KAROSPACE_ALL_FAULTS") else 2
"""Number of requests at which an upload is killed; None for every request."""


@pytest.mark.parametrize("replaces", [True, False], ids=["replacing", "first"])
def test_killed_upload_leaves_a_complete_bundle_and_the_next_export_cleans_up(
    adata: Any, url: str, server: str, proxy: Proxy, tmp_path: Path, replaces: bool
) -> None:
    adata.write_h5ad(tmp_path / "a.h5ad")
    arguments = [
        str(tmp_path / "a.h5ad"),
        "--outdir",
        url,
        "--genes",
        "top_mean:7",
        "--tables",
        "no",
        "--image",
        "none",
    ]
    arguments += [f"--storage-option={key}={value}" for key, value in options(proxy.url).items()]
    forks = Forks()

    def upload(kill_at: int | None) -> int:
        """Upload in a new process, which is killed before the server gets request `kill_at`; return the requests."""
        process = forks.Process(main, (arguments,), "upload")
        started = threading.Event()

        def kill(_: Request) -> Fault | None:
            if kill_at is None or len(proxy.requests) <= kill_at:
                return None
            started.wait(PATIENCE_S)
            process.kill()
            return Fault(reset=True)

        proxy.requests.clear()
        proxy.fault = kill
        process.start()
        started.set()
        process.join(PATIENCE_S)
        assert process.exitcode == (0 if kill_at is None else -signal.SIGKILL), kill_at
        return len(proxy.requests)

    def export_next() -> Bundle:
        bundle = export(adata, url, server, **OTHER)
        bundle.verify()
        assert {*names(server, url)} == {*listed(bundle), "index.html", "manifest.json"}
        return bundle

    before = listed(export_next()) if replaces else None
    requests = upload(kill_at=None)
    complete = listed(opened(url, server))
    moments = range(requests) if MOMENTS is None else random.sample(range(requests), MOMENTS)
    for moment in moments:
        if replaces:
            assert listed(export_next()) == before
        else:
            for name in names(server, url):
                s3(server).rm_file(f"{url}/{name}")
        upload(kill_at=moment)
        if replaces or "manifest.json" in names(server, url):
            found = opened(url, server)
            found.verify()
            assert listed(found) in ([before, complete] if replaces else [complete]), moment
    export_next()


def test_killed_first_upload_does_not_block_the_next(adata: Any, url: str, server: str) -> None:
    bundle = export(adata, url, server)
    s3(server).rm(f"{url}/manifest.json")
    assert {*names(server, url)} == {*listed(bundle), "index.html"}
    export(adata, url, server, **OTHER).verify()


def test_second_export_to_the_same_url_is_an_error(adata: Any, url: str, server: str, proxy: Proxy) -> None:
    problems: list[str] = []

    def export_meanwhile(request: Request) -> None:
        if request.method == "PUT" and request.path.endswith("index.html"):
            try:
                export(adata, url, server, **OTHER)
            except SinkError as exc:
                problems.append(str(exc))

    proxy.fault = export_meanwhile
    bundle = export(adata, url, proxy.url)
    assert len(problems) == 1
    assert "Another process is uploading" in problems[0] and f"delete {url}/assets/upload-" in problems[0]
    bundle.verify()
    assert {*names(server, url)} == {*listed(bundle), "index.html", "manifest.json"}


def test_claim_of_another_computer_expires(adata: Any, url: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = f"{url}/assets/upload-{'0' * 16}.json"
    s3(server).pipe_file(claim, json.dumps({"host": "another", "process": os.getpid()}).encode())
    with pytest.raises(SinkError, match="Another process"):
        export(adata, url, server)
    monkeypatch.setattr(claims, "_STALE_S", -1)
    bundle = export(adata, url, server)
    assert {*names(server, url)} == {*listed(bundle), "index.html", "manifest.json"}


def test_export_that_is_refused_does_not_stop_the_one_that_is_running(
    adata: Any, url: str, server: str, proxy: Proxy
) -> None:
    claim = f"{url}/assets/upload-{'0' * 16}.json"
    seen: list[str] = []

    def refused_export(request: Request) -> None:
        """Simulate another export, which writes a claim during the upload and deletes it after it was listed."""
        if request.method == "PUT" and "/obs_000" in request.path:
            s3(server).pipe_file(claim, b"{}")
        if seen and request.method == "GET" and "list-type=2" in request.path:
            s3(server).rm(claim)
            seen.clear()
        if request.method == "HEAD" and "upload-0000" in request.path:
            seen.append(request.path)

    proxy.fault = refused_export
    bundle = export(adata, url, proxy.url)
    assert claim.removeprefix(f"{url}/") not in names(server, url)
    assert any("upload-0000" in request.path for request in proxy.requests)
    bundle.verify()


def test_folder_objects_of_a_web_console_count_as_an_empty_folder(adata: Any, url: str, server: str) -> None:
    bucket = url.split("/")[2]
    s3(server).call_s3("put_object", Bucket=bucket, Key="tissue/", Body=b"")
    s3(server).call_s3("put_object", Bucket=bucket, Key="tissue/assets/", Body=b"")
    export(adata, url, server).verify()


def test_words_in_a_url_are_not_mistaken_for_words_of_an_error() -> None:
    nowhere = {"key": "a", "secret": "b", "endpoint_url": "http://127.0.0.1:1"}
    for bucket in ("orange", "token", "certificates", "quota"):
        with pytest.raises(BundleError, match=rf"s3://{bucket}/x/manifest\.json cannot be read: .*Try again later"):
            Bundle(f"s3://{bucket}/x", storage_options={**nowhere, "config_kwargs": {"retries": {"max_attempts": 0}}})


def test_missing_bucket_is_noticed_before_the_export(adata: Any, server: str) -> None:
    seen: list[Progress] = []
    with pytest.raises(SinkError, match=r"s3://no-such-bucket/tissue.*bucket does not exist.*Check the URL"):
        export(adata, "s3://no-such-bucket/tissue", server, Job(seen.append))
    assert seen == []
    with pytest.raises(BundleError, match="is not a bundle"):
        opened("s3://no-such-bucket/tissue", server)


def test_missing_credentials_are_explained(url: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(BundleError, match=r"Unable to locate credentials\. Check the credentials"):
        Bundle(url, storage_options={"endpoint_url": server})


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"])
def test_wrong_credentials_are_noticed_before_the_export(adata: Any, url: str, proxy: Proxy, code: str) -> None:
    proxy.fault = lambda request: Fault(status=403, code=code, message="The key is wrong.")
    seen: list[Progress] = []
    with pytest.raises(SinkError, match=rf"{url} cannot be .*Check the credentials"):
        export(adata, url, proxy.url, Job(seen.append))
    assert seen == []
    assert len(proxy.requests) == 1


def test_store_that_cannot_be_written_is_noticed_before_genes_are_written(adata: Any, url: str, proxy: Proxy) -> None:
    forbidden = PERSISTENT["forbidden"][0]
    proxy.fault = lambda request: forbidden if request.method == "PUT" else None
    seen: list[Progress] = []
    with pytest.raises(SinkError, match="Check the credentials"):
        export(adata, url, proxy.url, Job(seen.append))
    assert "Writing genes" not in {progress.stage for progress in seen}


def test_damaged_file_in_a_store_is_found(adata: Any, url: str, server: str) -> None:
    bundle = export(adata, url, server)
    path = min(listed(bundle))
    data = s3(server).cat_file(f"{url}/{path}")
    s3(server).pipe_file(f"{url}/{path}", data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(BundleError, match=re.escape(path)):
        opened(url, server).verify()
    s3(server).pipe_file(f"{url}/{path}", data + b"more")
    with pytest.raises(BundleError, match="the manifest says"):
        opened(url, server).read(path)
    s3(server).pipe_file(f"{url}/{path}", b"")
    with pytest.raises(BundleError, match=re.escape(path)):
        opened(url, server).verify()
    s3(server).rm(f"{url}/{path}")
    with pytest.raises(BundleError, match=re.escape(path)):
        opened(url, server).verify()


def test_command_line_exports_verifies_and_reads_urls(
    adata: Any, url: str, server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [f"--storage-option={key}={value}" for key, value in options(server).items()]
    adata.write_h5ad(tmp_path / "a.h5ad")
    s3(server).put(str(tmp_path / "a.h5ad"), f"{url}.h5ad")
    assert main(["--h5ad", f"{url}.h5ad", "--outdir", url, "--genes", "hvgs:5", *flags]) == 0
    assert capsys.readouterr().out.strip() == url
    assert main(["--verify", url, *flags]) == 0
    assert re.search(rf"{url}: verified \(\d+ files", capsys.readouterr().out)
    assert main([f"{url}.h5ad", "--dry-run", "--json", *flags]) == 0
    assert json.loads(capsys.readouterr().out)["n_cells"] == 200
    assert main(["--verify", f"{url}-none", *flags]) == 1
    assert "is not a bundle" in capsys.readouterr().err
    assert main([f"{url}-none.h5ad", "--dry-run", *flags]) == 2


def test_storage_option_is_json_or_text(capsys: pytest.CaptureFixture[str]) -> None:
    from karospace_jupyter.cli import parser

    given = parser().parse_args(
        ["--storage-option", "anon=true", "--storage-option", "key=a=b", "--storage-option", 'k={"a": 1}']
    )
    assert given.storage_options == [("anon", True), ("key", "a=b"), ("k", {"a": 1})]
    with pytest.raises(SystemExit):
        main(["--verify", "s3://a/b", "--storage-option", "my-secret"])
    assert "expected KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scheme", "package"),
    [("gs", "gcsfs"), ("az", "adlfs"), ("hf", "huggingface_hub"), ("abfs", "adlfs"), ("s3", "s3fs")],
)
def test_missing_package_is_named(adata: Any, scheme: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> Any:
        raise ImportError("Install it")

    monkeypatch.setattr("fsspec.core.url_to_fs", missing)
    with pytest.raises(BundleError, match=f"pip install {package}"):
        Bundle(f"{scheme}://bucket/tissue")
    with pytest.raises(SinkError, match=f"pip install {package}"):
        adata_to_karospace(adata, f"{scheme}://bucket/tissue")
    with pytest.raises(SourceError, match=f"pip install {package}"):
        run_to_memory(f"{scheme}://bucket/tissue.h5ad", ExportConfig())


def test_unknown_scheme_of_a_url_is_explained() -> None:
    with pytest.raises(BundleError, match="nope://a/b cannot be opened: Protocol not known: nope"):
        Bundle("nope://a/b")


def test_values_of_storage_options_are_not_in_messages() -> None:
    config = ExportConfig(outdir="s3://a/b", storage_options={"secret": "hunter2"})
    assert "hunter2" not in repr(config)
    with pytest.raises(OptionError) as raised:
        ExportConfig(storage_options="hunter2")
    assert "hunter2" not in str(raised.value)
    with pytest.raises(BundleError) as failed:
        Bundle(
            "memory://a",
            storage_options={"skip_instance_cache": True, "use_listings_cache": "hunter2", "asynchronous": {}},
        )
    assert "hunter2" not in str(failed.value)


def test_url_that_is_a_path_or_a_web_host_is_rejected() -> None:
    with pytest.raises(OptionError, match="pass the URL as a string"):
        ExportConfig(outdir=Path("s3://bucket/tissue"))
    with pytest.raises(OptionError, match="cannot write to a web host"):
        ExportConfig(outdir="https://lab.example/tissue")
    for name in ("single_file", "zip_path", "view"):
        with pytest.raises(OptionError, match="expected a local path"):
            ExportConfig(**{name: "s3://bucket/tissue.html"})


def test_file_url_is_a_path(adata: Any, tmp_path: Path) -> None:
    target = tmp_path / "my viewer"
    bundle = adata_to_karospace(adata, target.as_uri(), **SMALL)
    assert bundle.path == target
    assert Bundle(target.as_uri()).verify().files == bundle.verify().files
    adata.write_h5ad(tmp_path / "a.h5ad")
    assert run_to_memory((tmp_path / "a.h5ad").as_uri(), ExportConfig(**SMALL)).manifest.dataset_name == "a"
    with pytest.raises(ConfigError, match="not a file on this computer"):
        Bundle("file://other/tissue")


@pytest.mark.parametrize("end", ["", "/", "/index.html", "/manifest.json"])
def test_bundle_is_saved_to_a_file_system_in_memory(adata: Any, end: str) -> None:
    url = "memory://a/tissue"
    try:
        adata_to_karospace(adata, url, **SMALL)
        Bundle(url + end).verify()
    finally:
        fsspec.filesystem("memory").rm("/a", recursive=True)


def test_single_file_at_a_url_is_rejected() -> None:
    with pytest.raises(BundleError, match=r"is a single file\. Download it"):
        Bundle("s3://bucket/tissue.zip")


def test_folders_are_created_on_file_systems_that_need_them(adata: Any, tmp_path: Path) -> None:
    url = f"local://{tmp_path}/deep/tissue"
    adata_to_karospace(adata, url, **SMALL)
    new = adata_to_karospace(adata, url, **OTHER)
    new.verify()
    files = {
        path.relative_to(tmp_path / "deep/tissue").as_posix()
        for path in (tmp_path / "deep").rglob("*")
        if path.is_file()
    }
    assert files == {*listed(new), "index.html", "manifest.json"}


def test_exports_leave_no_thread(adata: Any, url: str, server: str) -> None:
    export(adata, url, server)  # starts the threads of fsspec
    before = threading.active_count()
    for number in range(3):
        export(adata, url, server, genes_mode=f"hvgs:{number + 2}")
    eventually(threading.active_count, lambda found: found <= before, what="threads remain")


def test_form_exports_to_a_store_with_its_options(adata: Any, url: str, server: str) -> None:
    from karospace_jupyter import karospace_widget

    form = karospace_widget(adata, url, storage_options={**options(server), "secret": "testing"}, **SMALL)
    try:
        assert "storage_options" not in form.options and "testing" not in form.code()
        assert f"--outdir {url}" in form.code()
        form.start()
        assert form.wait(PATIENCE_S) == "done"
        assert form.bundle_path == url
        assert any("Uploading" in line for line in form.log)
    finally:
        form.close()
    opened(url, server).verify()


def test_bundle_in_a_store_is_opened_in_the_browser(adata: Any, url: str, server: str, tmp_path: Path) -> None:
    export(adata, url, server)
    flags = [f"--storage-option={key}={value}" for key, value in options(server).items()]

    def read(address: str) -> None:
        with urllib.request.urlopen(f"{address}manifest.json", timeout=PATIENCE_S) as answer:
            manifest = json.load(answer)
        with urllib.request.urlopen(f"{address}{manifest['asset_files'][0]['path']}", timeout=PATIENCE_S) as answer:
            assert len(answer.read()) == manifest["asset_files"][0]["size_bytes"]

    serve(["karospace-export", "--open", url, "--port", "0", *flags], tmp_path, read)


class Recorded(MemoryFileSystem):
    """A file system that records the arguments with which files are written."""

    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    given: ClassVar[dict[str, dict[str, Any]]] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.partition("://")[2].strip("/") if "://" in path else "/" + path.strip("/")

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self.given[path] = kwargs
        super().pipe_file(path, value)


@pytest.mark.parametrize("scheme", ["gs", "az", "hf"])
def test_headers_are_passed_in_the_form_that_each_package_expects(
    adata: Any, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = ModuleType("azure.storage.blob")
    azure.ContentSettings = dict  # type: ignore[attr-defined]
    for name in ("azure", "azure.storage"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "azure.storage.blob", azure)
    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, scheme, Recorded)
    monkeypatch.setattr(Recorded, "given", {})
    bundle = adata_to_karospace(adata, f"{scheme}://b/{scheme}", **SMALL)
    bundle.verify()
    manifest = Recorded.given[f"/b/{scheme}/manifest.json"]
    expected: dict[str, dict[str, Any]] = {
        "gs": {"content_type": "application/json", "fixed_key_metadata": {"cache_control": "no-cache"}},
        "az": {"content_settings": {"content_type": "application/json", "cache_control": "no-cache"}},
        "hf": {},
    }
    assert manifest == expected[scheme]


def listed_in(server: str, url: str) -> BundleIndex:
    text = s3(server).cat_file(f"{url}/bundles.js")
    return BundleIndex.model_validate_json(from_script("bundles.json", text))


class TestIndex:
    """An index of bundles in a store."""

    @pytest.fixture(scope="class")
    def made(self, adata: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("made")
        adata_to_karospace(adata, folder / "liver", dataset_name="Liver", **SMALL)
        adata_to_karospace(adata[:90].copy(), zip_path=folder / "lung.zip", dataset_name="Lung", **SMALL)
        return folder

    def test_bundles_are_copied_and_listed(self, adata: Any, made: Path, url: str, server: str) -> None:
        storage = {"storage_options": options(server)}
        adata_to_karospace(adata, f"{url}/kidney", dataset_name="Kidney", **storage, **SMALL)
        report = publish_index(url, [made / "liver", made / "lung.zip", f"{url}/kidney"], title="Atlas", **storage)
        assert (report.path, report.problems, report.warnings) == (url, (), ())
        assert report.added == ("kidney", "liver", "lung")
        index = listed_in(server, url)
        assert [(bundle.path, bundle.title, bundle.n_cells) for bundle in index.bundles] == [
            ("kidney", "Kidney", 200), ("liver", "Liver", 200), ("lung", "Lung", 90)
        ]  # fmt: skip
        assert opened(f"{url}/lung", server).verify().warnings == ()
        bucket = url.split("/")[2]
        head = s3(server).call_s3("head_object", Bucket=bucket, Key="tissue/bundles.js")
        assert (head["ContentType"], head["CacheControl"]) == ("text/javascript; charset=utf-8", "no-cache")
        assert {name for name in names(server, url) if "/" not in name} == {"index.html", "bundles.js"}
        assert not any(name.startswith("assets/") for name in names(server, url)), "the claim is deleted"

    def test_only_changed_files_are_written(
        self, made: Path, url: str, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = {"storage_options": options(server)}
        publish_index(url, [made / "liver"], title="Atlas", **storage)
        written: list[str] = []
        write = stores.Store.write
        monkeypatch.setattr(
            stores.Store, "write", lambda self, path, *a, **k: (written.append(path), write(self, path, *a, **k))[1]
        )
        assert publish_index(url, **storage).added == ()
        assert not [path for path in written if not is_claim(path)]
        Bundle(made / "lung.zip").save(f"{url}/more/lung", **storage)
        written.clear()
        report = publish_index(url, **storage)
        assert (report.title, report.added) == ("Atlas", ("more/lung",))
        assert [path for path in written if not is_claim(path)] == ["bundles.js"]
        s3(server).rm(f"{url}/liver", recursive=True)
        report = publish_index(url, **storage)
        assert (report.removed, [bundle.path for bundle in report.bundles]) == (("liver",), ["more/lung"])

    def test_damaged_bundles_are_not_listed(self, made: Path, url: str, server: str) -> None:
        storage = {"storage_options": options(server)}
        publish_index(url, [made / "liver", made / "lung.zip"], **storage)
        file = next(name for name in names(server, url) if name.startswith("liver/assets/"))
        s3(server).pipe_file(f"{url}/{file}", b"short")
        s3(server).pipe_file(f"{url}/lung/manifest.json", b"{}")
        s3(server).pipe_file(f"{url}/app/manifest.json", b'{"name": "a web app"}')
        report = publish_index(url, **storage)
        assert report.bundles == ()
        (liver,) = report.problems
        assert liver.startswith("liver: ") and "has 5 bytes" in liver
        assert report.removed == ("liver", "lung")

    @pytest.mark.parametrize(
        ("file", "message"),
        [
            ("manifest.json", "like a bundle"), ("index.html", "is not a page of an index"),
            ("bundles.js", "is another script"),
        ],
    )  # fmt: skip
    def test_other_files_are_not_replaced(self, made: Path, url: str, server: str, file: str, message: str) -> None:
        s3(server).pipe_file(f"{url}/{file}", b"{} of another")
        with pytest.raises(SinkError, match=message):
            publish_index(url, [made / "liver"], storage_options=options(server))
        assert names(server, url) == [file]
        assert s3(server).cat_file(f"{url}/{file}") == b"{} of another"

    def test_second_publication_at_the_same_time_is_refused(self, made: Path, url: str, server: str) -> None:
        publish_index(url, [made / "liver"], storage_options=options(server))
        before = s3(server).cat_file(f"{url}/bundles.js")
        other = claims.Claim(stores.Store(url, options(server), SinkError))
        other.acquire()
        try:
            with pytest.raises(SinkError, match="Another process is uploading"):
                publish_index(url, [made / "lung.zip"], storage_options=options(server))
        finally:
            other.release()
        assert s3(server).cat_file(f"{url}/bundles.js") == before

    @pytest.mark.parametrize("name", ["assets", "lung.zip"])
    def test_invalid_folder_names_are_refused_before_the_upload(
        self, made: Path, url: str, server: str, tmp_path: Path, name: str
    ) -> None:
        shutil.copytree(made / "liver", tmp_path / name)
        report = publish_index(url, [made / "liver", tmp_path / name], storage_options=options(server))
        assert [bundle.path for bundle in report.bundles] == ["liver"]
        assert f"{name} cannot be the folder of a bundle" in report.problems[0]
        assert not any(path.startswith(f"{name}/") for path in names(server, url))

    def test_bundle_that_cannot_be_read_stays_listed(
        self, made: Path, url: str, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = {"storage_options": options(server)}
        publish_index(url, [made / "liver", made / "lung.zip"], **storage)
        before = s3(server).cat_file(f"{url}/bundles.js")
        read = stores.Store.read

        def failing(self: stores.Store, path: str, most: int) -> bytes | None:
            if path == "lung/manifest.json":
                raise self._error(f"{path} cannot be read: connection reset.")
            return read(self, path, most)

        monkeypatch.setattr(stores.Store, "read", failing)
        with pytest.raises(SinkError, match=r"lung/manifest\.json cannot be read"):
            publish_index(url, **storage)
        assert s3(server).cat_file(f"{url}/bundles.js") == before

    def test_process_whose_claim_was_taken_over_writes_no_list(
        self, made: Path, url: str, server: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = {"storage_options": options(server)}
        publish_index(url, [made / "liver"], **storage)
        before = s3(server).cat_file(f"{url}/bundles.js")
        monkeypatch.setattr(claims, "_PAUSES_S", ())
        save = Bundle.save

        def slow(self: Bundle, *a: Any, **k: Any) -> Bundle:
            saved = save(self, *a, **k)
            s3(server).rm(f"{url}/assets", recursive=True)  # as another process does after 15 minutes
            return saved

        monkeypatch.setattr(Bundle, "save", slow)
        with pytest.raises(SinkError, match="Another process has taken over"):
            publish_index(url, [made / "lung.zip"], **storage)
        assert s3(server).cat_file(f"{url}/bundles.js") == before

    def test_bundle_inside_is_not_copied_if_its_url_has_another_scheme(self, made: Path, url: str, server: str) -> None:
        storage = {"storage_options": options(server)}
        publish_index(url, [made / "liver"], **storage)
        before = names(server, url)
        publish_index(url, [f"{url}/liver/".replace("s3://", "s3a://")], **storage)
        assert names(server, url) == before

    @pytest.mark.parametrize("url", ["s3://", "s3://bucket/atlas?versionId=secret"])
    def test_url_that_is_not_a_folder_is_refused(self, made: Path, url: str) -> None:
        with pytest.raises(ConfigError, match="is not the URL of a folder") as raised:
            publish_index(url, [made / "liver"])
        assert "secret" not in str(raised.value)

    def test_missing_bucket_is_an_error(self, made: Path, server: str) -> None:
        with pytest.raises(SinkError, match="a bucket must exist"):
            publish_index("s3://no-such-bucket/atlas", [made / "liver"], storage_options=options(server))

    def test_command_publishes_to_a_url(
        self, made: Path, url: str, server: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        flags = [f"--storage-option={name}={value}" for name, value in options(server).items()]
        assert main(["--publish", url, str(made / "lung.zip"), "--name", "Atlas", *flags]) == 0
        assert capsys.readouterr().out.strip() == f"{url}/index.html"
        assert listed_in(server, url).title == "Atlas"
