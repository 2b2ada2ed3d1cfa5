"""Any AnnData object is exported value for value, or rejected with a readable error."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("inputs are tried in forks with resource limits of Linux", allow_module_level=True)

import anndata as ad
import numpy as np
import pandas as pd
from forked import attempt
from hypothesis import HealthCheck, given, settings
from strategies import objects

from karospace_jupyter import Bundle, adata_to_karospace
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.bundle.manifest import CategoryColumn
from karospace_jupyter.errors import BundleError
from karospace_jupyter.plan.names import as_text, make_unique

MANY = os.environ.get("KAROSPACE_FUZZ_OBJECTS")
"""Number of random objects; if unset, 60 fixed ones."""


def test_exported_values_match_the_object() -> None:
    outcomes: Counter[str] = Counter()

    @SETTINGS
    @given(objects())
    def check(adata: ad.AnnData) -> None:
        outcome = attempt(lambda: export_and_compare(adata))
        outcomes[outcome.kind] += 1
        assert outcome.good, f"{outcome.kind}: {outcome.text}\n{adata}\n{adata.obs.to_dict('list')}\n{adata.X}"

    check()
    # Otherwise, an exporter that rejects everything would pass.
    assert outcomes["read"] > outcomes.total() / 2, outcomes


SETTINGS = settings(
    max_examples=int(MANY or 60),
    deadline=None,
    derandomize=MANY is None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def export_and_compare(adata: ad.AnnData) -> None:
    """Export the object and compare the bundle with it."""
    before = adata.copy()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bundle = adata_to_karospace(adata, Path(folder) / "b", genes_mode="all")
        try:
            bundle.verify()
        except BundleError as exc:
            raise AssertionError(exc) from exc  # a BundleError would count as a clear error
        rows = rows_of(bundle, before)
        check_genes(bundle, before, rows)
        check_columns(bundle, before, rows)
        check_coordinates(bundle, before, rows)
    pd.testing.assert_frame_equal(adata.obs, before.obs)


def rows_of(bundle: Bundle, adata: ad.AnnData) -> Any:
    """Return the row of each exported cell, after checking that the right cells are exported, in their order."""
    names = make_unique(as_text(np.asarray(adata.obs_names, dtype=object)))[0]
    rows = pd.Index(names).get_indexer(pd.Index(cell_ids(bundle)))
    assert rows.tolist() == np.flatnonzero(placed(adata)).tolist()
    return rows


def placed(adata: ad.AnnData) -> Any:
    """Return a mask of the exported cells: their coordinates are finite and fit into float32."""
    xy = usual_xy(adata)
    return np.ones(adata.n_obs, bool) if xy is None else (np.abs(xy) < 1e30).all(axis=1)


def usual_xy(adata: ad.AnnData) -> Any:
    """Return the coordinates that an export uses by default; None if there are none."""
    if "spatial" not in adata.obsm:
        return None
    coordinates: Any = adata.obsm["spatial"]
    if isinstance(coordinates, pd.DataFrame):
        names = {"x": "x", "y": "y", "imagecol": "x", "imagerow": "y"}
        coordinates = coordinates.rename(columns=names)[["x", "y"]].to_numpy()
    return np.asarray(coordinates, dtype=np.float64)[:, :2]


def check_genes(bundle: Bundle, adata: ad.AnnData, rows: Any) -> None:
    names = make_unique(as_text(np.asarray(adata.var_names, dtype=object)))[0].tolist()
    x: Any = adata.X
    dense = np.asarray(x.toarray() if hasattr(x, "toarray") else x)[rows]
    assert sorted(bundle.manifest.gene_list) == sorted(names)
    for gene in bundle.manifest.gene_list:
        with np.errstate(over="ignore"):
            wanted = dense[:, names.index(gene)].astype("float32")
        wanted[~np.isfinite(wanted)] = np.nan
        np.testing.assert_array_equal(bundle.gene(gene), wanted, err_msg=gene)


def check_columns(bundle: Bundle, adata: ad.AnnData, rows: Any) -> None:
    exported = {column.name for column in bundle.manifest.columns or ()}
    for name in adata.obs.columns:
        reported = any(warning.startswith("Not exported") and name in warning for warning in bundle.warnings)
        assert name in exported or reported, (name, bundle.warnings)
    for column in bundle.manifest.columns or ():
        original = adata.obs[column.name].iloc[rows]
        missing = original.isna().to_numpy()
        stored = bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<"))
        if isinstance(column, CategoryColumn):
            texts = [*(category.name for category in column.categories), None]
            for value, is_missing, code in zip(original, missing, stored, strict=True):
                assert int(code) < len(texts)
                category = texts[int(code)]
                assert (category is None) == bool(is_missing), (column.name, value, category)
                assert is_missing or is_named(value, category), (column.name, value, category)
        else:
            for value, is_missing, number in zip(original, missing, stored, strict=True):
                wanted = np.nan if is_missing else float(value)
                if np.isinf(wanted):
                    wanted = np.nan
                with np.errstate(over="ignore"):
                    cast = np.float32(wanted) if column.dtype == "float32" else wanted
                assert number == cast or (np.isnan(number) and not np.isfinite(cast)), (column.name, value, number)


def is_named(value: Any, category: Any) -> bool:
    """Return whether the name of a category is that of a value, regardless of number formatting."""
    if str(value) == category:
        return True
    try:
        return float(value) == float(category)
    except (TypeError, ValueError):
        return False


def check_coordinates(bundle: Bundle, adata: ad.AnnData, rows: Any) -> None:
    xy = usual_xy(adata)
    if xy is None:
        return
    wanted = xy[rows]
    coordinates = bundle.manifest.coordinates
    assert coordinates is not None
    stored = bundle.vector(coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float64)
    extent = float(np.ptp(wanted, axis=0).max(initial=0)) + float(np.abs(wanted).max(initial=0)) * 2**-23
    np.testing.assert_allclose(stored + coordinates.origin, wanted, rtol=0, atol=extent * 2**-22)
