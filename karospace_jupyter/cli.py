"""``karospace-export``: the command line.

Heavy imports happen after the arguments are parsed, so that ``--help`` is fast. Exit status: 0 success, 1 failure,
2 usage error (an invalid option value or a missing input file), 130 canceled.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from karospace_jupyter.flags import flag_of
from karospace_jupyter.formatting import counted, nearest, shape, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.job import Job
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.size import Size

EXIT_FAILURE, EXIT_USAGE, EXIT_CANCELED = 1, 2, 130


class _Parser(argparse.ArgumentParser):
    """Report a usage error in one line: the usage of all options would push it out of sight."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401 - as in argparse
        """Parse arguments, and suggest the flags that a misspelled one resembles."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = [text[2:] for action in self._actions for text in action.option_strings if text.startswith("--")]
            flag = next((text[2:].partition("=")[0] for text in unknown if text.startswith("--")), "")
            near = [f". Did you mean --{name}?" for name in nearest(flag, known, 1)]
            self.error(f"unrecognized arguments: {' '.join(unknown)}{''.join(near)}")
        return found

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}\nFor all options: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the argument parser, whose options have the names and defaults of the fields of ExportConfig."""
    p = _Parser(
        prog="karospace-export",
        description="Export an AnnData file to a static viewer for any browser: a folder, one HTML file or a zip file.",
        epilog="Example: karospace-export tissue.h5ad --outdir tissue_viewer --serve",
    )
    inputs = p.add_argument_group("input and output")
    inputs.add_argument(
        "--h5ad",
        metavar="PATH",
        help="The .h5ad file or .zarr folder to export, or its URL. PATH without --h5ad also works.",
    )
    inputs.add_argument("file", nargs="?", metavar="PATH", help=argparse.SUPPRESS)
    add = _OptionFlags()
    add(inputs, "outdir", "DIR")
    add(inputs, "single_file", "FILE.html")
    add(inputs, "zip_path", "FILE.zip")
    inputs.add_argument(
        "--storage-option",
        dest="storage_options",
        metavar="KEY=VALUE",
        action="append",
        type=_storage_option,
        help="Set an option of the file system of URLs such as s3://bucket/tissue, for example "
        "endpoint_url=https://s3.lab.example. VALUE is JSON or text. Repeatable.",
    )
    inputs.add_argument("--demo", action="store_true", help="Export the built-in synthetic tissue instead of a file.")
    add(inputs, "dataset_name", "TEXT")
    data = p.add_argument_group("data to export")
    add(data, "coords", "SPEC")
    add(data, "um_per_unit", "UM")
    columns = data.add_mutually_exclusive_group()
    add(columns, "annotation_columns", "COLUMN")
    columns.add_argument("--no-anno", action="store_true", help="Export no annotations.")
    genes = data.add_mutually_exclusive_group()
    add(genes, "genes_mode", "MODE")
    genes.add_argument("--gene", metavar="NAME", action="append", help="A gene to export. Repeatable.")
    add(data, "packed")
    add(data, "markers", "COLUMN")
    add(data, "gene_sets", "FILE")
    add(data, "sections", "COLUMN")
    add(data, "embeddings", "KEY")
    add(data, "proportions", "KEY")
    add(data, "layer", "NAME")
    add(data, "raw")
    add(data, "matrices", "MATRIX")
    add(data, "image_path", "SPEC")
    add(data, "neighbors", "K|RADIUSum")
    add(data, "downsample", "N")
    add(data, "seed", "N")
    add(data, "color", "NAME")
    add(data, "view", "FILE")
    output = p.add_argument_group("output options")
    add(output, "host")
    add(output, "gzip", "true|false")
    add(output, "max_asset_mb", "MB")
    add(output, "scripts")
    add(output, "tables")
    add(output, "embed_origins", "ORIGIN")
    add(output, "preview")
    add(output, "jobs", "N")
    add(output, "memory_mb", "MB")
    output.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="Read the matrix with the workers of the dask cluster at this address, such as tcp://127.0.0.1:8786.",
    )
    modes = p.add_argument_group("other modes")
    modes.add_argument("--dry-run", action="store_true", help="Print what would be exported; write nothing.")
    modes.add_argument(
        "--verify",
        metavar="BUNDLE",
        help="Check a bundle (folder, HTML, zip or URL) against its manifest. For an https:// URL, also check how the "
        "host serves it.",
    )
    modes.add_argument(
        "--sample",
        metavar="N",
        type=int,
        help="With --verify URL: read only N files, chosen at random.",
    )
    modes.add_argument(
        "--open",
        metavar="BUNDLE",
        help="Show a bundle (folder, HTML, zip or s3:// URL) in the browser; serve it until Ctrl-C.",
    )
    modes.add_argument(
        "--publish",
        metavar=("DIR", "BUNDLE"),
        nargs="+",
        help="Copy each BUNDLE (folder, HTML, zip or URL) into DIR, a folder or an s3:// URL, then write an index page "
        "for all bundles in DIR and its subfolders. --name sets the title of the page; --host checks the whole folder "
        "against the limits of a host.",
    )
    modes.add_argument(
        "--data-origin",
        metavar="ORIGIN",
        action="append",
        help="With --publish: also write viewer.html, which can open bundles from this origin on another host, such as "
        "https://data.example. 'none' removes all origins. Repeatable.",
    )
    modes.add_argument("--serve", action="store_true", help="Serve the exported bundle on 127.0.0.1 until Ctrl-C.")
    modes.add_argument("--port", metavar="N", type=int, default=8000, help="First port to try. Default: 8000.")
    modes.add_argument("--json", action="store_true", help="Print the result as JSON.")
    modes.add_argument("--quiet", action="store_true", help="Hide progress and warnings.")
    modes.add_argument("--version", action="store_true", help="Print the version and exit.")
    return p


