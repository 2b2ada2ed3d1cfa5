"""Several bundles in one folder: they are copied, verified and listed, and only files that change are written."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import fsspec
import pytest
from waiting import PATIENCE_S

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, publish_index
from karospace_jupyter.bundle.scripts import as_script, from_script
from karospace_jupyter.cli import main
from karospace_jupyter.contracts.bundle_index import BundleIndex
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import Cancelled, ConfigError, OptionError, SinkError
from karospace_jupyter.hosts import HOSTS
from karospace_jupyter.job import Job
from karospace_jupyter.static import static_file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three bundles: two folders and a zip file."""
    folder = tmp_path_factory.mktemp("made")
    options: dict[str, Any] = {"genes_mode": "top_mean:3", "packed": "no", "image_path": "none"}
    adata_to_karospace(synthetic_tissue(200, 10, seed=1), folder / "one", dataset_name="Liver", **options)
    adata_to_karospace(synthetic_tissue(120, 10, seed=2), folder / "two", dataset_name="kidney", **options)
    adata_to_karospace(
        synthetic_tissue(80, 10, seed=3), zip_path=folder / "three.zip", dataset_name="Lung", preview=False, **options
    )
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path) -> Path:
    """A folder with an index of the first two bundles."""
    publish_index(tmp_path / "site", [made / "one", made / "two"], title="Atlas")
    return tmp_path / "site"


def listed(site: Path) -> BundleIndex:
    """Return the list that the page of the index shows."""
    return BundleIndex.model_validate_json(from_script("bundles.json", (site / "bundles.js").read_bytes()))


def stamps(site: Path) -> dict[str, int]:
    """Return when each file was last changed."""
    return {path.relative_to(site).as_posix(): path.stat().st_mtime_ns for path in site.rglob("*") if path.is_file()}


def test_bundles_are_copied_and_listed_by_title(made: Path, tmp_path: Path) -> None:
    site = tmp_path / "new" / "site"
    report = publish_index(site, [made / "one", str(made / "two"), made / "three.zip"], title="Atlas")
    assert (report.path, report.title, report.problems, report.warnings) == (site, "Atlas", (), ())
    assert report.added == ("two", "one", "three")
    assert report.removed == ()
    assert sorted(path.name for path in site.iterdir()) == ["bundles.js", "index.html", "one", "three", "two"]
    assert (site / "index.html").read_bytes() == static_file("bundles.html")
    index = listed(site)
    assert [(bundle.title, bundle.path, bundle.n_cells) for bundle in index.bundles] == [
        ("kidney", "two", 120),
        ("Liver", "one", 200),
        ("Lung", "three", 80),
    ]
    manifest = Bundle(made / "one").manifest
    liver = index.bundles[1]
    assert liver.n_genes == manifest.n_genes
    assert liver.columns == manifest.annotation_columns
    assert liver.preview == "preview.png"
    assert index.bundles[2].preview is None
    assert manifest.sections is not None
    assert liver.n_sections == len(manifest.sections.items)
    for name in ("one", "two", "three"):
        assert Bundle(site / name).verify().warnings == ()
        assert Bundle(site / name).manifest.scripts, "the copy must open with a double click"


def test_adding_and_removing_a_bundle_rewrites_only_the_list(made: Path, site: Path) -> None:
    before = stamps(site)
    shutil.copytree(made / "two", site / "more" / "deep" / "copy")
    report = publish_index(site)
    assert report.title == "Atlas"
    assert report.added == ("more/deep/copy",)
    after = stamps(site)
    assert {path for path in before if after[path] != before[path]} == {"bundles.js"}
    assert (site / "bundles.js").stat().st_size < 5000
    shutil.rmtree(site / "one")
    report = publish_index(site)
    assert report.removed == ("one",)
    assert [bundle.path for bundle in report.bundles] == ["more/deep/copy", "two"]
    assert {path for path, stamp in stamps(site).items() if stamp != after[path]} == {"bundles.js"}
    before = stamps(site)
    assert publish_index(site).added == ()
    assert stamps(site) == before, "files were written although nothing had changed"


def test_last_bundle_can_be_removed(site: Path) -> None:
    for name in ("one", "two"):
        shutil.rmtree(site / name)
    assert publish_index(site).bundles == ()
    assert listed(site).bundles == []


