"""Check the options of a form, and predict the export that they describe."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from karospace_jupyter.contracts.form import Defaults, Estimate, UnknownGene
from karospace_jupyter.errors import ConfigError, KaroSpaceError, NoMatrixError, PlanError, SinkError, SourceError
from karospace_jupyter.fitting import fit
from karospace_jupyter.form.options import config_of, problems_of
from karospace_jupyter.form.summary import arrays_as_coordinates, defaults_of
from karospace_jupyter.paths import expanded
from karospace_jupyter.plan import estimate
from karospace_jupyter.plan.coordinates import candidates
from karospace_jupyter.plan.gene_choice import unknown_genes
from karospace_jupyter.plan.initial_color import color_label
from karospace_jupyter.plan.scale import scale_text
from karospace_jupyter.publish.targets import check_file, check_folder, check_writable
from karospace_jupyter.size import Size, predict_size
from karospace_jupyter.source import open_source

if TYPE_CHECKING:
    from karospace_jupyter.config import ExportConfig
    from karospace_jupyter.contracts.form import Summary
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.plan.estimate import Estimate as Planned
    from karospace_jupyter.source import Source

logger = logging.getLogger(__name__)

_HITS = 12
_CHOOSE_COORDINATES = "No coordinates were found under the usual names. Choose the coordinates of the cells."
"""Shorter than the message of the export, because a form lists the candidates."""
_CHECKS: dict[str, Callable[[Path], None]] = {
    "outdir": check_folder,
    "single_file": lambda target: check_file(target, "html"),
    "zip_path": lambda target: check_file(target, "zip"),
}


def predict_export(
    subject: Any,  # noqa: ANN401 - a path or an AnnData
    options: dict[str, Any],
    summary: Summary | None = None,
) -> Estimate:
    """Predict an export; errors are returned, not raised.

    The estimate has no files if an option is invalid regardless of the data, or if the data cannot be read. Its
    defaults are those with the chosen coordinates; without a `summary` of the data, it has none.
    """
    defaults = None if summary is None else defaults_of(summary, options.get("coords"))
    found = _predicted(subject, options)
    if defaults is None or found.defaults is None:
        return replace(found, defaults=defaults)
    return replace(found, defaults=replace(defaults, annotation_columns=found.defaults.annotation_columns))


def _predicted(subject: Any, options: dict[str, Any]) -> Estimate:  # noqa: ANN401
    """Predict an export. The estimate has defaults only if the options choose no annotations, and only for these."""
    exists = False
    problems: dict[str, str] = {}
    try:
        problems = problems_of(options)
        if problems:
            return Estimate(problems=problems)
        config = config_of(options)
        problems, exists = _target(config)
        source = open_source(subject, matrix=config.matrix)
        try:
            sampled = source.sampled()
            made = estimate(sampled, config)
            if made.plan is not None and config.host is not None:
                made, size, problem = _for_host(made, sampled, config)
                problems |= problem
            else:
                size = Size(0, 0) if made.plan is None else predict_size(made.plan, sampled, config)
            unknown = unknown_genes(source, config.genes.names) if config.genes.kind == "list" else []
            problems |= made.problems
            if "coords" in made.problems and config.coords is None and _must_choose(source):
                problems["coords"] = _CHOOSE_COORDINATES
            n_cells = 0 if made.plan is None else made.plan.cells.n
            loses_cells = config.downsample is None and 0 < n_cells < source.n_cells
            usual = made.plan if config.annotation_columns is None else None
            defaults = None if usual is None else Defaults(usual.columns, ())
        finally:
            source.close()
    except Exception as exc:  # noqa: BLE001 - the form shows any error
        details = "" if isinstance(exc, KaroSpaceError) else traceback.format_exc().rstrip()
        return Estimate(problems={**problems, **problem_of(exc, options)}, details=details, exists=exists)
    return Estimate(
        problems=problems,
        exists=exists,
        files=size.files,
        bytes=size.bytes,
        seconds=made.seconds,
        n_cells=n_cells,
        scale="" if made.plan is None else _scale(made.plan),
        n_genes=0 if made.plan is None else made.plan.n_genes,
        color="" if made.plan is None else color_label(made.plan.view),
        loses_cells=loses_cells,
        warnings=() if made.plan is None else made.plan.warnings,
        listed=config.genes.names if config.genes.kind == "list" else (),
        unknown=tuple(UnknownGene(name, tuple(near)) for name, near in unknown),
        defaults=defaults,
    )


def _for_host(made: Planned, sampled: Source, config: ExportConfig) -> tuple[Planned, Size, dict[str, str]]:
    """Fit an estimate to the host of `config`; return it with its size, and the problem if it does not fit."""

    def plan_of(chosen: ExportConfig) -> Plan:
        plan = estimate(sampled, chosen).plan
        assert plan is not None  # noqa: S101 - there are coordinates, which no choice for a host changes
        return plan

    try:
        fitted = fit(plan_of, sampled, config)
    except PlanError as exc:
        assert made.plan is not None  # noqa: S101 - checked by the caller
        return made, predict_size(made.plan, sampled, config), {"host": str(exc)}
    return replace(made, plan=fitted.plan), fitted.size, {}


def _scale(plan: Plan) -> str:
    return scale_text(plan.coordinates.unit_um, plan.coordinates.unit_origin)


def _must_choose(source: Source) -> bool:
    """Return whether no coordinates were detected by name, but others can be chosen."""
    return not candidates(source) and bool(arrays_as_coordinates(source))


def problem_of(exc: Exception, options: dict[str, Any]) -> dict[str, str]:
    """Return the message of `exc`, keyed by the option that it concerns."""
    if isinstance(exc, KaroSpaceError):
        asked = not isinstance(exc, SourceError) and (options.get("layer") or options.get("raw"))
        return {"layer" if asked or isinstance(exc, NoMatrixError) else "object": str(exc)}
    logger.error("failed to inspect the data of a form", exc_info=exc)
    return {"object": f"{type(exc).__name__}: {exc}"}


def complete(names: Iterable[str], query: str) -> list[str]:
    """Return up to 12 of `names`, ignoring case: those that start with `query`, then those that contain it."""
    wanted = query.strip().casefold()
    known = list(names)
    starts = [name for name in known if name.casefold().startswith(wanted)]
    inside = [name for name in known if wanted in name.casefold()] if len(starts) < _HITS else []
    return list(dict.fromkeys([*sorted(starts, key=len), *inside]))[:_HITS]


def _target(config: ExportConfig) -> tuple[dict[str, str], bool]:
    """Return the problems of each target, and whether an existing bundle would be replaced."""
    problems: dict[str, str] = {}
    exists = False
    for option, check in _CHECKS.items():
        given: Path | str | None = getattr(config, option)
        if given is None or isinstance(given, str):  # a store is checked when the export begins
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
