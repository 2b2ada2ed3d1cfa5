"""Fit an export to the limits of a web host: choose options that are left at their defaults, and check the limits."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from karospace_jupyter.bundle.scripts import carried_files
from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import PlanError, SinkError
from karospace_jupyter.formatting import counted, size
from karospace_jupyter.hosts import HOSTS, Host, Usage
from karospace_jupyter.size import Size, predict_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from karospace_jupyter.bundle.manifest import Manifest
    from karospace_jupyter.plan import Plan
    from karospace_jupyter.source import Source

_NEAR = 0.1
"""Accuracy of predictions, as a fraction. A prediction this close to a limit is a warning; the written files decide."""
_GZIP = 1.001
"""Maximum ratio of the stored size of an asset to its size before compression."""
_TAG_BYTES = 128
"""Approximate number of bytes around each file in an HTML file."""
_DEFAULT_MB = ExportConfig.model_fields["max_asset_mb"].default


class Fitted(NamedTuple):
    """A plan that fits a host."""

    plan: Plan
    config: ExportConfig
    """The options with the choices for the host."""
    size: Size
    """Predicted size of the export."""


class _Problem(NamedTuple):
    text: str
    excess: float
    """The prediction as a multiple of the limit; infinite if it is exact."""


def fit(make_plan: Callable[[ExportConfig], Plan], source: Source, config: ExportConfig) -> Fitted:
    """Plan an export for the host of `config`.

    Options that are left at their defaults are chosen for the host: the scripts are left out, assets are larger if
    there would be too many files, and genes are not packed if the export would otherwise be too large.

    Parameters
    ----------
    make_plan
        Returns the plan with the given options.
    source
        The data of the plan.
    config
        The options; the host must be set.

    Raises
    ------
    PlanError
        If the export would exceed a limit by more than the error of predictions. The message names the limit and the
        options to change.
    """
    assert config.host is not None  # noqa: S101 - callers check
    host = HOSTS[config.host]
    config = _with_assets(host, config)
    plan = make_plan(config)
    predicted = predict_size(plan, source, config)
    problems = list(_problems(host, plan, predicted, source, config))
    notes: list[str] = []
    if problems and config.max_asset_mb == _DEFAULT_MB and _too_many(host, plan, predicted, config):
        larger = config.model_copy(update={"max_asset_mb": _largest_mb(host)})
        if _chunks(plan, larger) < _chunks(plan, config):
            config = larger
            plan = make_plan(config)
            predicted = predict_size(plan, source, config)
            problems = list(_problems(host, plan, predicted, source, config))
            notes.append(
                f"Assets may be up to {size(config.max_asset_bytes)}, so that the number of files fits {host.label}."
            )
    too_large = any(one.excess > 1 for one in problems)
    if too_large and plan.packed is not None and config.packed == "auto" and not config.other_matrices:
        bare_config = config.model_copy(update={"packed": "no"})
        bare = make_plan(bare_config)
        bare_size = predict_size(bare, source, bare_config)
        if not list(_problems(host, bare, bare_size, source, bare_config)):
            shown = f"{counted(len(bare.genes.names), 'gene')} of {bare.n_genes_source:,}"
            notes.append(
                f"The viewer can show only {shown}, because packing all genes would exceed the limits of {host.label}. "
                f"{problems[0].text}"
            )
            plan, config, predicted, problems = bare, bare_config, bare_size, []
    exceeded = [one.text for one in problems if one.excess > 1 + _NEAR]
    if exceeded:
        raise PlanError("\n".join([*exceeded, _advice(host, plan, config)]))
    notes += [f"{one.text} This is a prediction; the written files are checked, too." for one in problems]
    return Fitted(replace(plan, warnings=(*plan.warnings, *notes)), config, predicted)


def check_written(manifest: Manifest, page: bytes, manifest_size: int, config: ExportConfig) -> None:
    """Check an export against the limits of its host, just before it is published.

    Raises
    ------
    SinkError
        If it exceeds a limit. Nothing was published.
    """
    if config.host is None:
        return
    host = HOSTS[config.host]
    found: list[str] = []
    if config.outdir is not None or config.zip_path is not None:
        sizes = {file.path: file.size_bytes for file in manifest.asset_files}
        found += over_limits(host, Usage.of(sizes | {"index.html": len(page), "manifest.json": manifest_size}))
    if config.single_file is not None:
        carried = [manifest_size, *(file.size_bytes for file in carried_files(manifest))]
        total = len(page) + sum(-(-4 * one // 3) + _TAG_BYTES for one in carried)
        found += over_limits(host, Usage.of({config.single_file.name: total}))
    if found:
        raise SinkError("\n".join([*found, "Nothing was published. Export fewer genes or cells, or use another host."]))


def over_limits(host: Host, usage: Usage) -> list[str]:
    """Return a message for each limit of a host that files exceed."""
    return [
        _message(host, limit, found, formatted, per, what)
        for limit, found, formatted, per, what in (
            (host.max_bytes, usage.bytes, size, "per site", "this site takes"),
            (host.max_files, usage.files, _files, "per site", "this site has"),
            (host.max_file_bytes, usage.largest[1], size, "per file", f"{usage.largest[0]} takes"),
            (
                host.max_folder_files, usage.fullest[1], _files, "per folder",
                f"{usage.fullest[0] or 'the top folder'} has",
            ),
        )
        if limit is not None and found > limit
    ]  # fmt: skip


def _message(host: Host, limit: int, found: int, formatted: Callable[[int], str], per: str, what: str) -> str:
    return f"{host.label} accepts at most {formatted(limit)} {per}; {what} {formatted(found)}."


def _files(n: int) -> str:
    return counted(n, "file")


def _with_assets(host: Host, config: ExportConfig) -> ExportConfig:
    """Leave out the scripts by default, and keep assets below the maximum file size of the host."""
    if config.scripts == "auto":  # web hosts do not need them
        config = config.model_copy(update={"scripts": "no"})
    most = host.max_file_bytes
    if most is None or config.max_asset_bytes * _GZIP <= most:
        return config
    if config.max_asset_mb == _DEFAULT_MB:
        return config.model_copy(update={"max_asset_mb": _largest_mb(host)})
    msg = (
        f"{host.label} accepts files of at most {size(most)}, but assets may be up to "
        f"{size(config.max_asset_bytes)}. Set max_asset_mb to at most {_largest_mb(host):g}."
    )
    raise PlanError(msg)


def _largest_mb(host: Host) -> float:
    """Return the largest value of max_asset_mb that a host allows; more than 100 MB would load slowly."""
    most = 100e6 if host.max_file_bytes is None else min(100e6, host.max_file_bytes / _GZIP)
    return math.floor(most / 1e6) if most >= 1e6 else most / 1e6


def _chunks(plan: Plan, config: ExportConfig) -> int:
    """Return the number of files of each gene."""
    return math.ceil(4 * plan.cells.n / config.max_asset_bytes)


def _gene_files(plan: Plan, config: ExportConfig) -> int:
    return len(plan.genes.names) * _chunks(plan, config)


def _too_many(host: Host, plan: Plan, predicted: Size, config: ExportConfig) -> bool:
    in_folder = host.max_folder_files is not None and _gene_files(plan, config) > host.max_folder_files
    return in_folder or (host.max_files is not None and predicted.files > host.max_files)


def _problems(host: Host, plan: Plan, predicted: Size, source: Source, config: ExportConfig) -> Iterator[_Problem]:
    """Yield the limits that an export would probably exceed."""
    if config.outdir is not None or config.zip_path is not None or config.single_file is None:
        whole = predicted
        if config.outdir is None and config.zip_path is not None:
            # The host gets the unpacked folder.
            whole = predict_size(plan, source, config.model_copy(update={"zip_path": None, "single_file": None}))
        yield from _exceeding(host.max_bytes, whole.bytes, size, host, "per site", "this export would take about")
        # The number of packed files is a prediction.
        yield from _exceeding(
            host.max_files, whole.files, _files, host, "per site", "this export would have about",
            exact=not plan.all_packed,
        )  # fmt: skip
        in_folder = _gene_files(plan, config)
        yield from _exceeding(
            host.max_folder_files, in_folder, _files, host, "per folder", "the genes would take", exact=True
        )
        yield from _exceeding(
            host.max_file_bytes, whole.manifest, size, host, "per file", "manifest.json would take about"
        )
    if config.single_file is not None:
        html = predict_size(plan, source, config.model_copy(update={"outdir": None, "zip_path": None})).bytes
        named = f"{config.single_file.name} would take about"
        yield from _exceeding(host.max_file_bytes, html, size, host, "per file", named)
        yield from _exceeding(host.max_bytes, html, size, host, "per site", named)


def _exceeding(
    limit: int | None,
    predicted: int,
    formatted: Callable[[int], str],
    host: Host,
    per: str,
    what: str,
    *,
    exact: bool = False,
) -> Iterator[_Problem]:
    # A prediction just below the limit is a problem, too: it becomes a warning.
    if limit is not None and predicted > limit * (1 if exact else 1 - _NEAR):
        text = _message(host, limit, predicted, formatted, per, what)
        yield _Problem(text, math.inf if exact else predicted / limit)


def _advice(host: Host, plan: Plan, config: ExportConfig) -> str:
    ways = []
    if plan.packed is not None:
        if plan.genes.names:
            ways.append("write fewer genes as separate files (genes_mode; the viewer can also read packed genes)")
        ways.append("leave out packed genes (packed='no')")
    elif plan.genes.names:
        ways.append("export fewer genes (genes_mode)")
    ways.append("export fewer cells (downsample)")
    others = [other.label for other in HOSTS.values() if _unlimited(other) and other is not host]
    if config.single_file is not None:
        ways.append("export a folder (outdir) instead of a single HTML file")
    return f"To fit: {', '.join(ways)}, or use a host without these limits ({', '.join(others)})."


def _unlimited(host: Host) -> bool:
    return host.max_files is None and host.max_bytes is None and host.max_folder_files is None