def test_damaged_bundle_is_named_and_not_listed(made: Path, site: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(made / "one", tmp_path / "broken")
    asset = next((broken / "assets").rglob("*.gz"))
    asset.write_bytes(bytes(len(asset.read_bytes())))
    report = publish_index(site, [broken])
    assert not (site / "broken").exists()
    assert len(report.problems) == 1
    assert asset.relative_to(broken).as_posix() in report.problems[0]
    assert [bundle.path for bundle in report.bundles] == ["two", "one"]
    shutil.copytree(broken, site / "inside")
    report = publish_index(site)
    assert "inside" in report.problems[0]
    assert [bundle.path for bundle in report.bundles] == ["two", "one"]


def test_listed_bundle_that_becomes_damaged_is_removed_from_the_list(site: Path) -> None:
    asset = next((site / "one" / "assets").rglob("*.gz"))
    asset.unlink()
    report = publish_index(site)
    assert report.removed == ("one",)
    assert str(asset.relative_to(site / "one")) in report.problems[0]
    (site / "two" / "manifest.json").write_text("{")
    report = publish_index(site)
    assert [bundle.path for bundle in report.bundles] == []
    assert any("two" in text and "manifest.json" in text for text in report.problems)


def test_unchanged_bundle_is_not_read_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bundle, "verify", lambda self: pytest.fail(f"verified {self.path}"))
    assert len(publish_index(site).bundles) == 2


def test_copy_of_the_same_dataset_is_replaced_but_not_that_of_another(made: Path, site: Path, tmp_path: Path) -> None:
    newer = tmp_path / "one"
    adata_to_karospace(synthetic_tissue(300, 10), newer, dataset_name="Liver", genes_mode=())
    report = publish_index(site, [newer])
    assert report.added == ("one",)
    assert listed(site).bundles[1].n_cells == 300
    other = shutil.copytree(made / "two", tmp_path / "other" / "one")
    report = publish_index(site, [other])
    assert "already contains another dataset, 'Liver'; 'kidney' was not copied" in report.problems[0]
    assert listed(site).bundles[1].n_cells == 300
    (site / "one" / "manifest.json").write_text("{}")
    report = publish_index(site, [made / "one"])
    assert "one" in report.problems[0], "the folder may contain another dataset"


def test_bundles_with_the_same_name_are_not_mixed_up(made: Path, tmp_path: Path) -> None:
    other = shutil.copytree(made / "two", tmp_path / "other" / "ONE")
    report = publish_index(tmp_path / "site", [made / "one", other])
    assert "would both be copied to" in report.problems[0]
    assert [bundle.title for bundle in report.bundles] == ["Liver"]


def test_bundle_inside_the_folder_is_not_copied(site: Path) -> None:
    before = stamps(site)
    report = publish_index(site, [site / "one"])
    assert report.problems == ()
    assert stamps(site) == before


def test_other_files_of_the_folder_are_kept_and_not_listed(made: Path, site: Path) -> None:
    (site / "README.md").write_text("mine")
    (site / "app").mkdir()
    (site / "app" / "manifest.json").write_text('{"name": "a web app"}')
    shutil.copytree(made / "two", site / ".git" / "two")
    (site / "link").symlink_to(made / "one")
    report = publish_index(site)
    assert (report.problems, len(report.bundles)) == ((), 2)
    assert (site / "README.md").read_text() == "mine"


def test_unknown_page_of_a_bundle_is_a_warning(site: Path) -> None:
    (site / "one" / "index.html").write_text("<script>hello</script>")
    assert "one/index.html is not a known page" in publish_index(site).warnings[0]


