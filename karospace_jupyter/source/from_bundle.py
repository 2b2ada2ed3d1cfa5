"""Turn a bundle back into an AnnData object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.verify_layouts import types_of
from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import anndata as ad

    from karospace_jupyter.bundle.manifest import Column, Proportions
    from karospace_jupyter.bundle.read import BundleReader


def as_anndata(bundle: BundleReader) -> ad.AnnData:
    """Return the cells, annotations, coordinates, embeddings, neighbors and genes of a bundle as an AnnData object.

    Raises
    ------
    BundleError
        If a file is damaged, or the manifest lacks the types of the annotations or the coordinates, as in format 1.0.
    """
    import anndata as ad

    m = bundle.manifest
    if m.columns is None or m.coordinates is None:
        msg = (
            f"The manifest of {bundle.files.origin} has no columns or no coordinates, so the types of its annotations "
            "are unknown. Export the object again."
        )
        raise BundleError(msg)
    names = pd.Index(cell_ids(bundle).tolist(), dtype=object)
    values = {column.name: column_values(bundle, column) for column in m.columns}
    tables = {one.key: _amounts(bundle, one, values, names) for one in m.proportions or ()}
    in_tables = {name for one in m.proportions or () for name in (one.column, *one.parts)}
    obs = pd.DataFrame({name: held for name, held in values.items() if name not in in_tables}, index=names)
    layers = [matrix for matrix in bundle.matrices if matrix.startswith("layer:")]
    # raw may have other genes than X; layers have the same.
    first = "X" if "X" in bundle.matrices else layers[0] if layers else m.matrix
    adata = ad.AnnData(X=bundle.matrix(first).tocsr(), obs=obs, var=_genes(bundle, first))
    for matrix in bundle.matrices:
        if matrix == "raw" != first:
            adata.raw = ad.AnnData(X=bundle.matrix(matrix).tocsr(), obs=obs[[]], var=_genes(bundle, matrix))
        elif matrix != first:
            adata.layers[matrix.removeprefix("layer:")] = _like(bundle, matrix, adata.var_names)
    xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float64)
    adata.obsm["spatial"] = xy + np.asarray(m.coordinates.origin)
    for embedding in m.embeddings or ():
        if embedding.name != "spatial":
            adata.obsm[embedding.name] = bundle.embedding(embedding.name)
    adata.obsm.update(tables)
    if m.neighbors is not None and m.neighbors.known:
        adata.obsp["spatial_connectivities"] = bundle.neighbors()
    for column in m.columns:
        if column.kind == "category":
            adata.uns[f"{column.name}_colors"] = [category.color for category in column.categories]
    return adata


def _amounts(
    bundle: BundleReader,
    proportions: Proportions,
    values: Mapping[str, Any],
    names: pd.Index[Any],
) -> pd.DataFrame:
    """Return the table of obsm that holds these proportions, shape (n_cells, n_types)."""
    types = types_of(bundle.manifest, proportions)
    if isinstance(types, str):
        msg = f"The manifest of {bundle.files.origin} is not valid: {types}."
        raise BundleError(msg)
    return pd.DataFrame({name: values[part] for name, part in zip(types, proportions.parts, strict=True)}, index=names)


def _genes(bundle: BundleReader, matrix: str) -> pd.DataFrame:
    return pd.DataFrame(dict(bundle.labels_of(matrix)), index=pd.Index(bundle.genes_of(matrix), dtype=object))


def _like(bundle: BundleReader, matrix: str, genes: pd.Index[str]) -> Any:  # noqa: ANN401 - scipy is untyped
    """Return a matrix reduced to these genes: it may be packed while the first matrix has only some genes."""
    positions = pd.Index(bundle.genes_of(matrix)).get_indexer(genes)
    missing = genes[positions < 0]
    if len(missing):
        msg = (
            f"The matrix {matrix!r} of {bundle.files.origin} lacks {counted(len(missing), 'gene')} of X, such as "
            f"{str(missing[0])!r}, so it cannot be a layer. Read it with matrix({matrix!r})."
        )
        raise BundleError(msg)
    return bundle.matrix(matrix)[:, positions].tocsr()


def column_values(bundle: BundleReader, column: Column) -> Any:  # noqa: ANN401 - an array or a categorical
    """Return the values of a column of a bundle: a categorical, or numbers.

    Raises
    ------
    BundleError
        If its file is missing or damaged.
    """
    if column.kind == "number":
        return bundle.vector(column.chunks, np.dtype(column.dtype).newbyteorder("<")).astype(column.dtype)
    names = [category.name for category in column.categories]
    codes = bundle.codes(column)
    with damage(f"The annotation {column.name!r} in {bundle.files.origin}"):  # names may be duplicated
        return pd.Categorical.from_codes(np.where(codes == len(names), -1, codes), names, ordered=column.ordered)
