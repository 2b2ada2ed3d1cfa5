"""Read AnnData objects, `.h5ad` files, zarr stores and dask arrays; matrices are read in blocks, not gene by gene."""

from __future__ import annotations

from karospace_jupyter.source.foreign import check_object, is_data_path
from karospace_jupyter.source.open import open_source
from karospace_jupyter.source.protocol import GeneStatistics, GeneVector, Source

__all__ = ["GeneStatistics", "GeneVector", "Source", "check_object", "is_data_path", "open_source"]