def changed_list(site: Path, **fields: Any) -> bytes:
    index = json.loads(from_script("bundles.json", (site / "bundles.js").read_bytes()))
    return as_script("bundles.json", json.dumps(index | fields).encode())


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (lambda site: (site / "bundles.js").read_bytes()[:-30], "is damaged. Nothing was changed"),
        (lambda site: (site / "bundles.js").read_bytes()[:9], "is damaged. Nothing was changed"),
        (lambda site: b"", "is damaged. Nothing was changed"),
        (lambda site: as_script("bundles.json", b"[]"), "is damaged. Nothing was changed"),
        (lambda site: as_script("bundles.json", b"{}"), "is damaged. Nothing was changed"),
        (lambda site: as_script("bundles.json", b"\xff{"), "is damaged. Nothing was changed"),
        (lambda site: changed_list(site, bundles=None), "is damaged. Nothing was changed"),
        (lambda site: changed_list(site, version=2, bundles=None), "newer version of karospace-jupyter"),
        (lambda site: b"console.log('mine')\n", "is another script. It was not changed"),
    ],
)
def test_list_that_cannot_be_read_is_an_error_that_changes_nothing(
    made: Path, site: Path, stored: Any, message: str
) -> None:
    publish_index(site, data_origins=["https://data.example"])
    (site / "bundles.js").write_bytes(stored(site))
    before = stamps(site)
    with pytest.raises(SinkError, match=re.escape(message)) as raised:
        publish_index(site, [made / "three.zip"], data_origins=())
    assert str(site / "bundles.js") in str(raised.value)
    assert stamps(site) == before
    (site / "bundles.js").unlink()
    assert publish_index(site, title="Atlas").title == "Atlas", "as the message advises"


def test_list_that_is_a_folder_is_an_error(site: Path) -> None:
    (site / "bundles.js").unlink()
    (site / "bundles.js").mkdir()
    with pytest.raises(SinkError, match=r"bundles\.js cannot be read: Is a directory"):
        publish_index(site)


