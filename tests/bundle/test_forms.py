"""Tests of every form of a bundle: folder, memory, HTML file and zip file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pytest
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export
from karospace_jupyter.bundle.files import FolderFiles, HtmlFiles, MemoryFiles, ZipFiles
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import (
    BundleError,
    Cancelled,
    ConfigError,
    KaroSpaceError,
    NotExportedError,
    SinkError,
)
from karospace_jupyter.job import Job, Progress

FORMS = ["folder", "html", "zip", "memory"]
OPTIONS: dict[str, Any] = {"genes_mode": "top_mean:8", "max_asset_mb": 0.2}


@pytest.fixture(scope="module")
def tissue() -> ad.AnnData:
    return synthetic_tissue(n_cells=400, seed=5)


@pytest.fixture(scope="module")
def made(tissue: ad.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    bundle = adata_to_karospace(
        tissue, folder / "out", single_file=folder / "out.html", zip_path=folder / "out.zip", **OPTIONS
    )
    assert bundle.path == folder / "out"
    return folder


@pytest.fixture(params=FORMS)
def bundle(request: pytest.FixtureRequest, made: Path) -> Bundle:
    return opened(made, request.param)


def opened(made: Path, form: str) -> Bundle:
    """Open the exported bundle in one of its forms."""
    if form == "memory":
        files = FolderFiles(made / "out")
        return Bundle(MemoryFiles({path: files.read(path) for path in files.names()}))
    return Bundle(made / {"folder": "out", "html": "out.html", "zip": "out.zip"}[form])


def tree(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by its relative path."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


class TestEveryForm:
    def test_bundle_verifies_and_contains_the_values(self, bundle: Bundle, tissue: ad.AnnData) -> None:
        report = bundle.verify()
        assert report.files == report.hashed == len(bundle.manifest.asset_files)
        x: Any = tissue.X
        for gene in bundle.manifest.gene_list:
            expected = x[:, tissue.var_names.get_loc(gene)].toarray().ravel()
            np.testing.assert_array_equal(bundle.gene(gene), expected)

    def test_saved_folder_is_identical(self, bundle: Bundle, made: Path, tmp_path: Path) -> None:
        saved = bundle.save(tmp_path / "deep" / "saved")
        assert saved.path == tmp_path / "deep" / "saved"
        assert tree(saved.path) == tree(made / "out")
        assert [p.name for p in (tmp_path / "deep").iterdir()] == ["saved"]

    def test_saved_html_and_zip_are_identical(self, bundle: Bundle, made: Path, tmp_path: Path) -> None:
        assert bundle.to_html(tmp_path / "out.html").read_bytes() == (made / "out.html").read_bytes()
        assert bundle.to_zip(tmp_path / "out.zip").read_bytes() == (made / "out.zip").read_bytes()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out.html", "out.zip"]

    def test_bundle_can_be_served(self, bundle: Bundle) -> None:
        server = bundle.serve(port=0)
        try:
            path = bundle.manifest.asset_files[0].path
            with urllib.request.urlopen(server.url + path, timeout=PATIENCE_S) as response:
                assert response.read() == bundle.stored(path)
                assert response.headers["Content-Type"] == "application/gzip"
            with urllib.request.urlopen(server.url, timeout=PATIENCE_S) as response:
                assert response.read() == export.viewer_html()
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(server.url + "missing", timeout=PATIENCE_S)
            part = urllib.request.Request(server.url + path, headers={"Range": "bytes=0-1"})
            with urllib.request.urlopen(part, timeout=PATIENCE_S) as response:
                assert (response.status, response.read()) == (206, b"\x1f\x8b")
        finally:
            server.stop()

    @pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "C:/x", "a\\b", "", ".", "a/./b", "a\0b"])
    def test_path_outside_the_bundle_is_rejected(self, bundle: Bundle, path: str) -> None:
        with pytest.raises(BundleError, match="not a relative path inside the bundle"):
            bundle.stored(path)

    def test_missing_file_is_named(self, bundle: Bundle) -> None:
        with pytest.raises(BundleError, match="assets/none"):
            bundle.stored("assets/none")

    def test_repr_contains_the_location(self, bundle: Bundle) -> None:
        assert "400 cells" in repr(bundle)
        assert bundle.files.origin in repr(bundle)

    def test_names_lists_every_file(self, bundle: Bundle) -> None:
        listed = {file.path for file in bundle.manifest.asset_files}
        assert set(bundle.files.names()) == listed | {"manifest.json", "index.html"}

    def test_canceled_save_leaves_no_files(self, bundle: Bundle, tmp_path: Path) -> None:
        def canceled_after(reports: int) -> Job:
            seen: list[Progress] = []

            def listen(progress: Progress) -> None:
                seen.append(progress)
                if len(seen) == reports:
                    job.cancel()

            job = Job(listen)
            return job

        for write in (
            lambda job: bundle.save(tmp_path / "out", job=job),
            lambda job: bundle.to_html(tmp_path / "out.html", job=job),
            lambda job: bundle.to_zip(tmp_path / "out.zip", job=job),
        ):
            for reports in (1, 2):
                with pytest.raises(Cancelled):
                    write(canceled_after(reports))
                assert list(tmp_path.iterdir()) == []


class TestHostile:
    def test_symbolic_link_out_of_the_folder_is_rejected(self, made: Path, tmp_path: Path) -> None:
        bundle = Bundle(made / "out").save(tmp_path / "out")
        (tmp_path / "secret").write_text("secret")
        path = bundle.manifest.asset_files[0].path
        (tmp_path / "out" / path).unlink()
        (tmp_path / "out" / path).symlink_to(tmp_path / "secret")
        for read in (lambda: bundle.stored(path), bundle.verify, lambda: bundle.to_html(tmp_path / "x.html")):
            with pytest.raises(BundleError, match="outside of"):
                read()
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "secret"]

    @pytest.mark.parametrize("form", ["html", "zip"])
    def test_manifest_path_outside_the_bundle_is_rejected(self, made: Path, tmp_path: Path, form: str) -> None:
        bundle = Bundle(made / "out")
        text = bundle.stored("manifest.json").replace(b'"preview.png"', b'"../preview.png"')
        path = tmp_path / f"out.{form}"
        if form == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x/manifest.json", text)
                archive.writestr("preview.png", "")
        else:
            path.write_bytes(element("manifest.json", text) + element("../preview.png", b""))
        with pytest.raises(BundleError, match="relative path inside the bundle"):
            Bundle(path)

    def test_file_name_cannot_close_its_html_element(self, tmp_path: Path) -> None:
        name = 'assets/"></script><script>alert(1)</script>&amp;\r\n.bin'
        raw = json.loads(small_manifest())
        raw["asset_files"] = [{"kind": "columnar", "path": name, "size_bytes": 1}]
        bundle = Bundle(MemoryFiles({"manifest.json": json.dumps(raw).encode(), name: b"1"}))
        page = bundle.to_html(tmp_path / "a.html")
        assert b"<script>alert" not in page.read_bytes()
        assert Bundle(page).stored(name) == b"1"

    @pytest.mark.parametrize("cut", [10, 3000, -9])
    def test_truncated_html_file_is_rejected(self, made: Path, tmp_path: Path, cut: int) -> None:
        whole = (made / "out.html").read_bytes()
        at = whole.index(b"<script type=")
        (tmp_path / "a.html").write_bytes(whole[: at + cut if cut > 0 else whole.rindex(b"</script>") + 4])
        with pytest.raises(BundleError, match=r"damaged|no manifest\.json"):
            Bundle(tmp_path / "a.html")

    def test_damaged_base64_is_rejected(self, made: Path, tmp_path: Path) -> None:
        whole = (made / "out.html").read_bytes()
        at = whole.index(b'data-karospace-path="preview.png">') + 50
        (tmp_path / "a.html").write_bytes(whole[:at] + b"!" + whole[at + 1 :])
        with pytest.raises(BundleError, match=r"preview\.png.*damaged"):
            Bundle(tmp_path / "a.html").verify()

    def test_damaged_zip_is_rejected(self, made: Path, tmp_path: Path) -> None:
        whole = bytearray((made / "out.zip").read_bytes())
        whole[whole.index(b"preview.png") + 100] ^= 1
        (tmp_path / "a.zip").write_bytes(whole)
        with pytest.raises(BundleError, match=r"preview\.png.*checksum"):
            Bundle(tmp_path / "a.zip").verify()
        (tmp_path / "a.zip").write_bytes(whole[:5000])
        with pytest.raises(BundleError, match="damaged"):
            Bundle(tmp_path / "a.zip")

    def test_zip_with_wrong_sizes_is_rejected(self, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", small_manifest())
            archive.writestr("big", bytes(10**6))
        text = path.read_bytes()
        path.write_bytes(text.replace((10**6).to_bytes(4, "little"), (100).to_bytes(4, "little")))
        with pytest.raises(BundleError, match="big"):
            ZipFiles(path).read("big")

    @pytest.mark.parametrize("form", ["html", "zip"])
    def test_file_changed_since_opening_is_rejected(self, made: Path, tmp_path: Path, form: str) -> None:
        path = tmp_path / f"a.{form}"
        path.write_bytes((made / f"out.{form}").read_bytes())
        bundle = Bundle(path)
        path.write_bytes(path.read_bytes() + b"\n")
        with pytest.raises(BundleError, match="has changed"):
            bundle.stored("preview.png")


class TestOpening:
    def test_zip_created_by_hand_opens(self, made: Path, tmp_path: Path) -> None:
        """Open zip files that were created by hand, with and without a folder, and with an entry that macOS adds."""
        files = FolderFiles(made / "out")
        for name, prefix in {"a.zip": "", "b.zip": "any name/"}.items():
            with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in files.names():
                    archive.writestr(prefix + path, files.read(path))
                archive.writestr("__MACOSX/manifest.json", "")
            Bundle(tmp_path / name).verify()

    def test_zip_with_two_bundles_is_rejected(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("a/manifest.json", small_manifest())
            archive.writestr("b/manifest.json", small_manifest())
        with pytest.raises(BundleError, match=r"several manifests: a/manifest\.json, b/manifest\.json"):
            Bundle(tmp_path / "a.zip")

    def test_page_of_a_folder_is_rejected(self, made: Path) -> None:
        with pytest.raises(BundleError, match="open the folder"):
            Bundle(made / "out" / "index.html")

    def test_missing_or_empty_bundle_is_rejected(self, tmp_path: Path) -> None:
        with pytest.raises(BundleError, match="does not exist"):
            Bundle(tmp_path / "a.zip")
        (tmp_path / "empty.html").touch()
        with pytest.raises(BundleError, match=r"no manifest\.json"):
            Bundle(tmp_path / "empty.html")
        with pytest.raises(BundleError, match=r"no manifest\.json"):
            Bundle(MemoryFiles({}))

    def test_zip_unpacks_to_one_folder(self, made: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(made / "out.zip") as archive:
            assert archive.testzip() is None
            names = archive.namelist()
            assert names[:2] == ["out/index.html", "out/manifest.json"]
            stored = {i.filename for i in archive.infolist() if i.compress_type == zipfile.ZIP_STORED}
            assert stored == {n for n in names if n.endswith((".gz", ".png", ".jpg"))}
            archive.extractall(tmp_path)
        assert tree(tmp_path / "out") == tree(made / "out")

    def test_html_contains_one_element_per_file(self, made: Path) -> None:
        text = (made / "out.html").read_text()
        found = re.findall(r'<script type="text/plain" data-karospace-path="([^"]*)">[A-Za-z0-9+/=]*</script>\n', text)
        listed = Bundle(made / "out").manifest.asset_files
        assert found == ["manifest.json", *(f.path for f in listed if f.kind not in {"script", "expression_chunk"})]
        assert text.endswith("</script>\n</body>\n</html>\n")

    def test_foreign_page_is_never_saved_or_served(self, tmp_path: Path) -> None:
        bundle = Bundle(MemoryFiles({"manifest.json": small_manifest(), "index.html": b"another viewer"}))
        for saved in (bundle.save(tmp_path / "out"), Bundle(bundle.to_zip(tmp_path / "out.zip"))):
            assert saved.stored("index.html") == export.viewer_html()
        with bundle.serve(port=0) as server, urllib.request.urlopen(server.url, timeout=PATIENCE_S) as response:
            assert response.read() == export.viewer_html()
        assert export.viewer_html()[:100] == HtmlFiles(bundle.to_html(tmp_path / "a.html")).read("index.html")[:100]

    def test_verify_warns_about_a_foreign_page(self, made: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(made / "out", tmp_path / "b"))
        assert Bundle(folder).verify().warnings == ()
        (folder / "index.html").write_bytes(export.viewer_html() + b"<script>parent.fetch('/api')</script>")
        (warning,) = Bundle(folder).verify().warnings
        assert warning.startswith("index.html is not a known page of this package.")
        assert Bundle(folder).save(tmp_path / "saved").verify().warnings == ()
        (folder / "index.html").unlink()
        assert Bundle(folder).verify().warnings == ()


class TestExport:
    def test_equal_input_gives_equal_bytes(
        self, tissue: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        for name, jobs in (("a", 1), ("b", 4)):
            target = tmp_path / name
            adata_to_karospace(tissue, single_file=target / "x.html", zip_path=target / "x.zip", jobs=jobs, **OPTIONS)
        assert tree(tmp_path / "a") == tree(tmp_path / "b")
        assert set(tree(tmp_path / "a")) == {"x.html", "x.zip"}

    @pytest.mark.parametrize("option", ["single_file", "zip_path"])
    def test_single_file_can_be_the_only_target(self, tissue: ad.AnnData, tmp_path: Path, option: str) -> None:
        path = tmp_path / ("x.html" if option == "single_file" else "x.zip")
        bundle = adata_to_karospace(tissue, **{option: path}, **OPTIONS)
        assert bundle.path == path
        bundle.verify()
        assert [p.name for p in tmp_path.iterdir()] == [path.name]

    def test_export_to_memory_writes_no_files(self, tissue: ad.AnnData, tmp_path: Path) -> None:
        bundle = export.run_to_memory(tissue, ExportConfig(outdir=tmp_path / "out", **OPTIONS))
        assert bundle.path is None
        bundle.verify()
        assert list(tmp_path.iterdir()) == []

    def test_export_without_target_is_rejected(self, tissue: ad.AnnData) -> None:
        with pytest.raises(ConfigError, match=r"outdir.*single_file.*zip_path"):
            adata_to_karospace(tissue)

    def test_nested_targets_are_rejected(self, tissue: ad.AnnData, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match="inside"):
            adata_to_karospace(tissue, tmp_path / "out", single_file=tmp_path / "out" / "x.html")

    def test_foreign_target_is_rejected_before_reading_the_input(self, tmp_path: Path) -> None:
        (tmp_path / "x.html").write_text("<p>my page")
        config = ExportConfig(outdir=tmp_path / "out", single_file=tmp_path / "x.html")
        with pytest.raises(SinkError, match="was not changed"):
            export.run(tmp_path / "nothing.h5ad", config)

    def test_export_canceled_in_any_stage_leaves_old_files(self, tissue: ad.AnnData, tmp_path: Path) -> None:
        def write(job: Job) -> None:
            adata_to_karospace(
                tissue,
                tmp_path / "out",
                single_file=tmp_path / "x.html",
                zip_path=tmp_path / "x.zip",
                job=job,
                **OPTIONS,
            )

        stages: dict[str, None] = {}
        write(Job(lambda progress: stages.setdefault(progress.stage)))
        assert list(stages)[-2:] == ["Writing x.html", "Writing x.zip"]
        for path in ("x.html", "x.zip"):
            (tmp_path / path).unlink()
        before = tree(tmp_path)
        for stage in stages:
            job = Job(cancel_at(stage, lambda: job.cancel()))  # noqa: B023 - called within this iteration
            with pytest.raises(Cancelled):
                write(job)
            assert tree(tmp_path) == before
            assert [p.name for p in tmp_path.iterdir()] == ["out"]

    def test_warning_about_missing_scripts_applies_only_to_folders(
        self, tissue: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warning = "the viewer will ask for its folder"
        with monkeypatch.context() as patch:
            patch.setattr("karospace_jupyter.publish.scripts.MAX_BYTES", 10)
            bundle = adata_to_karospace(tissue, tmp_path / "out", single_file=tmp_path / "one.html")
            assert warning in " ".join(Bundle(tmp_path / "out").warnings)
            assert warning not in " ".join(Bundle(tmp_path / "one.html").warnings)
            # Saving the HTML file to a folder without scripts adds the warning again.
            saved = Bundle(tmp_path / "one.html").save(tmp_path / "again")
            assert warning in " ".join(saved.warnings)
        assert warning not in " ".join(bundle.save(tmp_path / "whole", scripts="yes").warnings)

    def test_errors_derive_from_karospace_error(self, made: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        for write in (Bundle(made / "out").save, Bundle(made / "out").to_html, Bundle(made / "out").to_zip):
            with pytest.raises(KaroSpaceError):
                write(tmp_path / "file" / "a")


def cancel_at(stage: str, cancel: Callable[[], None]) -> Callable[[Progress], None]:
    return lambda progress: cancel() if progress.stage == stage else None


def element(path: str, data: bytes) -> bytes:
    """Return the HTML element that holds a file of a bundle."""
    return (
        b'<script type="text/plain" data-karospace-path="'
        + path.encode()
        + b'">'
        + base64.b64encode(data)
        + b"</script>\n"
    )


def small_manifest() -> bytes:
    return json.dumps(
        {
            "schema_version": "1.0.0",
            "dataset_name": "a",
            "created_at": "",
            "n_cells": 0,
            "n_genes_exported": 0,
            "coordinate_source": "",
            "annotation_columns": [],
            "gene_list": [],
            "asset_files": [],
            "expression": {"format": "", "dtype": "float32", "n_cells": 0, "gzip": False, "genes": []},
        }
    ).encode()


def test_missing_gene_and_embedding_suggest_names(bundle: Bundle) -> None:
    gene = bundle.manifest.gene_list[0]
    with pytest.raises(NotExportedError, match=rf"^No gene '{gene}X' in .*\. Did you mean '{gene}'"):
        bundle.gene(f"{gene}X")
    with pytest.raises(KeyError, match=r"No embedding 'umap' in .*\. Did you mean 'X_umap'\?$"):
        bundle.embedding("umap")
