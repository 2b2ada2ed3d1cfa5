"""``karospace-export``: the command line.

Nothing heavy is imported before the arguments are parsed, so that ``--help`` answers at once. Exit status: 0 done,
1 failure, 2 usage (an option that cannot work, a file that is named and not there), 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TextIO

from karospace_jupyter.words import counted, shape, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from karospace_jupyter.bundle.read import Bundle
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan import Plan

EXIT_FAILURE, EXIT_USAGE, EXIT_CANCELLED = 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """Return the parser; its options have the names and defaults of ExportConfig."""
    p = argparse.ArgumentParser(
        prog="karospace-export",
        description="Turn an AnnData file into a static viewer: a folder, one HTML file or a zip, for any browser.",
        epilog="Example: karospace-export --h5ad tissue.h5ad --outdir tissue_viewer --serve",
    )
    what = p.add_argument_group("input and output")
    what.add_argument("--h5ad", metavar="PATH", help=".h5ad file or .zarr folder to export; PATH alone is the same")
    what.add_argument("file", nargs="?", metavar="PATH", help=argparse.SUPPRESS)
    what.add_argument("--outdir", metavar="DIR", help="folder to write; an existing bundle there is replaced")
    what.add_argument("--single-file", metavar="FILE.html", help="one HTML file to write, which opens by double click")
    what.add_argument("--zip", metavar="FILE.zip", help="zip file to write")
    what.add_argument("--demo", action="store_true", help="export the built-in synthetic tissue instead of a file")
    what.add_argument("--name", metavar="TEXT", help="name shown in the viewer (default: the file's name)")
    data = p.add_argument_group("what is exported")
    data.add_argument(
        "--coords", metavar="SPEC", help="obsm:KEY, obs:XCOL,YCOL or obs:OUTLINES (default: found by names)"
    )
    columns = data.add_mutually_exclusive_group()
    columns.add_argument(
        "--anno",
        metavar="COLUMN",
        action="append",
        help="column of obs to export; repeatable (default: what makes a legend); number:COLUMN or category:COLUMN "
        "chooses how whole numbers are exported",
    )
    columns.add_argument("--no-anno", action="store_true", help="export no column of obs")
    genes = data.add_mutually_exclusive_group()
    genes.add_argument(
        "--genes",
        metavar="MODE",
        default="hvgs:500",
        help="hvgs:N, top_mean:N, list:PATH or all (default: %(default)s)",
    )
    genes.add_argument("--gene", metavar="NAME", action="append", help="a gene to export; repeatable")
    data.add_argument(
        "--sections",
        metavar="COLUMN",
        help="column of obs that names sections of the tissue, or none (default: found by the usual names)",
    )
    data.add_argument(
        "--embedding",
        metavar="KEY",
        action="append",
        help="key of obsm that the viewer offers beside the tissue, or none; repeatable (default: UMAP, t-SNE, PCA)",
    )
    data.add_argument("--layer", metavar="NAME", help="read expression from this layer instead of X")
    data.add_argument("--raw", action="store_true", help="read expression from raw instead of X")
    data.add_argument(
        "--image",
        metavar="PATH",
        help="tissue image: PNG, JPEG, WebP or TIFF file, uns:LIBRARY, or none (default: the object's own)",
    )
    data.add_argument(
        "--downsample", metavar="N", type=int, help="export at most N cells, drawn at random in each section"
    )
    data.add_argument("--seed", metavar="N", type=int, default=0, help="seed of the random draw (default: %(default)s)")
    data.add_argument("--view", metavar="FILE", help="view saved from the viewer, with which the bundle opens")
    how = p.add_argument_group("how it is written")
    how.add_argument(
        "--gzip", metavar="true|false", type=_boolean, default=True, help="compress the assets (default: true)"
    )
    how.add_argument(
        "--max-asset-mb", metavar="MB", type=float, default=16.0, help="split assets larger than this (default: 16)"
    )
    how.add_argument(
        "--scripts",
        choices=("auto", "yes", "no"),
        default="auto",
        help="write the assets as scripts, too, so that the folder opens by double click "
        "(default: while they stay below 200 MB)",
    )
    how.add_argument(
        "--embed-origin",
        metavar="ORIGIN",
        action="append",
        help="origin of pages that may ask and steer the viewer when they embed it, as https://lab.example, or '*'; "
        "repeatable (default: the bundle's own)",
    )
    how.add_argument("--no-preview", action="store_true", help="draw no preview.png")
    how.add_argument("--jobs", metavar="N", type=int, help="threads that compress (default: all cores)")
    how.add_argument(
        "--memory-mb",
        metavar="MB",
        type=int,
        default=512,
        help="memory for blocks of the matrix (default: %(default)s)",
    )
    then = p.add_argument_group("instead, and afterwards")
    then.add_argument("--dry-run", action="store_true", help="say what an export would hold, and write nothing")
    then.add_argument(
        "--verify", metavar="PATH", help="check a bundle's files (folder, HTML or zip) against its manifest"
    )
    then.add_argument("--serve", action="store_true", help="then serve the bundle on 127.0.0.1 until Ctrl-C")
    then.add_argument("--port", metavar="N", type=int, default=8000, help="first port to try (default: %(default)s)")
    then.add_argument("--json", action="store_true", help="print the result as JSON")
    then.add_argument("--quiet", action="store_true", help="no progress and no warnings")
    then.add_argument("--version", action="store_true", help="print the version")
    return p


FLAGS = {
    "h5ad_path": "--h5ad", "zip_path": "--zip", "annotation_columns": "--anno", "embeddings": "--embedding",
    "genes_mode": "--genes", "image_path": "--image", "dataset_name": "--name", "embed_origins": "--embed-origin",
    "preview": "--no-preview",
}  # fmt: skip
"""Options that are called differently here; the others are called as in Python."""


def _as_flags(problems: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{FLAGS.get(name) or '--' + name.replace('_', '-')}: {what}" for name, what in problems)


def _boolean(text: str) -> bool:
    value = {"true": True, "false": False}.get(text.lower())
    if value is None:
        msg = f"{text!r} is neither true nor false"
        raise argparse.ArgumentTypeError(msg)
    return value


class _NotPrintedError(Exception):
    """What was asked for is done, but the output takes no text."""


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as exc:
        msg = f"The result cannot be printed ({exc.strerror}); what was to be written is complete. It is:\n{text}"
        raise _NotPrintedError(msg) from exc


class _OnTheWay:
    """Standard error, of which no trouble ends an export: it may be closed, or lead to a disk that is full."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            if self._stream is not None:
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._stream is not None:
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of any stream
        return getattr(self._stream, name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    with contextlib.redirect_stderr(_OnTheWay(sys.stderr)):  # type: ignore[type-var]  # it is written to, and no more
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    p = parser()
    options = p.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        _say(f"karospace-export {version('karospace-jupyter')}")
        return 0
    problem = _usage(options, p)
    if problem:
        p.print_usage(sys.stderr)
        print(f"karospace-export: error: {problem}", file=sys.stderr)
        return EXIT_USAGE
    from karospace_jupyter.errors import Cancelled, ConfigError, KaroSpaceError, NamedFileError, OptionError

    try:
        return _run(options)
    except Cancelled as exc:
        print(f"karospace-export: {exc}", file=sys.stderr)
        return EXIT_CANCELLED
    except KeyboardInterrupt:
        print("karospace-export: cancelled", file=sys.stderr)
        return EXIT_CANCELLED
    except KaroSpaceError as exc:
        if os.environ.get("KAROSPACE_DEBUG"):
            raise
        said = _as_flags(exc.problems) if isinstance(exc, OptionError) else str(exc)
        print(f"karospace-export: error: {said}", file=sys.stderr)
        return EXIT_USAGE if isinstance(exc, (ConfigError, NamedFileError)) else EXIT_FAILURE
    except _NotPrintedError as exc:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - kept open until the interpreter ends
        if not isinstance(exc.__cause__, BrokenPipeError):  # else whoever read the output went away
            print(f"karospace-export: error: {exc}", file=sys.stderr)
        return EXIT_FAILURE
    except Exception as exc:
        if os.environ.get("KAROSPACE_DEBUG"):
            raise
        print(
            f"karospace-export: unexpected error: {type(exc).__name__}: {exc}\n"
            "This is a fault of karospace-export; the environment variable KAROSPACE_DEBUG=1 shows where.",
            file=sys.stderr,
        )
        return EXIT_FAILURE


def _usage(options: argparse.Namespace, p: argparse.ArgumentParser) -> str | None:
    if options.verify is not None:
        fitting = {"verify", "json", "quiet"}
        for action in p._actions:  # noqa: SLF001 - argparse has no public list of its options
            name = action.dest
            if name not in fitting and getattr(options, name, action.default) != action.default:
                flag = action.option_strings[0] if action.option_strings else getattr(options, name)
                return f"--verify only checks a bundle that exists: {flag} does not go with it"
        return None
    if options.h5ad and options.file:
        return (
            f"two inputs are named, {options.h5ad} and {options.file}: name one. "
            "What takes several values is repeated, as in --anno A --anno B"
        )
    options.h5ad = options.h5ad or options.file
    if bool(options.h5ad) == options.demo:
        return "name an input with --h5ad PATH, or use --demo" if not options.demo else "--demo takes no other input"
    if options.dry_run and options.serve:
        return "--dry-run writes nothing that --serve could show"
    if not (options.outdir or options.single_file or options.zip or options.dry_run):
        return "name what to write: --outdir DIR, --single-file FILE.html or --zip FILE.zip"
    if not 0 <= options.port <= 65535:
        return f"--port {options.port}: ports run from 0 to 65535"
    return None


def _run(options: argparse.Namespace) -> int:
    if options.verify is not None:
        return _verify(options)
    from karospace_jupyter import export
    from karospace_jupyter.job import Job
    from karospace_jupyter.progress import ProgressBar

    config = _config(options)
    bar = None if options.quiet else ProgressBar(notebook=False)
    job = Job(bar)
    with _cancel_on_signals(job):
        try:
            subject: Any = config.h5ad_path
            if options.demo:
                from karospace_jupyter.datasets import synthetic_tissue

                subject = synthetic_tissue()
            if options.dry_run:
                _print_plan(export.plan(subject, config, job), options)
                return 0
            bundle = export.run(subject, config, job)
        finally:
            if bar:
                bar.close()
    _print_result(bundle, [str(path) for path in export.targets(config)], options)
    return _serve(bundle, options) if options.serve else 0


def _config(options: argparse.Namespace) -> ExportConfig:
    from karospace_jupyter.config import ExportConfig

    return ExportConfig(
        h5ad_path=options.h5ad,
        outdir=options.outdir or None,
        single_file=options.single_file or None,
        zip_path=options.zip or None,
        coords=options.coords,
        annotation_columns=() if options.no_anno else options.anno,
        sections=options.sections,
        embeddings=options.embedding,
        genes_mode=tuple(options.gene) if options.gene else options.genes,
        image_path=options.image,
        downsample=options.downsample,
        seed=options.seed,
        gzip=options.gzip,
        max_asset_mb=options.max_asset_mb,
        dataset_name=options.name or ("Synthetic tissue" if options.demo else None),
        scripts=options.scripts,
        embed_origins=tuple(options.embed_origin or ()),
        view=options.view,
        preview=not options.no_preview,
        layer=options.layer,
        raw=options.raw,
        jobs=options.jobs,
        memory_mb=options.memory_mb,
    )


class _cancel_on_signals:  # noqa: N801 - reads as a with statement
    """Ctrl-C and SIGTERM cancel the job at its next block; a second Ctrl-C interrupts at once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._cancel)

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _cancel(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._job.cancel()
        signal.signal(number, self._before[number])


def _verify(options: argparse.Namespace) -> int:
    import json

    from karospace_jupyter.bundle.read import Bundle

    report = Bundle(options.verify).verify()
    if options.json:
        _say(
            json.dumps(
                {
                    "path": options.verify,
                    "files": report.files,
                    "bytes": report.bytes,
                    "hashed": report.hashed,
                    "warnings": list(report.warnings),
                }
            )
        )
    else:
        _warn(report.warnings, options)
        hashed = "all with their hashes" if report.hashed == report.files else f"{report.hashed} with a hash"
        taken = f"{counted(report.files, 'file')}, {size(report.bytes)}"
        _say(f"{options.verify}: {taken}, {hashed}: all as the manifest says")
    return 0


def _print_plan(plan: Plan, options: argparse.Namespace) -> None:
    if options.json:
        import json

        _say(
            json.dumps(
                {
                    "name": plan.dataset_name,
                    "n_cells": plan.cells.n,
                    "n_genes": len(plan.genes.names),
                    "coordinates": plan.coordinates.source,
                    "annotations": [a.name for a in plan.annotations],
                    "embeddings": [e.name for e in plan.embeddings],
                    "sections": _sections_json(plan),
                    "view": options.view,
                    "matrix": plan.matrix_name,
                    "image": "; ".join(image.origin for image in plan.images) or None,
                    "files": plan.predicted_files,
                    "bytes_uncompressed": plan.predicted_bytes,
                    "warnings": plan.warnings,
                }
            )
        )
        return
    names = ", ".join(f"{a.name} ({len(a.categories)})" if a.kind == "category" else a.name for a in plan.annotations)
    rows = [
        ("cells", f"{plan.cells.n:,} of {plan.n_cells_source:,}"),
        ("genes", f"{len(plan.genes.names):,} of {plan.n_genes_source:,}, from {plan.matrix_name}"),
        ("coordinates", plan.coordinates.source),
        ("annotations", names or "none"),
        ("sections", _sections_text(plan)),
        ("embeddings", ", ".join(f"{e.label} ({e.name})" for e in plan.embeddings) or "none"),
        ("image", "; ".join(f"{one.origin}, {one.size[0]} × {one.size[1]}" for one in plan.images) or "none"),
        *([("opens with", f"the view in {options.view}")] if plan.view is not None else []),
        ("files", f"{plan.predicted_files:,}, {size(plan.predicted_bytes)} before compression"),
    ]
    lines = [f"  {name:<12} {text}" for name, text in rows]
    _say("\n".join([f"{plan.dataset_name}: this would be exported", *lines]))
    _warn(plan.warnings, options)


def _sections_json(plan: Plan) -> dict[str, Any] | None:
    found = plan.sections
    if found is None:
        return None
    items = [{"name": one.name, "count": one.count} for one in found.items]
    return {"column": found.column, "overlapping": found.overlapping, "items": items, "missing": found.missing}


def _sections_text(plan: Plan) -> str:
    found = plan.sections
    if found is None:
        return "none"
    lie = "on top of each other: the viewer lays them out as a grid" if found.overlapping else "side by side"
    without = f", {found.missing:,} cells of none" if found.missing else ""
    return f"{len(found.items)} by {found.column}, {lie}{without}"


def _print_result(bundle: Bundle, paths: Sequence[str], options: argparse.Namespace) -> None:
    m = bundle.manifest
    files, taken = bundle.size_on_disk()
    if options.json:
        import json

        result = {
            "path": paths[0],
            "paths": list(paths),
            "n_cells": m.n_cells,
            "n_genes": m.n_genes_exported,
            "files": files,
            "bytes": taken,
            "warnings": list(bundle.warnings),
        }
        _say(json.dumps(result))
        return
    _warn(bundle.warnings, options)
    if not options.quiet:
        print(
            f"{shape(m.n_cells, m.n_genes_exported, m.n_cells_source)}, {counted(files, 'file')}, {size(taken)}",
            file=sys.stderr,
        )
    _say("\n".join(paths))


def _warn(warnings: Sequence[str], options: argparse.Namespace) -> None:
    if not options.quiet:
        for warning in warnings:
            print(f"note: {warning}", file=sys.stderr)


def _serve(bundle: Bundle, options: argparse.Namespace) -> int:
    import threading

    from karospace_jupyter.errors import SinkError

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = bundle.serve(port=options.port)
    except OSError as exc:
        msg = f"The bundle is written, but cannot be served: {exc.strerror or exc}."
        raise SinkError(msg) from exc
    with server:
        if options.port not in {0, server.port}:
            print(f"port {options.port} is taken; {server.port} is used", file=sys.stderr)
        _say(f"{server.url}  (Ctrl-C stops)")
        while not stop.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