def make_unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder unreadable, even for root."""
    scandir = os.scandir

    def refusing(path: Any = ".") -> Any:
        if str(path) == str(folder):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)


def test_listed_bundles_in_an_unreadable_folder_stay_listed(
    made: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made / "two", site / "group" / "deep" / "copy")
    publish_index(site)
    before = stamps(site)
    make_unreadable(site / "group", monkeypatch)
    with pytest.raises(SinkError, match=r"group cannot be read: Permission denied\. It contains .*group/deep/copy"):
        publish_index(site)
    monkeypatch.undo()
    assert stamps(site) == before


def test_unreadable_folder_without_listed_bundles_is_a_warning(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "lost+found").mkdir()
    make_unreadable(site / "lost+found", monkeypatch)
    report = publish_index(site)
    assert report.warnings == (
        f"{site / 'lost+found'} cannot be read: Permission denied. Bundles in it are not listed.",
    )
    assert len(report.bundles) == 2


def test_second_publication_at_the_same_time_is_refused(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    reached, resumed = threading.Event(), threading.Event()
    verify = Bundle.verify

    def slow(self: Bundle) -> Any:
        if threading.current_thread() is first:
            reached.set()
            assert resumed.wait(PATIENCE_S)
        return verify(self)

    monkeypatch.setattr(Bundle, "verify", slow)
    first = threading.Thread(target=lambda: publish_index(site, [made / "one"]))
    first.start()
    try:
        assert reached.wait(PATIENCE_S)
        with pytest.raises(SinkError, match="is being published by another process") as raised:
            publish_index(site, [made / "two"])
        claim = Path(str(raised.value).rpartition(" delete ")[2].rstrip("."))
        assert claim.is_dir() and claim.parent == site, "the message names what to delete"
        assert not (site / "two").exists()
    finally:
        resumed.set()
        first.join(PATIENCE_S)
    assert not first.is_alive()
    publish_index(site, [made / "two"])
    assert [bundle.path for bundle in listed(site).bundles] == ["two", "one"]
    assert sorted(path.name for path in site.iterdir()) == ["bundles.js", "index.html", "one", "two"]


def test_publication_that_was_killed_does_not_block_the_next(made: Path, site: Path) -> None:
    code = (
        "import os, sys; from karospace_jupyter import Bundle, publish_index\n"
        "Bundle.verify = lambda self: os._exit(9)\n"
        "publish_index(sys.argv[1], [sys.argv[2]])"
    )
    command = [sys.executable, "-c", code, str(site), str(made / "three.zip")]
    killed = subprocess.run(command, check=False, timeout=PATIENCE_S)
    assert killed.returncode == 9
    assert [path.name for path in site.glob(".bundles.js.partial-*")] != []
    assert publish_index(site).problems == ()
    assert list(site.glob(".*")) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("https://me:hunter2@lab.example/atlas?token=hunter2", "https://lab.example/atlas is on a web host"),
        (Path("s3://bucket/atlas"), "s3:/bucket/atlas is a URL in a Path"),
    ],
)
def test_folder_that_cannot_be_written_is_refused(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        publish_index(given, [made / "one"])
    assert "hunter2" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_folder_created_for_a_failed_publication_is_removed(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="contains no bundle to list"):
        publish_index(tmp_path / "new" / "site", [tmp_path / "missing"])
    assert list(tmp_path.iterdir()) == []


def test_bundles_of_an_object_store_are_copied_under_their_names(made: Path, tmp_path: Path) -> None:
    try:
        Bundle(made / "one").save("memory://index/tissue.v1")
        Bundle(made / "two").save("memory://index/tissue.v2")
        Bundle(made / "one").save("memory://bucket-of-one")
        given = [
            "memory://index/tissue.v1/", "memory://index/tissue.v2/index.html", "memory://index/tissue.v2",
            "memory://bucket-of-one",
        ]  # fmt: skip
        report = publish_index(tmp_path / "site", given, storage_options={"skip_instance_cache": True})
        assert report.problems == ()
        assert [bundle.path for bundle in report.bundles] == ["tissue.v2", "bucket-of-one", "tissue.v1"]
        report = publish_index(tmp_path / "site", ["memory://index/nothing"])
        assert "memory://index/nothing" in report.problems[0]
    finally:
        for folder in ("/index", "/bucket-of-one"):
            fsspec.filesystem("memory").rm(folder, recursive=True)


def test_folder_given_as_file_url_keeps_its_whole_name(made: Path, tmp_path: Path) -> None:
    dotted = shutil.copytree(made / "one", tmp_path / "tissue.v1")
    report = publish_index(tmp_path / "site", [dotted.as_uri(), (made / "three.zip").as_uri()])
    assert [bundle.path for bundle in report.bundles] == ["tissue.v1", "three"]


def test_storage_options_that_apply_to_nothing_are_an_error(made: Path, tmp_path: Path) -> None:
    for bundles in ([], [made / "one"], ["https://lab.example/tissue"]):
        with pytest.raises(ConfigError, match=r"storage options \(secret\) apply to nothing") as raised:
            publish_index(tmp_path / "site", bundles, storage_options={"secret": "hunter2"})
        assert "hunter2" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_command_passes_storage_options_on(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    url_to_fs = fsspec.core.url_to_fs
    monkeypatch.setattr(fsspec.core, "url_to_fs", lambda url, **options: given.append(options) or url_to_fs(url))
    try:
        Bundle(made / "one").save("memory://index/tissue")
        given.clear()
        arguments = ["--publish", str(tmp_path / "site"), "memory://index/tissue"]
        assert main([*arguments, "--storage-option", "endpoint_url=https://s3.lab.example"]) == 0
        assert given == [{"endpoint_url": "https://s3.lab.example"}]
    finally:
        fsspec.filesystem("memory").rm("/index", recursive=True)
    assert main(["--publish", "https://lab.example/atlas", str(made / "one")]) == 2
    assert "https://lab.example/atlas is on a web host" in capsys.readouterr().err


@pytest.mark.parametrize("inside", [False, True])
def test_bundle_is_not_copied_through_a_symbolic_link(made: Path, site: Path, tmp_path: Path, inside: bool) -> None:
    outside = shutil.copytree(made / "one", tmp_path / "outside")
    newer = tmp_path / "newer"
    adata_to_karospace(synthetic_tissue(300, 10), newer, dataset_name="Liver", genes_mode=())
    (site / "newer").symlink_to("one" if inside else outside)
    report = publish_index(site, [newer])
    assert f"{site / 'newer'} is a symbolic link, which is not followed" in report.problems[0]
    assert (site / "newer").is_symlink()
    assert {Bundle(folder).manifest.n_cells for folder in (outside, site / "one")} == {200}
    assert report.removed == report.added == ()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda site, made: site.write_text(""), "is a file"),
        (lambda site, made: site.mkdir(), "contains no bundle to list"),
        (lambda site, made: None, "contains no bundle to list"),
        (lambda site, made: shutil.copytree(made / "one", site), "Choose the folder that contains the bundles"),
    ],
)
def test_folder_that_cannot_be_published_is_an_error(made: Path, tmp_path: Path, prepare: Any, message: str) -> None:
    site = tmp_path / "site"
    prepare(site, made)
    with pytest.raises(SinkError, match=message):
        publish_index(site)
    assert not (site / "bundles.js").exists()


def test_folder_with_the_name_of_the_viewer_page_is_kept(made: Path, site: Path) -> None:
    (site / "viewer.html").mkdir()
    assert publish_index(site, [made / "three.zip"]).problems == ()
    assert (site / "viewer.html").is_dir()


def test_copy_that_is_damaged_is_not_listed(made: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = Bundle.save

    def damaging(self: Bundle, *a: Any, **k: Any) -> Bundle:
        saved = save(self, *a, **k)
        assert saved.path is not None
        asset = max((saved.path / "assets").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
        asset.write_bytes(bytes(asset.stat().st_size))
        return saved

    monkeypatch.setattr(Bundle, "save", damaging)
    report = publish_index(site, [made / "three.zip"])
    assert [bundle.path for bundle in report.bundles] == ["two", "one"]
    assert "three does not match its manifest" in report.problems[0]


def test_other_index_page_is_not_replaced(made: Path, site: Path) -> None:
    (site / "index.html").write_text("<h1>Our lab</h1>")
    with pytest.raises(SinkError, match="already exists and is not a page of an index"):
        publish_index(site, [made / "three.zip"])
    assert (site / "index.html").read_text() == "<h1>Our lab</h1>"
    assert not (site / "three").exists()


@pytest.mark.parametrize("options", [{"title": ""}, {"title": "x" * 1001}, {"host": "geocities"}])
def test_invalid_options_are_an_error(site: Path, options: Any) -> None:
    with pytest.raises(ConfigError):
        publish_index(site, **options)


def test_canceled_publication_leaves_the_list_unchanged(made: Path, site: Path) -> None:
    before = stamps(site)
    job = Job()
    job.cancel()
    with pytest.raises(Cancelled):
        publish_index(site, [made / "three.zip"], job=job)
    assert stamps(site) == before


def test_canceled_publication_names_the_bundles_that_were_already_copied(made: Path, site: Path) -> None:
    before = (site / "bundles.js").read_bytes()
    job = Job()
    job.listen(lambda progress: job.cancel() if progress.stage == "Writing two" else None)
    shutil.rmtree(site / "two")
    with pytest.raises(Cancelled, match="the index was not changed. These bundles were already copied: three"):
        publish_index(site, [made / "three.zip", made / "two"], job=job)
    assert (site / "bundles.js").read_bytes() == before
    assert not (site / "two").exists()


def test_page_is_small_and_names_its_licenses() -> None:
    page = static_file("bundles.html")
    assert len(gzip.compress(page)) <= 30_000
    assert re.search(rb"^preact [0-9.]+ \(MIT\)$", page, re.MULTILINE)


def test_limits_of_the_host_apply_to_the_whole_folder(made: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert publish_index(site, host="github-pages").problems == ()
    limited = dataclasses.replace(HOSTS["github-pages"], max_files=len(stamps(site)) - 1)
    monkeypatch.setitem(HOSTS, "github-pages", limited)
    report = publish_index(site, [made / "three.zip"], host="github-pages")
    assert report.problems[0].startswith(
        f"GitHub Pages accepts at most {limited.max_files} files per site; this site has"
    )
    assert Bundle(site / "three").manifest.scripts is None, "web hosts need no scripts"


def test_viewer_for_other_hosts_is_written_only_for_allowed_origins(site: Path) -> None:
    assert not (site / "viewer.html").exists()
    publish_index(site, data_origins=["https://data.example", "http://127.0.0.1:8000", "https://data.example"])
    origins = "https://data.example http://127.0.0.1:8000"
    text = (site / "viewer.html").read_text()
    assert f"connect-src 'self' {origins} blob: data:;" in text
    assert f'<meta name="karospace-data-origins" content="{origins}">' in text
    without_origins = text.replace(f" {origins} blob:", " blob:").replace(
        f'<meta name="karospace-data-origins" content="{origins}">\n', ""
    )
    assert without_origins == static_file("viewer.html").decode()
    publish_index(site)
    assert (site / "viewer.html").read_text() == text, "the origins are kept"
    publish_index(site, data_origins=())
    assert not (site / "viewer.html").exists()
    (site / "viewer.html").write_text("mine")
    publish_index(site)
    assert (site / "viewer.html").read_text() == "mine"
    with pytest.raises(SinkError, match=r"viewer\.html already exists and is not a page of an index"):
        publish_index(site, data_origins=["https://data.example"])


@pytest.mark.parametrize(
    "origin",
    [
        "*", "https://a.example/path", "https://A.example", "data.example", "javascript:x", "https://a; script-src *",
        "https://a.example https://b.example", 'https://a"><script>', "", "https://*.example", "http://[:]", "http://[::1",
        "https://:8000", "https://a.example:", "https://a.example:65536", "https://a..example", "https://a.1", "http://1.2.3",
        "https://a:b:c", "https://a.example:８", "http://256.0.0.1",
    ],
)  # fmt: skip
def test_invalid_origins_are_rejected(site: Path, origin: str) -> None:
    before = stamps(site)
    with pytest.raises(ConfigError, match="is not a valid origin"):
        publish_index(site, data_origins=[origin])
    assert stamps(site) == before


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        ("https://data.example:443", "https://data.example"), ("http://data.example:80", "http://data.example"),
        ("https://data.example:08443", "https://data.example:8443"), ("https://Data.example/", "https://data.example"),
        ("http://[0::1]:8000", "http://[::1]:8000"),
    ],
)  # fmt: skip
def test_origin_that_browsers_write_differently_is_refused_with_the_one_to_use(
    site: Path, origin: str, written: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"use {written!r}.")):
        publish_index(site, data_origins=[origin])
    with pytest.raises(OptionError, match=re.escape(f"use {written!r}, or '*'")):
        ExportConfig(embed_origins=(origin,))
    assert ExportConfig(embed_origins=(written,)).embed_origins == (written,)


@pytest.mark.parametrize("origin", ["http://[::1]:8000", "https://my_data.example"])
def test_origin_that_no_policy_can_name_is_refused(site: Path, origin: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"Browsers do not accept the origin {origin!r} in the policy")):
        publish_index(site, data_origins=[origin])
    assert ExportConfig(embed_origins=(origin,)).embed_origins == (origin,)


def test_origins_in_a_list_that_was_changed_by_hand_are_checked(site: Path) -> None:
    index = json.loads(from_script("bundles.json", (site / "bundles.js").read_bytes()))
    index["data_origins"] = ["https://a; script-src *"]
    (site / "bundles.js").write_bytes(as_script("bundles.json", json.dumps(index).encode()))
    with pytest.raises(ConfigError, match="is not a valid origin"):
        publish_index(site)


def test_command_line_publishes_and_reports(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    assert main(["--publish", str(site), str(made / "one"), str(made / "three.zip"), "--name", "Atlas"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{site / 'index.html'}\n"
    assert "added or updated three" in err
    assert "Atlas: 2 bundles" in err
    (site / "three" / "manifest.json").write_text("{")
    assert main(["--publish", str(site), "--json"]) == 1
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert [bundle["title"] for bundle in result["bundles"]] == ["Liver"]
    assert result["removed"] == ["three"]
    assert f"{site} was published with problems" in err
    assert main(["--publish", str(tmp_path / "nothing")]) == 1
    assert "contains no bundle to list" in capsys.readouterr().err
    assert main(["--publish", str(site), "--data-origin", "https://data.example", "--quiet"]) == 1, "still damaged"
    assert (site / "viewer.html").exists()
    assert main(["--publish", str(site), "--data-origin", "none", "--quiet"]) == 1
    assert not (site / "viewer.html").exists()
    with pytest.raises(SystemExit, match="2"):
        main(["--data-origin", "https://data.example", "--verify", str(site)])
    for flag in (["--serve"], ["--genes", "all"], ["--verify", str(site)]):
        with pytest.raises(SystemExit, match="2"):
            main(["--publish", str(site), *flag])