class _OptionFlags:
    """Add flags for export options, from the JSON Schema of ExportConfig: importing Pydantic would take too long."""

    def __init__(self) -> None:
        schema = files("karospace_jupyter.contracts") / "options.schema.json"
        self._fields = json.loads(schema.read_text(encoding="utf-8"))["properties"]

    def __call__(self, group: argparse._ArgumentGroup, option: str, metavar: str | None = None) -> None:
        field = self._fields[option]
        # The first of several types is the one that a shell can pass: a gene mode rather than a list of names.
        kind = {**field, **next(iter(field.get("anyOf", [])), {})}
        default = kind["default"]
        text = kind["description"].replace("`", "").replace("%", "%%")
        more: dict[str, Any] = {"dest": option, "default": default}
        match kind["type"]:
            case "boolean" if metavar:
                more |= {"type": _boolean, "metavar": metavar}
                text += f" Default: {str(default).lower()}."
            case "boolean" if default:
                more["action"] = "store_false"
                text = f"Do not {text[0].lower()}{text[1:]}"
            case "boolean":
                more["action"] = "store_true"
            case "array":
                more |= {"action": "append", "metavar": metavar, "default": None}
                text += " Repeatable."
            case _:
                of = {"integer": int, "number": float}.get(kind["type"], str)
                more |= {"type": of, "choices": kind["enum"]} if "enum" in kind else {"type": of, "metavar": metavar}
                text += "" if default is None else f" Default: {default:g}." if of is float else f" Default: {default}."
        group.add_argument(flag_of(option), help=text, **more)


def _as_flags(problems: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"{flag_of(name)}: {what}" for name, what in problems)


def _boolean(text: str) -> bool:
    value = {"true": True, "false": False}.get(text.lower())
    if value is None:
        msg = f"expected true or false, got {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _storage_option(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        msg = "expected KEY=VALUE"  # without the text, which may be a secret
        raise argparse.ArgumentTypeError(msg)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


