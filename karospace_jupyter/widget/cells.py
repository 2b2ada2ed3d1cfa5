"""Convert masks of cells between Python, where they cover obs, and messages, where they cover the bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.widget.masks import Mask, pack, unpack

if TYPE_CHECKING:
    from karospace_jupyter.publish.bundle import Bundle
    from karospace_jupyter.widget.assets import LiveCells


class Cells:
    """The cells of a bundle, or of the object from which it was exported, if there is one."""

    def __init__(self, bundle: Bundle, live: LiveCells | None) -> None:
        self._n = bundle.manifest.n_cells
        self._rows = None if live is None else live.rows
        """Position in obs of each cell of the bundle; None if there is only the bundle."""
        self.names = cell_ids(bundle) if live is None else np.asarray(live.adata.obs_names, dtype=object)
        """Names of the cells, shape (n_obs,)."""

    def packed(self, mask: Mask) -> bytes:
        """Return the bits of a mask over obs for a message."""
        return pack(mask if self._rows is None else mask[self._rows])

    def unpacked(self, bits: memoryview) -> Mask:
        """Return the bits of a message as a mask over obs.

        Raises
        ------
        ViewError
            If there are too few bits.
        """
        mask = unpack(bits, self._n)
        if self._rows is None:
            return mask
        over_obs = np.zeros(len(self.names), dtype=bool)
        over_obs[self._rows[mask]] = True
        return over_obs
