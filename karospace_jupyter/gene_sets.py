"""Read named gene sets from files, dictionaries and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from karospace_jupyter.errors import ConfigError
from karospace_jupyter.formatting import counted
from karospace_jupyter.paths import bounded_text, expanded

MAX_SETS = 500
"""Maximum number of gene sets; more cannot be told apart in a list."""
MAX_GENES = 20_000
"""Maximum number of genes in all sets together, which become part of the manifest and of saved views."""
LONGEST_SET_NAME = 200
"""Maximum number of characters of the name of a set."""
_MAX_BYTES = 64_000_000
_JSON = '{"name": ["gene", ...]}'

GeneSets = dict[str, tuple[str, ...]]
"""Names to genes, as written in their source."""


def read_gene_sets(path: str | os.PathLike[str]) -> GeneSets:
    """Read a GMT file, or a JSON file with an object of names to lists of genes.

    The content determines the format. Objects with ``geneSymbols``, as in the JSON files of MSigDB, are also read.

    Returns
    -------
    dict
        At least one set. Each set has at least one gene.

    Raises
    ------
    ConfigError
        If the file cannot be read or has none of these formats. The message names the line or the set.
    """
    path = expanded(path)
    origin = f"The gene set file {path}"
    text = bounded_text(
        path, origin, max_bytes=_MAX_BYTES,
        if_larger=f"at most {_MAX_BYTES / 1e6:.0f} MB are read. Keep only the sets that you need.",
        if_not_text=f"Save it as a GMT file, or as a JSON file with {_JSON}.",
    )  # fmt: skip
    start = text.lstrip()[:1]
    sets = as_gene_sets(
        _json_items(text, origin) if start in {"{", "["} and start else _gmt_items(text, origin), origin
    )
    if not sets:
        msg = f"{origin} contains no gene sets. Write a GMT file, or a JSON file with {_JSON}."
        raise ConfigError(msg)
    return sets


def as_gene_sets(items: Iterable[tuple[object, object]], origin: str) -> GeneSets:
    """Return pairs of a name and genes as gene sets.

    Parameters
    ----------
    items
        The pairs. Genes are a list or an array of names, or one name; missing values are ignored.
    origin
        Where the sets come from, for messages.

    Raises
    ------
    ConfigError
        If a name is empty, too long or given twice, or if a set has no genes.

    Examples
    --------
    >>> as_gene_sets({"T cells": ["CD3E", "CD3D", "CD3E"]}.items(), "gene_sets")
    {'T cells': ('CD3E', 'CD3D')}
    """
    found: GeneSets = {}
    for number, (given, genes) in enumerate(items, 1):
        name = _clean(str(given))
        if not name:
            msg = f"{origin}: the name of gene set {number:,} is empty."
            raise ConfigError(msg)
        if len(name) > LONGEST_SET_NAME:
            msg = (
                f"{origin}: the name of a gene set has {len(name):,} characters, more than {LONGEST_SET_NAME}: "
                f"{name[:40]!r}…"
            )
            raise ConfigError(msg)
        if name in found:
            msg = f"{origin}: two gene sets are named {name!r}. Rename one of them."
            raise ConfigError(msg)
        names = tuple(dict.fromkeys(_gene_names(genes, f"{origin}: the gene set {name!r}")))
        if not names:
            msg = f"{origin}: the gene set {name!r} is empty. Add genes, or remove the set."
            raise ConfigError(msg)
        found[name] = names
    return found


def joined(parts: Iterable[tuple[str, GeneSets]]) -> GeneSets:
    """Merge the gene sets of several sources, each given with the name of its source.

    Raises
    ------
    ConfigError
        If two sources have a set of the same name, or there are too many sets or genes.
    """
    found: GeneSets = {}
    origins: dict[str, str] = {}
    for origin, sets in parts:
        for name in sets:
            if name in found:
                msg = f"Two gene sets are named {name!r}, in {origins[name]} and in {origin}. Rename one of them."
                raise ConfigError(msg)
            origins[name] = origin
        found |= sets
    check_size(found)
    return found


def check_size(sets: Mapping[str, tuple[str, ...]]) -> None:
    """Raise a ConfigError if there are too many gene sets, or too many genes in them."""
    total = sum(map(len, sets.values()))
    if len(sets) > MAX_SETS or total > MAX_GENES:
        msg = (
            f"Got {counted(len(sets), 'gene set')} with {counted(total, 'gene')}. At most {MAX_SETS} sets with "
            f"{MAX_GENES:,} genes in all sets together can be used. Keep only the sets that you need."
        )
        raise ConfigError(msg)


def _gmt_items(text: str, origin: str) -> Iterable[tuple[object, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) < 3:
            msg = (
                f"{origin}, line {number:,}: found {counted(len(fields), 'tab-separated field')}; expected a name, a "
                f"description and at least one gene, separated by tabs (GMT). A JSON file contains {_JSON}."
            )
            raise ConfigError(msg)
        if not fields[0].strip():
            msg = f"{origin}, line {number:,}: the name of the gene set is empty."
            raise ConfigError(msg)
        yield fields[0], fields[2:]


class _Pairs(list[tuple[str, object]]):
    """A JSON object; unlike a dict, it keeps duplicate names, which are an error."""


def _json_items(text: str, origin: str) -> Iterable[tuple[object, object]]:
    try:
        value = json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as exc:
        msg = f"{origin} is not valid JSON: line {exc.lineno:,}, column {exc.colno:,}: {exc.msg}. Expected {_JSON}."
        raise ConfigError(msg) from exc
    except ValueError as exc:  # a number with thousands of digits
        msg = f"{origin} is not valid JSON: {exc}. Expected {_JSON}."
        raise ConfigError(msg) from exc
    except RecursionError as exc:
        msg = f"{origin} is nested too deeply. Expected {_JSON}."
        raise ConfigError(msg) from exc
    if not isinstance(value, _Pairs):
        msg = f"{origin} contains a list. Expected an object: {_JSON}."
        raise ConfigError(msg)
    for name, genes in value:
        symbols = dict(genes).get("geneSymbols", genes) if isinstance(genes, _Pairs) else genes
        yield name, dict(symbols) if isinstance(symbols, _Pairs) else symbols


def _gene_names(genes: Any, what: str) -> Iterable[str]:  # noqa: ANN401 - arrays have no common type
    if isinstance(genes, str | bytes):
        genes = [genes]
    elif isinstance(genes, set | frozenset):
        genes = sorted(genes, key=str)
    elif hasattr(genes, "tolist"):
        genes = genes.tolist()
    if not isinstance(genes, list | tuple):
        msg = f"{what} is of type {type(genes).__name__}; expected a list of gene names."
        raise ConfigError(msg)
    for gene in genes:
        # Tables fill columns of different lengths with missing values.
        if gene is None or (isinstance(gene, float) and gene != gene) or type(gene).__name__ in {"NAType", "NaTType"}:
            continue
        text = gene.decode("utf-8", "replace") if isinstance(gene, bytes) else gene
        if isinstance(text, int) and not isinstance(text, bool):  # an Entrez ID
            text = str(text)
        if not isinstance(text, str):
            msg = f"{what} contains {str(gene)[:40]!r} of type {type(gene).__name__}; expected names of genes."
            raise ConfigError(msg)
        if _clean(text):
            yield _clean(text)


def _clean(text: str) -> str:
    """Strip whitespace, and replace lone surrogates, which no file can store."""
    return text.strip().encode("utf-8", "replace").decode()