class _NotPrintedError(Exception):
    """The command succeeded, but its result cannot be written to stdout."""


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as exc:
        msg = f"The command succeeded, but its result cannot be printed ({exc.strerror}). The result is:\n{text}"
        raise _NotPrintedError(msg) from exc


class _SafeStderr:
    """Wrap stderr and ignore write errors: a closed pipe or a full disk must not abort the export."""

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
    """Run the command.

    Returns
    -------
    int
        The exit status.
    """
    with contextlib.redirect_stderr(_SafeStderr(sys.stderr)):  # type: ignore[type-var]  # only its methods are used
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    p = parser()
    options = p.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        _print(f"karospace-export {version('karospace-jupyter')}")
        return 0
    options.storage_options = dict(options.storage_options) if options.storage_options else None
    problem = _usage(options, p)
    if problem:
        p.error(problem)
    from karospace_jupyter.errors import Cancelled, ConfigError, KaroSpaceError, NamedFileError, OptionError

    try:
        return _run(options)
    except Cancelled as exc:
        print(f"karospace-export: {exc}", file=sys.stderr)
        return EXIT_CANCELED
    except KeyboardInterrupt:
        print("karospace-export: canceled", file=sys.stderr)
        return EXIT_CANCELED
    except KaroSpaceError as exc:
        if os.environ.get("KAROSPACE_DEBUG"):
            raise
        message = _as_flags(exc.problems) if isinstance(exc, OptionError) else str(exc)
        print(f"karospace-export: error: {message}", file=sys.stderr)
        return EXIT_USAGE if isinstance(exc, (ConfigError, NamedFileError)) else EXIT_FAILURE
    except _NotPrintedError as exc:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - kept open until the interpreter ends
        if not isinstance(exc.__cause__, BrokenPipeError):  # the reader of the pipe, such as head, has ended
            print(f"karospace-export: error: {exc}", file=sys.stderr)
        return EXIT_FAILURE
    except Exception as exc:
        if os.environ.get("KAROSPACE_DEBUG"):
            raise
        print(
            f"karospace-export: unexpected error: {type(exc).__name__}: {exc}\n"
            "This is a bug in karospace-jupyter; please report it. KAROSPACE_DEBUG=1 prints the traceback.",
            file=sys.stderr,
        )
        return EXIT_FAILURE


def _usage(options: argparse.Namespace, p: argparse.ArgumentParser) -> str | None:
    from karospace_jupyter.paths import is_web_url

    if options.sample is not None and options.sample < 1:
        return f"--sample must be at least 1, got {options.sample}"
    port = f"--port must be between 0 and 65535, got {options.port}" if not 0 <= options.port <= 65535 else None
    modes = {
        "verify": {"json", "quiet", "sample", "storage_options"},
        "open": {"port", "quiet", "storage_options"},
        "publish": {"json", "quiet", "dataset_name", "host", "data_origin", "storage_options"},
    }
    for mode, allowed in modes.items():
        given = getattr(options, mode)
        if given is None:
            continue
        if mode in {"verify", "open"} and options.storage_options and is_web_url(given):
            return f"--{mode} with an HTTP address cannot be combined with --storage-option, which is for object stores"
        if mode == "verify" and options.sample is not None and not is_web_url(given):
            break
        for action in p._actions:  # noqa: SLF001 - argparse has no public list of its options
            name = action.dest
            if name not in {mode, *allowed} and getattr(options, name, action.default) != action.default:
                flag = action.option_strings[0] if action.option_strings else getattr(options, name)
                return f"--{mode} cannot be combined with {flag}"
        return port
    if options.data_origin is not None:
        return "--data-origin needs --publish DIR"
    if options.sample is not None:
        return "--sample needs --verify and the URL of a published bundle"
    if options.h5ad and options.file:
        return (
            f"got two inputs, {options.h5ad} and {options.file}; pass one. "
            "Repeat an option to give it several values: --anno A --anno B"
        )
    options.h5ad = options.h5ad or options.file
    if bool(options.h5ad) == options.demo:
        return (
            "--demo cannot be combined with an input"
            if options.demo
            else "no input; pass the path of a file, or --demo"
        )
    if options.dry_run and options.serve:
        return "--serve cannot be combined with --dry-run, which writes no bundle"
    if not (options.outdir or options.single_file or options.zip_path or options.dry_run):
        return "no output; pass --outdir DIR, --single-file FILE.html or --zip FILE.zip"
    return port


