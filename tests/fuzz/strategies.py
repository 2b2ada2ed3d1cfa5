"""Hypothesis strategies for AnnData objects: dtypes, shapes, names, orders, missing values."""

from __future__ import annotations

from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

FLOATS = ("float16", "float32", "float64", ">f4")
WHOLE = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", ">i4")
NUMBERS = st.sampled_from((*FLOATS, *WHOLE))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "nan",
        "NA",
        "1",
        "10",
        "9",
        "-1",
        "1.0",
        "True",
        "a/b",
        "../x",
        "=1+1",
        "x;=1",
        "Tumor",
        "é\u0301",
        "\0",
    ]
)
"""Texts without lone surrogates, which neither HDF5 nor JSON can store."""


def values(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    """Draw mostly small values: counts, decimals, missing and infinite values, and the limits of the dtype."""
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return st.integers(max(limits.min, -3), 9) | st.integers(int(limits.min), int(limits.max))
    width = 8 * dtype.itemsize
    common = st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.5, float("nan"), float("inf")])
    return common | st.floats(width=width, allow_subnormal=False)  # type: ignore[arg-type]


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    dtype = np.dtype(draw(NUMBERS))
    array: np.ndarray[Any, Any] = draw(hnp.arrays(dtype, shape, elements=values(dtype), fill=st.just(dtype.type(0))))
    return array


@st.composite
def matrices(draw: st.DrawFn, n: int, m: int) -> Any:
    dense = draw(arrays((n, m)))
    form = draw(st.sampled_from(["dense", "csr", "csc", "fortran"]))
    if form == "dense":
        return dense
    if form == "fortran":
        return np.asfortranarray(dense)
    if dense.dtype == np.float16 or not dense.dtype.isnative:
        dense = dense.astype(np.float32)  # scipy.sparse supports neither
    return sp.csr_matrix(dense) if form == "csr" else sp.csc_matrix(dense)


@st.composite
def columns(draw: st.DrawFn, n: int) -> Any:
    """Draw a column of obs."""
    kind = draw(st.sampled_from(["number", "text", "category", "numbers", "nullable", "flags", "dates", "objects"]))
    several = st.lists(texts, min_size=1, max_size=4, unique=True)
    if kind == "number":
        column = draw(arrays((n,)))
        return column if column.dtype.isnative else column.astype(column.dtype.newbyteorder("="))  # required by pandas
    if kind == "text":
        names = draw(several)
        return np.array([draw(st.sampled_from(names)) for _ in range(n)], dtype=object)
    if kind == "category":
        names = draw(several)
        codes = [draw(st.integers(-1, len(names) - 1)) for _ in range(n)]
        return pd.Categorical.from_codes(codes, pd.Index(names, dtype=object), ordered=draw(st.booleans()))
    if kind == "numbers":
        numbers = draw(st.lists(st.integers(-2, 40), min_size=1, max_size=5, unique=True))
        return pd.Categorical.from_codes([draw(st.integers(-1, len(numbers) - 1)) for _ in range(n)], numbers)
    if kind == "nullable":
        return pd.array([draw(st.none() | st.integers(-5, 2**40)) for _ in range(n)], dtype="Int64")
    if kind == "flags":
        return pd.array([draw(st.none() | st.booleans()) for _ in range(n)], dtype="boolean")
    if kind == "dates":
        return pd.to_datetime([draw(st.none() | st.dates()) for _ in range(n)], errors="coerce")
    mixed = st.none() | st.integers(-3, 3) | st.floats(width=32) | texts | st.booleans()
    return np.array([draw(mixed) for _ in range(n)], dtype=object)


@st.composite
def positions(draw: st.DrawFn, n: int) -> Any:
    width = draw(st.sampled_from([2, 2, 2, 3]))
    dtype = np.dtype(draw(st.sampled_from(["float32", "float64", "int32", "uint16"])))
    usual = st.integers(0, 500) if dtype.kind in "iu" else st.floats(-1e4, 1e4, width=32)
    odd = values(dtype)
    coordinates = draw(hnp.arrays(dtype, (n, width), elements=draw(st.sampled_from([usual, usual, usual | odd]))))
    if width == 2 and draw(st.integers(0, 5)) == 0:
        names = draw(st.sampled_from([["x", "y"], ["y", "x"], ["imagerow", "imagecol"]]))
        return pd.DataFrame(coordinates, columns=names)
    return coordinates


@st.composite
def objects(draw: st.DrawFn) -> ad.AnnData:
    """Draw an object with a few cells and genes; most have coordinates."""
    n, m = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    if draw(st.integers(0, 19)) == 19:
        n, m = draw(st.sampled_from([(0, m), (n, 0), (0, 0)]))
    unique = draw(st.booleans())
    obs = pd.DataFrame(index=pd.Index(draw(st.lists(texts, min_size=n, max_size=n, unique=unique)), dtype=object))
    for name in draw(st.lists(texts.filter(lambda name: "/" not in name), max_size=3, unique=True)):
        column = draw(columns(n))
        obs[name] = pd.Series(column, index=obs.index) if len(obs.index) == len(set(obs.index)) else column
    var = pd.DataFrame(index=pd.Index(draw(st.lists(texts, min_size=m, max_size=m, unique=unique)), dtype=object))
    adata = ad.AnnData(draw(matrices(n, m)), obs=obs, var=var)
    if draw(st.integers(0, 9)) < 9:
        xy = draw(positions(n))
        adata.obsm["spatial"] = xy.set_index(obs.index) if isinstance(xy, pd.DataFrame) else xy
    return adata
