"""Run an export: source → plan → encode → publish → bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from karospace_jupyter.bundle.files import FolderFiles
from karospace_jupyter.encode import encode_bundle
from karospace_jupyter.errors import ConfigError, enough_memory
from karospace_jupyter.fitting import Fitted, check_written, fit
from karospace_jupyter.job import Job
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.publish import FolderSink, HtmlSink, MemorySink, SeveralSinks, StoreSink, ZipSink
from karospace_jupyter.publish.bundle import Bundle
from karospace_jupyter.publish.scripts import manifest_bytes, write_scripts
from karospace_jupyter.publish.write import html_manifest
from karospace_jupyter.size import Size, predict_size
from karospace_jupyter.source import open_source
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from pathlib import Path

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.publish import Sink
    from karospace_jupyter.source import Source


@enough_memory()
def plan(subject: Any, config: ExportConfig, job: Job | None = None) -> Plan:  # noqa: ANN401 - a path or an AnnData
    """Plan an export without writing anything.

    Returns
    -------
    Plan
        What :func:`run` would export.

    Raises
    ------
    KaroSpaceError
        If the input does not allow the export.
    """
    job = job or Job.null()
    source = _source(subject, config, job)
    try:
        return resolve(source, config, job) if config.host is None else _fitted(source, config, job).plan
    finally:
        source.close()


@enough_memory()
def dry_run(subject: Any, config: ExportConfig, job: Job | None = None) -> tuple[Plan, Size]:  # noqa: ANN401 - a path or an AnnData
    """Plan an export, and predict its size.

    Returns
    -------
    tuple of Plan and Size
        What :func:`run` would export, and approximately what it would write.

    Raises
    ------
    KaroSpaceError
        If the input does not allow the export.
    """
    source = _source(subject, config, job)
    try:
        if config.host is not None:
            fitted = _fitted(source, config, job or Job.null())
            return fitted.plan, fitted.size
        planned = resolve(source, config, job)
        return planned, predict_size(planned, source, config)
    finally:
        source.close()


@enough_memory()
def run(subject: Any, config: ExportConfig, job: Job | None = None) -> Bundle:  # noqa: ANN401 - a path or an AnnData
    """Export `subject` to every target that `config` names, in one pass.

    Returns
    -------
    Bundle
        The written folder or URL if there is one, otherwise the HTML file, otherwise the zip file.

    Raises
    ------
    KaroSpaceError
        If the export fails. Existing targets are then unchanged.
    """
    sink = _targets(config)
    manifest = _write(subject, config, sink, job or Job.null())
    if isinstance(sink.targets[0], str):  # the store renamed the files: read its manifest instead of ours
        return Bundle(sink.targets[0], storage_options=config.storage_options)
    in_html = config.outdir is None and config.single_file is not None
    return Bundle(sink.targets[0], html_manifest(manifest) if in_html else manifest)


@enough_memory()
def run_to_memory(
    subject: Any,  # noqa: ANN401 - a path or an AnnData
    config: ExportConfig,
    job: Job | None = None,
    *,
    genes_on_demand: bool = False,
) -> Bundle:
    """Export `subject` to memory and ignore the targets that `config` names.

    Parameters
    ----------
    subject
        The path of the file, or the AnnData object.
    config
        The options.
    job
        Receives progress and can cancel the export.
    genes_on_demand
        Whether the viewer can read genes that are not exported, so that those of gene sets need not be exported.

    Returns
    -------
    Bundle
        The bundle in memory.

    Raises
    ------
    KaroSpaceError
        If the export fails.
    """
    sink = MemorySink()
    manifest = _write(subject, config, sink, job or Job.null(), genes_on_demand=genes_on_demand)
    assert sink.files is not None  # noqa: S101 - commit made them
    return Bundle(sink.files, manifest)


def targets(config: ExportConfig) -> list[Path | str]:
    """Return the absolute paths that :func:`run` writes, and the URL if there is one.

    Returns
    -------
    list
        The paths. The first is the one that :func:`run` returns as a bundle.

    Raises
    ------
    KaroSpaceError
        If there is no target, or one target contains another.
    """
    return _targets(config).targets


def viewer_html() -> bytes:
    """Return the built viewer.

    Raises
    ------
    KaroSpaceError
        If the JavaScript is not built, which only happens in a source checkout.
    """
    return static_file("viewer.html")


def _source(subject: Any, config: ExportConfig, job: Job | None) -> Source:  # noqa: ANN401 - a path or an AnnData
    return open_source(
        subject,
        matrix=config.matrix,
        memory_bytes=config.memory_bytes,
        storage_options=config.storage_options,
        job=job,
    )


def _targets(config: ExportConfig) -> SeveralSinks:
    files = [
        kind(path) for kind, path in ((HtmlSink, config.single_file), (ZipSink, config.zip_path)) if path is not None
    ]
    if isinstance(config.outdir, str):
        return SeveralSinks(StoreSink(config.outdir, config.storage_options), files)
    if config.outdir is not None:
        return SeveralSinks(FolderSink(config.outdir), files)
    if not files:
        msg = "No output. Set a folder (outdir), an HTML file (single_file) or a zip file (zip_path)."
        raise ConfigError(msg)
    return SeveralSinks(files[0], files[1:])


def _fitted(source: Source, config: ExportConfig, job: Job, *, genes_on_demand: bool = False) -> Fitted:
    return fit(lambda chosen: resolve(source, chosen, job, genes_on_demand=genes_on_demand), source, config)


def _write(
    subject: Any,  # noqa: ANN401 - a path or an AnnData
    config: ExportConfig,
    sink: Sink,
    job: Job,
    *,
    genes_on_demand: bool = False,
) -> Manifest:
    html = viewer_html()
    sink.check()
    source = _source(subject, config, job)
    try:
        if config.host is None:
            planned = resolve(source, config, job, genes_on_demand=genes_on_demand)
        else:
            planned, config, _ = _fitted(source, config, job, genes_on_demand=genes_on_demand)
        with sink:
            manifest = encode_bundle(planned, source, config, sink.put, job)
            source.check_unchanged()
            if sink.spool is not None:
                manifest = write_scripts(FolderFiles(sink.spool), manifest, sink.put, config.scripts, job)
            text = manifest_bytes(manifest)
            check_written(manifest, html, len(text), config)
            sink.put("index.html", html)
            sink.put("manifest.json", text)
            sink.prepare(job)
            job.check()
            sink.commit()
    finally:
        source.close()
    return manifest