def _run(options: argparse.Namespace) -> int:
    if options.verify is not None:
        return _verify(options)
    if options.open is not None:
        return _open(options)
    if options.publish is not None:
        return _publish(options)
    from karospace_jupyter import export
    from karospace_jupyter.paths import without_secrets

    config = _config(options)
    with _job(options) as job:
        subject: Any = config.h5ad_path
        if options.demo:
            from karospace_jupyter.datasets import synthetic_tissue

            subject = synthetic_tissue()
        with _cluster(options.dask):
            if options.dry_run:
                _print_plan(*export.dry_run(subject, config, job), options)
                return 0
            bundle = export.run(subject, config, job)
    _print_result(bundle, [without_secrets(str(path)) for path in export.targets(config)], options)
    return _serve(bundle, options) if options.serve else 0


def _cluster(address: str | None) -> contextlib.AbstractContextManager[None]:
    if address is None:
        return contextlib.nullcontext()
    from karospace_jupyter.source.cluster import connected

    return connected(address)


def _config(options: argparse.Namespace) -> ExportConfig:
    from karospace_jupyter.config import ExportConfig

    given = {name: value for name, value in vars(options).items() if name in ExportConfig.model_fields}
    given |= {name: given[name] or None for name in ("outdir", "single_file", "zip_path")}
    given["h5ad_path"] = options.h5ad
    given["embed_origins"] = options.embed_origins or ()
    if options.no_anno:
        given["annotation_columns"] = ()
    if options.gene:
        given["genes_mode"] = tuple(options.gene)
    if options.demo and not options.dataset_name:
        given["dataset_name"] = "Synthetic tissue"
    return ExportConfig(**given)


@contextlib.contextmanager
def _job(options: argparse.Namespace) -> Iterator[Job]:
    """Yield a job that shows its progress, unless --quiet is given, and that signals can cancel."""
    from karospace_jupyter.job import Job
    from karospace_jupyter.progress import ProgressBar

    bar = None if options.quiet else ProgressBar(notebook=False)
    job = Job(bar)
    with _cancel_on_signals(job):
        try:
            yield job
        finally:
            if bar:
                bar.close()


class _cancel_on_signals:  # noqa: N801 - used as a with statement
    """Cancel the job at its next block on Ctrl-C or SIGTERM; a second signal interrupts immediately."""

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
    from karospace_jupyter.paths import is_web_url, without_secrets
    from karospace_jupyter.publish.bundle import Bundle

    if is_web_url(options.verify):
        return _verify_host(options)
    report = Bundle(options.verify, storage_options=options.storage_options).verify()
    if options.json:
        _print(
            json.dumps(
                {
                    "path": without_secrets(options.verify),
                    "files": report.files,
                    "bytes": report.bytes,
                    "hashed": report.hashed,
                    "warnings": list(report.warnings),
                }
            )
        )
    else:
        _warn(report.warnings, options)
        hashed = "all" if report.hashed == report.files else f"{report.hashed:,}"
        files = f"{counted(report.files, 'file')}, {size(report.bytes)}"
        _print(f"{without_secrets(options.verify)}: verified ({files}; {hashed} by hash)")
    return 0


