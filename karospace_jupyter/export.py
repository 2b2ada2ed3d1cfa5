"""The only orchestration: source → plan → encode → sink → bundle."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from karospace_jupyter.bundle.read import Bundle
from karospace_jupyter.encode import encode_bundle
from karospace_jupyter.errors import ConfigError, KaroSpaceError
from karospace_jupyter.job import Job
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.sink import FolderSink
from karospace_jupyter.sink.folder import check_target
from karospace_jupyter.source import open_source

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig


def plan(subject: Any, config: ExportConfig, job: Job | None = None) -> Plan:  # noqa: ANN401 - a path or an AnnData
    """Decide everything and write nothing.

    Raises
    ------
    KaroSpaceError
        Whatever an export of the same would fail with because of its input.
    """
    job = job or Job.null()
    source = open_source(subject, matrix=config.matrix, memory_bytes=config.memory_mb * 2**20)
    try:
        return resolve(source, config, job)
    finally:
        source.close()


def run(subject: Any, config: ExportConfig, job: Job | None = None) -> Bundle:  # noqa: ANN401 - a path or an AnnData
    """Export `subject` to the folder ``config.outdir``.

    Raises
    ------
    KaroSpaceError
        When it fails; then the folder is as it was before.
    """
    job = job or Job.null()
    if config.outdir is None:
        msg = "No output folder was given (outdir)."
        raise ConfigError(msg)
    html = viewer_html()
    sink = FolderSink(config.outdir)
    check_target(sink.target)
    source = open_source(subject, matrix=config.matrix, memory_bytes=config.memory_mb * 2**20)
    try:
        planned = resolve(source, config, job)
        with sink:
            manifest = encode_bundle(planned, source, config, sink.put, job)
            sink.put("index.html", html)
            sink.put("manifest.json", manifest.model_dump_json(exclude_none=True).encode())
            job.check()
            sink.commit()
    finally:
        source.close()
    return Bundle(sink.target, manifest)


def viewer_html() -> bytes:
    """Return the built viewer.

    Raises
    ------
    KaroSpaceError
        When the JavaScript was not built, which only happens in a checkout.
    """
    page = files("karospace_jupyter") / "_static" / "viewer.html"
    try:
        return page.read_bytes()
    except FileNotFoundError as exc:
        msg = "The viewer is not built. In a checkout, run: make js"
        raise KaroSpaceError(msg) from exc
