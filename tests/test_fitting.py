"""Exports for a web host are checked against its limits, and options at their defaults are chosen to fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import anndata as ad
import pytest

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace
from karospace_jupyter.cli import main
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import ConfigError, PlanError, SinkError
from karospace_jupyter.export import dry_run
from karospace_jupyter.fitting import over_limits
from karospace_jupyter.form.prediction import predict_export
from karospace_jupyter.hosts import HOSTS, Usage

N, G = 600, 90


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    tissue = synthetic_tissue(N, G, seed=3)
    del tissue.uns["spatial"]  # encoding images is slow
    return tissue


def limit(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    """Give GitHub Pages other limits."""
    none = dict.fromkeys(("max_file_bytes", "max_files", "max_folder_files", "max_bytes"))
    monkeypatch.setitem(HOSTS, "github-pages", dataclasses.replace(HOSTS["github-pages"], **(none | limits)))


def planned(adata: ad.AnnData, **options: Any) -> Any:
    return dry_run(adata, ExportConfig(host="github-pages", **options))


def test_no_scripts_are_written_for_a_host_unless_they_are_requested(adata: ad.AnnData, tmp_path: Path) -> None:
    bundle = adata_to_karospace(adata, tmp_path / "a", genes_mode="top_mean:3", host="netlify")
    assert bundle.manifest.scripts is None
    assert not bundle.warnings or not any("double click" in text for text in bundle.warnings)
    with_scripts = adata_to_karospace(adata, tmp_path / "b", genes_mode="top_mean:3", host="netlify", scripts="yes")
    assert with_scripts.manifest.scripts
    assert Bundle(tmp_path / "a").verify().warnings == ()


@pytest.mark.parametrize("host", list(HOSTS))
def test_a_small_export_fits_every_host_without_a_warning(adata: ad.AnnData, host: Any) -> None:
    plan, size = dry_run(adata, ExportConfig(host=host))
    assert plan.packed is not None
    assert not [text for text in plan.warnings if HOSTS[host].label in text]
    assert size.files == plan.predicted_files


def test_packed_genes_are_left_out_if_the_export_would_be_too_large(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"genes_mode": "top_mean:2"}
    with_packed, without_packed = planned(adata, **options)[1].bytes, planned(adata, packed="no", **options)[1].bytes
    limit(monkeypatch, max_bytes=round(1.12 * without_packed))
    assert with_packed > 1.13 * without_packed
    plan, size = planned(adata, **options)
    assert plan.packed is None
    assert size.bytes == pytest.approx(without_packed)
    assert plan.warnings[-1].startswith(f"The viewer can show only 2 genes of {G}, because packing all genes would")
    bundle = adata_to_karospace(adata, tmp_path / "out", host="github-pages", **options)
    assert bundle.manifest.packed is None
    limit(monkeypatch, max_bytes=round(1.01 * without_packed))
    with pytest.raises(PlanError, match=r"leave out packed genes \(packed='no'\)"):
        planned(adata, packed="yes", **options)


def test_larger_assets_are_chosen_if_there_would_be_too_many_files(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karospace_jupyter.fitting._DEFAULT_MB", 0.001)
    options: dict[str, Any] = {"genes_mode": "all", "max_asset_mb": 0.001, "packed": "no"}
    many = planned(adata, **options)[1].files
    assert many > 3 * G
    limit(monkeypatch, max_files=2 * G, max_file_bytes=2_000_000)
    plan, size = planned(adata, **options)
    assert G < size.files <= 2 * G
    assert "Assets may be up to 1.0 MB" in plan.warnings[-1]
    limit(monkeypatch, max_folder_files=2 * G)
    assert planned(adata, **options)[1].files <= 2 * G


@pytest.mark.parametrize(
    ("limits", "options", "message"),
    [
        ({"max_files": 50}, {"genes_mode": "all"}, r"at most 50 files per site; this export would have about \d+"),
        ({"max_files": 50}, {"genes_mode": "all"}, r"write fewer genes as separate files \(genes_mode;"),
        ({"max_folder_files": G - 1}, {"genes_mode": "all"}, f"{G - 1} files per folder; the genes would take {G}"),
        ({"max_bytes": 1000}, {"packed": "no"}, "at most 1.0 kB per site; this export would take about"),
        ({"max_bytes": 1000}, {"packed": "no"}, r"To fit: export fewer genes \(genes_mode\), export fewer cells \(downsample\)"),
        ({"max_bytes": 1000}, {}, r"or use a host without these limits \(Cloudflare R2, S3\)"),
        ({"max_file_bytes": 10**6}, {"max_asset_mb": 50}, "assets may be up to 50.0 MB. Set max_asset_mb to at most"),
        ({"max_file_bytes": 20_000}, {"genes_mode": "all"}, "per file; manifest.json would take about"),
        ({"max_file_bytes": 300_000}, {"single_file": "a.html"}, "a.html would take about"),
    ],
)  # fmt: skip
def test_export_over_a_limit_is_an_error_before_anything_is_written(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limits: Any, options: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    limit(monkeypatch, **limits)
    for export in (
        lambda: planned(adata, **options),
        lambda: adata_to_karospace(adata, None if "single_file" in options else "out", host="github-pages", **options),
    ):
        with pytest.raises(PlanError, match=message):
            export()
    assert list(tmp_path.iterdir()) == []


def test_default_asset_size_is_lowered_to_the_file_limit(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, max_file_bytes=5_000_000)
    seen = []
    monkeypatch.setattr(
        "karospace_jupyter.export.resolve", lambda _source, config, *_, **__: seen.append(config) or 1 / 0
    )
    with pytest.raises(ZeroDivisionError):
        planned(adata)
    assert seen[0].max_asset_bytes == 4_000_000


def test_written_size_decides_when_the_prediction_is_close(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"genes_mode": "top_mean:3", "packed": "no", "host": "github-pages"}
    out = tmp_path / "out"
    bundle = adata_to_karospace(adata, out, **options)
    exact = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    before = (out / "manifest.json").read_bytes()
    limit(monkeypatch, max_bytes=exact - 1)
    with pytest.raises(SinkError, match="at most .* per site; this site takes") as caught:
        adata_to_karospace(adata, out, **options)
    assert "Nothing was published" in str(caught.value)
    assert (out / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    limit(monkeypatch, max_bytes=exact + 500)  # the manifest contains a warning
    bundle = adata_to_karospace(adata, out, **options)
    assert any("This is a prediction; the written files are checked, too." in text for text in bundle.warnings)


def test_number_of_packed_files_is_a_prediction(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    files = planned(adata, genes_mode="top_mean:3", packed="yes")[1].files
    limit(monkeypatch, max_files=files)
    plan, _ = planned(adata, genes_mode="top_mean:3", packed="yes")
    assert "This is a prediction" in plan.warnings[-1]
    files = planned(adata, genes_mode="top_mean:3", packed="no")[1].files
    limit(monkeypatch, max_files=files)
    assert not [
        text for text in planned(adata, genes_mode="top_mean:3", packed="no")[0].warnings if "prediction" in text
    ]
    limit(monkeypatch, max_files=files - 1)
    with pytest.raises(PlanError, match="files per site"):
        planned(adata, genes_mode="top_mean:3", packed="no")


def test_html_file_is_compared_with_the_limit_of_a_file(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "a.html"
    options: dict[str, Any] = {"genes_mode": "top_mean:3", "single_file": path, "packed": "yes", "host": "github-pages"}
    adata_to_karospace(adata, **options)
    size = path.stat().st_size
    # Assets stay far below the limit.
    limit(monkeypatch, max_file_bytes=size - 10_000)
    path.unlink()
    with pytest.raises(SinkError, match=r"per file; a\.html takes"):
        adata_to_karospace(adata, max_asset_mb=0.5, **options)
    assert list(tmp_path.iterdir()) == []


def test_limits_name_the_largest_file_and_the_fullest_folder() -> None:
    host = dataclasses.replace(HOSTS["s3"], max_file_bytes=10, max_folder_files=2, max_files=3, max_bytes=100)
    usage = Usage.of({"a": 1, "x/b": 2, "x/c": 3, "x/d": 101})
    assert over_limits(host, usage) == [
        "S3 accepts at most 100 B per site; this site takes 107 B.",
        "S3 accepts at most 3 files per site; this site has 4 files.",
        "S3 accepts at most 10 B per file; x/d takes 101 B.",
        "S3 accepts at most 2 files per folder; x has 3 files.",
    ]
    assert over_limits(host, Usage.of({})) == []


def test_form_shows_the_problem_and_the_choices_of_a_host(adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = predict_export(adata, {"host": "github-pages"})
    assert fits.problems == {}
    assert fits.bytes < predict_export(adata, {}).bytes
    limit(monkeypatch, max_files=20)
    assert "at most 20 files per site" in predict_export(adata, {"host": "github-pages"}).problems["host"]
    assert predict_export(adata, {"host": "geocities"}).problems["host"].startswith("expected one of 'github-pages'")


def test_command_line_names_unknown_hosts_and_reports_the_limit(
    adata: ad.AnnData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.h5ad"
    adata.write_h5ad(file)
    assert main([str(file), "--dry-run", "--host", "netlify"]) == 0
    limit(monkeypatch, max_files=20)
    assert main([str(file), "--outdir", str(tmp_path / "out"), "--host", "github-pages"]) == 1
    assert "GitHub Pages accepts at most 20 files per site" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main([str(file), "--dry-run", "--host", "geocities"])
    assert "github-pages" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="Option host: expected one of 'github-pages'"):
        ExportConfig(host="geocities")


def test_every_host_states_its_source() -> None:
    for host in HOSTS.values():
        assert host.source.startswith("https://")
        assert len(host.checked) == 7