def _verify_host(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from karospace_jupyter.errors import BundleError
    from karospace_jupyter.hosting import check_host

    with _job(options) as job:
        report = check_host(options.verify, sample=options.sample, job=job)
    if options.json:
        _print(json.dumps(asdict(report)))
    else:
        read = f"{report.files:,}" if report.files == report.total else f"{report.files:,} of {report.total:,}"
        host = f" from {report.host}" if report.host else ""
        state = "" if report.problems else "; all match the manifest"
        lines = [f"{report.url}: read {read} files{host} ({size(report.bytes)}){state}"]
        _print("\n".join([*lines, *(f"advice: {text}" for text in report.advice)]))
    if report.problems:
        msg = f"{report.url} has problems:\n" + "\n".join(report.problems)
        raise BundleError(msg)
    return 0


def _publish(options: argparse.Namespace) -> int:
    from dataclasses import asdict
    from pathlib import Path

    from karospace_jupyter.errors import BundleError
    from karospace_jupyter.index_page import publish_index

    folder, *bundles = options.publish
    origins = () if options.data_origin == ["none"] else options.data_origin
    with _job(options) as job:
        report = publish_index(
            folder, bundles, title=options.dataset_name, host=options.host, data_origins=origins,
            storage_options=options.storage_options, job=job,
        )  # fmt: skip
    if options.json:
        listed = [one.model_dump() for one in report.bundles]
        _print(json.dumps(asdict(report) | {"path": str(report.path), "bundles": listed}))
    else:
        _warn(report.warnings, options)
        if not options.quiet:
            changes = [f"added or updated {path}" for path in report.added]
            changes += [f"removed {path}" for path in report.removed]
            print("\n".join([*changes, f"{report.title}: {counted(len(report.bundles), 'bundle')}"]), file=sys.stderr)
        page = report.path / "index.html" if isinstance(report.path, Path) else f"{report.path}/index.html"
        _print(str(page))
    if report.problems:
        msg = f"{report.path} was published with problems:\n" + "\n".join(report.problems)
        raise BundleError(msg)
    return 0


def _open(options: argparse.Namespace) -> int:
    from karospace_jupyter.publish.bundle import Bundle

    bundle = Bundle(options.open, storage_options=options.storage_options)
    _warn(bundle.remarks, options)
    return _serve(bundle, options, in_browser=True)


def _print_plan(plan: Plan, written: Size, options: argparse.Namespace) -> None:
    from karospace_jupyter.plan.initial_color import color_label
    from karospace_jupyter.plan.scale import scale_text

    if options.json:
        _print(
            json.dumps(
                {
                    "name": plan.dataset_name,
                    "n_cells": plan.cells.n,
                    "n_genes": plan.n_genes,
                    "observations": plan.cells.observations,
                    "coordinates": plan.coordinates.source,
                    "um_per_unit": plan.coordinates.unit_um,
                    "um_per_unit_from": plan.coordinates.unit_origin or None,
                    "annotations": [a.name for a in plan.annotations],
                    "embeddings": [e.name for e in plan.embeddings],
                    "neighbors": None if plan.neighbors is None else plan.neighbors.origin,
                    "n_edges": None if plan.neighbors is None else plan.neighbors.n_edges,
                    "sections": _sections_json(plan),
                    "gene_sets": [one.name for one in plan.gene_sets],
                    "proportions": [one.key for one in plan.proportions],
                    "markers": list(plan.markers),
                    "color": color_label(plan.view) or None,
                    "view": options.view,
                    "matrix": plan.matrix_name,
                    "other_matrices": [one.name for one in plan.other_matrices],
                    "image": "; ".join(image.origin for image in plan.images) or None,
                    "files": written.files,
                    "bytes": written.bytes,
                    "bytes_uncompressed": plan.predicted_bytes,
                    "warnings": plan.warnings,
                }
            )
        )
        return
    names = ", ".join(f"{a.name} ({len(a.categories)})" if a.kind == "category" else a.name for a in plan.annotations)
    rows = [
        (plan.cells.observations, f"{plan.cells.n:,} of {plan.n_cells_source:,}"),
        ("genes", _genes_text(plan)),
        *([("matrices", ", ".join(_matrices(plan)))] if plan.other_matrices else []),
        *([("gene sets", _gene_sets_text(plan))] if plan.gene_sets else []),
        *([("markers", ", ".join(plan.markers))] if plan.markers else []),
        ("coordinates", plan.coordinates.source),
        ("scale", scale_text(plan.coordinates.unit_um, plan.coordinates.unit_origin)),
        ("annotations", names or "none"),
        ("sections", _sections_text(plan)),
        ("embeddings", ", ".join(f"{e.label} ({e.name})" for e in plan.embeddings) or "none"),
        *([("proportions", ", ".join(one.key for one in plan.proportions))] if plan.proportions else []),
        *([("neighbors", _neighbors_text(plan))] if plan.neighbors else []),
        ("image", "; ".join(f"{one.origin}, {one.size[0]} × {one.size[1]}" for one in plan.images) or "none"),
        *([("color", color_label(plan.view))] if color_label(plan.view) else []),
        *([("initial view", options.view)] if options.view else []),
        ("files", f"{written.files:,}, about {size(written.bytes)}"),
    ]
    lines = [f"  {name:<12} {text}" for name, text in rows]
    _print("\n".join([f"{plan.dataset_name}: would export", *lines]))
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
    one = plan.cells.observations.removesuffix("s")
    layout = "overlapping; the viewer arranges them in a grid" if found.overlapping else "side by side"
    without = f"; {counted(found.missing, one)} without a section" if found.missing else ""
    return f"{len(found.items)} in obs[{found.column!r}], {layout}{without}"


def _neighbors_text(plan: Plan) -> str:
    found = plan.neighbors
    if found is None:
        return "none"
    each = 2 * found.n_edges / plan.cells.n
    return f"{counted(found.n_edges, 'edge')} from {found.origin}, {each:.1f} neighbors on average"


def _gene_sets_text(plan: Plan) -> str:
    from karospace_jupyter.plan.names import listed

    return listed([f"{one.name} ({len(one.genes)})" for one in plan.gene_sets])


def _matrices(plan: Plan) -> list[str]:
    return [plan.matrix_name, *(one.name for one in plan.other_matrices)]


def _genes_text(plan: Plan) -> str:
    text = f"{plan.n_genes:,} of {plan.n_genes_source:,}, from {plan.matrix_name}"
    return text if plan.packed is None else f"{text} ({len(plan.genes.names):,} in separate files)"


def _print_result(bundle: Bundle, paths: Sequence[str], options: argparse.Namespace) -> None:
    m = bundle.manifest
    files, taken = bundle.size_on_disk()
    if options.json:
        result = {
            "path": paths[0],
            "paths": list(paths),
            "n_cells": m.n_cells,
            "n_genes": m.n_genes,
            "files": files,
            "bytes": taken,
            "warnings": list(bundle.warnings),
        }
        _print(json.dumps(result))
        return
    _warn(bundle.warnings, options)
    if not options.quiet:
        held = shape(m.n_cells, m.n_genes, m.n_cells_source, m.observations)
        print(f"{held}, {counted(files, 'file')}, {size(taken)}", file=sys.stderr)
    _print("\n".join(paths))


def _warn(warnings: Sequence[str], options: argparse.Namespace) -> None:
    if not options.quiet:
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)


def _serve(bundle: Bundle, options: argparse.Namespace, *, in_browser: bool = False) -> int:
    import threading
    import webbrowser

    from karospace_jupyter.errors import SinkError

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = bundle.serve(port=options.port)
    except OSError as exc:
        written = "" if in_browser else "The bundle was written. "
        msg = f"{written}The server failed to start: {exc.strerror or exc}. Try another port."
        raise SinkError(msg) from exc
    with server:
        if options.port not in {0, server.port}:
            print(f"port {options.port} is in use; using {server.port}", file=sys.stderr)
        _print(f"{server.url}  (press Ctrl-C to stop)")
        if in_browser and not webbrowser.open(server.url):
            print("No browser was found on this computer. Open the address above in one.", file=sys.stderr)
        while not stop.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
