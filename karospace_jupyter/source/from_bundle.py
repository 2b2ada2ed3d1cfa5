"""Turn a bundle back into an AnnData object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.errors import BundleError

if TYPE_CHECKING:
    import anndata as ad

    from karospace_jupyter.bundle.manifest import Column
    from karospace_jupyter.bundle.read import BundleReader


def as_anndata(bundle: BundleReader) -> ad.AnnData:
    """Return the cells, annotations, coordinates, embeddings, neighbors and genes of a bundle as an AnnData object.

    Raises
    ------
    BundleError
        If a file is damaged, or the manifest states neither the types of the annotations nor the coordinates, which
        are not part of format 1.0.
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
    obs = pd.DataFrame({column.name: column_values(bundle, column) for column in m.columns}, index=names)
    var = pd.DataFrame(dict(bundle.gene_labels), index=pd.Index(bundle.gene_names, dtype=object))
    made = ad.AnnData(X=bundle.matrix().tocsr(), obs=obs, var=var)
    xy = bundle.vector(m.coordinates.chunks, np.dtype("<f4"), 2).reshape(-1, 2).astype(np.float64)
    made.obsm["spatial"] = xy + np.asarray(m.coordinates.origin)
    for embedding in m.embeddings or ():
        if embedding.name != "spatial":
            made.obsm[embedding.name] = bundle.embedding(embedding.name)
    if m.neighbors is not None and m.neighbors.known:
        made.obsp["spatial_connectivities"] = bundle.neighbors()
    for column in m.columns:
        if column.kind == "category":
            made.uns[f"{column.name}_colors"] = [category.color for category in column.categories]
    return made


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
    return pd.Categorical.from_codes(np.where(codes == len(names), -1, codes), names, ordered=column.ordered)
