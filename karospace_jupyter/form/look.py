"""Check the options of a form, and predict the export that they describe."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.errors import ConfigError, KaroSpaceError, NoMatrixError, SinkError, SourceError
from karospace_jupyter.form.options import config_of, problems_of
from karospace_jupyter.paths import expanded
from karospace_jupyter.plan import estimate
from karospace_jupyter.plan.gene_choice import unknown_genes
from karospace_jupyter.publish.targets import check_file, check_folder, check_writable
from karospace_jupyter.size import Size, predict_size
from karospace_jupyter.source import open_source

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig

logger = logging.getLogger(__name__)

_HITS = 12
_CHECKS: dict[str, Callable[[Path], None]] = {
    "outdir": check_folder,
    "single_file": lambda target: check_file(target, "html"),
    "zip_path": lambda target: check_file(target, "zip"),
}


def look(subject: Any, options: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a path or an AnnData
    """Predict an export; errors are returned, not raised.

    Returns
    -------
    dict
        ``problems`` by option, with "object" for the data. If each option is valid by itself, also ``exists``,
        ``files``, ``bytes`` (about, on disk), ``seconds``, ``n_cells``, ``n_genes``, ``warnings``, the genes that are
        ``listed``, and which of them are ``unknown``. ``details`` is the traceback of an unexpected error.
    """
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    try:
        problems = problems_of(options)
        if problems:
            return {"problems": problems}
        config = config_of(options)
        problems, found["exists"] = _target(config)
        source = open_source(subject, matrix=config.matrix)
        try:
            sampled = source.sampled()
            made = estimate(sampled, config)
            size = Size(0, 0) if made.plan is None else predict_size(made.plan, sampled, config)
            unknown = unknown_genes(source, config.genes.names) if config.genes.kind == "list" else []
        finally:
            source.close()
    except Exception as exc:  # noqa: BLE001 - the form shows any error
        if not isinstance(exc, KaroSpaceError):
            found["details"] = traceback.format_exc().rstrip()
        return {**found, "problems": {**problems, **problem_of(exc, options)}}
    plan = made.plan
    return found | {
        "problems": problems | made.problems,
        "files": size.files,
        "bytes": size.bytes,
        "seconds": made.seconds,
        "n_cells": 0 if plan is None else plan.cells.n,
        "n_genes": 0 if plan is None else len(plan.genes.names),
        "warnings": [] if plan is None else list(plan.warnings),
        "listed": list(config.genes.names) if config.genes.kind == "list" else [],
        "unknown": [{"name": name, "near": near} for name, near in unknown],
    }


def problem_of(exc: Exception, options: dict[str, Any]) -> dict[str, str]:
    """Return the message of `exc` by the option that it belongs to."""
    if isinstance(exc, KaroSpaceError):
        asked = not isinstance(exc, SourceError) and (options.get("layer") or options.get("raw"))
        return {"layer" if asked or isinstance(exc, NoMatrixError) else "object": str(exc)}
    logger.error("failed to inspect the data of a form", exc_info=exc)
    return {"object": f"{type(exc).__name__}: {exc}"}


def complete(names: Iterable[str], query: str) -> list[str]:
    """Return up to 12 of `names` that start with `query`, then names that contain it, ignoring case."""
    wanted = query.strip().casefold()
    known = list(names)
    starts = [name for name in known if name.casefold().startswith(wanted)]
    inside = [name for name in known if wanted in name.casefold()] if len(starts) < _HITS else []
    return list(dict.fromkeys([*sorted(starts, key=len), *inside]))[:_HITS]


def _target(config: ExportConfig) -> tuple[dict[str, str], bool]:
    """Return the problems by target, and whether an existing bundle would be replaced."""
    problems: dict[str, str] = {}
    exists = False
    for option, check in _CHECKS.items():
        given: Path | None = getattr(config, option)
        if given is None:
            continue
        try:
            target = expanded(given).absolute()
            check(target)
            check_writable(target)
            exists |= (target / "manifest.json" if option == "outdir" else target).exists()
        except (SinkError, ConfigError) as exc:
            problems[option] = str(exc)
        except (OSError, ValueError) as exc:
            problems[option] = f"Cannot write to {given}: {exc}. Choose another location."
    return problems, exists
