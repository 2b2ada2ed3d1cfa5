"""Exports to the same URL destroy neither each other's bundles nor files that no exporter wrote."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from waiting import eventually

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError, Cancelled, SinkError
from karospace_jupyter.publish import claim as claims
from karospace_jupyter.publish.store import StoreSink
from karospace_jupyter.stores import Store

SMALL = {"genes_mode": "hvgs:5", "packed": "no", "image_path": "none", "preview": False}
OTHER = {**SMALL, "genes_mode": "top_mean:7", "downsample": 100}
URL = "memory://sink/tissue"
FOLDER = "/sink/tissue"


@pytest.fixture
def store() -> Iterator[Any]:
    """The file system in memory, empty before and after the test."""
    files = fsspec.filesystem("memory")
    files.pipe_file("/sink/other", b"")
    yield files
    files.rm("/sink", recursive=True)


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write temporary files to a folder of the test, and shorten the pauses between checks of a claim."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    monkeypatch.setattr(claims, "_PAUSES_S", (0.01,))


@pytest.fixture(scope="module")
def adata() -> Any:
    return synthetic_tissue(200, 12, seed=1)


def filled(adata: Any, **options: Any) -> StoreSink:
    """Return a sink that contains a bundle and has uploaded all but the page and the manifest."""
    sink = StoreSink(URL)
    sink.__enter__()
    with tempfile.TemporaryDirectory() as folder:
        bundle = adata_to_karospace(adata, Path(folder) / "viewer", scripts="no", **options)
        for path in bundle.files.names():
            sink.put(path, bundle.files.read(path))
    sink.prepare()
    return sink


def claim_of(store: Any) -> str:
    """Return the path of the only claim."""
    (claim,) = (path for path in store.find(FOLDER) if "/upload-" in path)
    return str(claim)


def suspend(store: Any) -> None:
    """Make the only claim 20 minutes older, as if the computer of its export had been suspended."""
    store.store[claim_of(store)].modified -= dt.timedelta(minutes=20)


def test_suspended_export_publishes_nothing_after_another_replaced_it(adata: Any, store: Any) -> None:
    suspended = filled(adata, **SMALL)
    suspend(store)
    other = filled(adata, **OTHER)
    with pytest.raises(SinkError, match=rf"Another process has taken over {URL} from this one.*repeat this"):
        suspended.commit()
    suspended.__exit__(None, None, None)
    other.commit()
    other.__exit__(None, None, None)
    assert len(Bundle(URL).gene_names) == 7
    Bundle(URL).verify()


def test_canceled_export_deletes_no_files_of_the_export_that_replaced_it(adata: Any, store: Any) -> None:
    suspended = filled(adata, **SMALL)
    suspend(store)
    other = filled(adata, **SMALL)  # reuses the files that are already there
    suspended.__exit__(Cancelled, Cancelled("canceled"), None)
    other.commit()
    other.__exit__(None, None, None)
    Bundle(URL).verify()


def test_files_are_kept_while_another_export_claims_the_folder(adata: Any, store: Any) -> None:
    adata_to_karospace(adata, URL, **SMALL)
    old = store.find(FOLDER)
    sink = filled(adata, **OTHER)

    def write_and_claim(self: Store, path: str, data: bytes, **headers: str) -> None:
        write(self, path, data, **headers)
        if path == "manifest.json":
            store.pipe_file(f"{FOLDER}/assets/upload-{'0' * 16}.json", b"{}")

    write = Store.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "write", write_and_claim)
        sink.commit()
    sink.__exit__(None, None, None)
    assert set(old) < set(store.find(FOLDER))
    Bundle(URL).verify()


def test_claim_is_renewed_until_the_export_ends(adata: Any, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_RENEW_S", 0.01)
    sink = filled(adata, **SMALL)
    claim = claim_of(store)
    suspend(store)
    old = store.modified(claim)
    eventually(lambda: store.modified(claim), lambda found: found > old, what="the claim is not renewed")
    sink.__exit__(None, None, None)
    assert not store.exists(claim)


def test_claim_that_was_deleted_does_not_return(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_RENEW_S", 0.01)
    sink = StoreSink(URL)
    sink.__enter__()
    store.rm(claim_of(store))
    eventually(sink._claim._thread.is_alive, lambda alive: not alive, what="the claim is still renewed")
    assert store.find(FOLDER) == []
    with pytest.raises(SinkError, match="has taken over"):
        sink._claim.check()
    sink.__exit__(None, None, None)


def test_claim_of_a_computer_with_the_same_name_is_respected(adata: Any, store: Any) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:16]
    claim = f"{FOLDER}/assets/upload-{'0' * 16}.json"
    store.pipe_file(claim, json.dumps({"host": host, "process": ended.pid}).encode())
    with pytest.raises(SinkError, match="Another process is uploading"):
        adata_to_karospace(adata, URL, **SMALL)
    assert store.find(FOLDER) == [claim]
    store.pipe_file(claim, json.dumps({"host": claims._this_host(), "process": ended.pid}).encode())
    adata_to_karospace(adata, URL, **SMALL).verify()


@pytest.mark.parametrize("raised", [KeyboardInterrupt, Cancelled])
@pytest.mark.parametrize("late", [False, True])
def test_interrupt_while_the_manifest_is_written_keeps_the_files_it_lists(
    adata: Any, store: Any, raised: type[BaseException], *, late: bool
) -> None:
    adata_to_karospace(adata, URL, **SMALL)
    write = Store.write
    pending: list[bytes] = []

    def interrupted(self: Store, path: str, data: bytes, **headers: str) -> None:
        if path != "manifest.json" or not late:
            write(self, path, data, **headers)
        if path == "manifest.json":
            pending.append(data)
            raise raised

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "write", interrupted)
        with pytest.raises(raised):
            adata_to_karospace(adata, URL, **OTHER)
    if late:  # fsspec's thread still completes the request
        store.pipe_file(f"{FOLDER}/manifest.json", pending[0])
    assert len(Bundle(URL).gene_names) == 7
    Bundle(URL).verify()


def test_hostile_manifest_cannot_delete_other_files(adata: Any, store: Any) -> None:
    adata_to_karospace(adata, URL, **SMALL)
    manifest = json.loads(store.cat_file(f"{FOLDER}/manifest.json"))
    listed = ["index.html", "manifest.json", "README.md", "docs/assets/a.csv", "../other"]
    manifest["asset_files"] += [{"kind": "x", "path": path, "size_bytes": 1} for path in listed]
    store.pipe_file(f"{FOLDER}/manifest.json", json.dumps(manifest).encode())
    for path in ("README.md", "docs/assets/a.csv"):
        store.pipe_file(f"{FOLDER}/{path}", b"mine")
    adata_to_karospace(adata, URL, **OTHER)
    assert {f"{FOLDER}/README.md", f"{FOLDER}/docs/assets/a.csv", f"{FOLDER}/index.html"} <= set(store.find(FOLDER))
    assert store.exists("/sink/other")
    Bundle(URL).verify()


def test_foreign_page_is_not_replaced(adata: Any, store: Any) -> None:
    store.pipe_file(f"{FOLDER}/index.html", b"<h1>My homepage</h1>")
    with pytest.raises(SinkError, match=r"is not a bundle \(no manifest\.json\); it contains index\.html"):
        adata_to_karospace(adata, URL, **SMALL)
    assert store.cat_file(f"{FOLDER}/index.html") == b"<h1>My homepage</h1>"


def test_invalid_hash_in_a_manifest_is_rejected(adata: Any, tmp_path: Path) -> None:
    adata_to_karospace(adata, tmp_path / "viewer", **SMALL)
    path = tmp_path / "viewer/manifest.json"
    manifest = json.loads(path.read_text())
    for digest in ("/../../../ESCAPED".ljust(64, "0"), "0" * 16, "0" * 64 + "\n", "G" * 64):
        manifest["asset_files"][0]["sha256"] = digest
        path.write_text(json.dumps(manifest))
        with pytest.raises(BundleError, match="sha256"):
            Bundle(tmp_path / "viewer").save(f"local://{tmp_path}/site/a/b/tissue")
    assert not any((tmp_path / "spool").iterdir()) and not (tmp_path / "site").exists()


def test_wrong_hash_in_a_manifest_does_not_select_another_file(adata: Any, store: Any, tmp_path: Path) -> None:
    adata_to_karospace(adata, tmp_path / "viewer", **SMALL)
    path = tmp_path / "viewer/manifest.json"
    manifest = json.loads(path.read_text())
    first = manifest["asset_files"][0]
    first["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    stem, _, endings = first["path"].partition(".")
    store.pipe_file(f"{FOLDER}/{stem}.{'0' * 16}.{endings}", b"x" * first["size_bytes"])
    saved = Bundle(tmp_path / "viewer").save(URL)
    found = saved.manifest.asset_files[0].path
    assert saved.files.read(found) == (tmp_path / "viewer" / first["path"]).read_bytes()


def test_messages_do_not_contain_the_password_of_a_url(
    adata: Any, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SinkError) as unknown_protocol:
        adata_to_karospace(adata, "nope://ann:hunter2@lab.example/tissue", **SMALL)
    assert "nope://lab.example/tissue" in str(unknown_protocol.value) and "hunter2" not in str(unknown_protocol.value)
    url = "memory://ann:hunter2@sink/tissue"
    store.pipe_file("/ann:hunter2@sink/tissue/thesis.docx", b"mine")
    try:
        with pytest.raises(SinkError) as foreign:
            adata_to_karospace(adata, url, **SMALL)
        assert "thesis.docx" in str(foreign.value) and "hunter2" not in str(foreign.value)
        with pytest.raises(BundleError) as no_bundle:
            Bundle(url)
        assert "memory://sink/tissue" in str(no_bundle.value) and "hunter2" not in str(no_bundle.value)
    finally:
        store.rm("/ann:hunter2@sink", recursive=True)
    assert "hunter2" not in caplog.text
