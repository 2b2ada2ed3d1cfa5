"""Names of matrices in the attribute `layer` of a view: `X`, `raw`, or the name of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import hint
from karospace_jupyter.plan.names import listed

if TYPE_CHECKING:
    from collections.abc import Sequence


def layer_of(matrix: str, matrices: Sequence[str]) -> str:
    """Return the value of `layer` for a matrix: without the prefix, unless another matrix has that name.

    Examples
    --------
    >>> layer_of("layer:counts", ["X", "layer:counts"]), layer_of("layer:X", ["X", "layer:X"])
    ('counts', 'layer:X')
    """
    short = matrix.removeprefix("layer:")
    return matrix if short in matrices else short


def matrix_of(layer: str, matrices: Sequence[str], owner: str) -> str:
    """Return the matrix that a value of `layer` refers to.

    Parameters
    ----------
    layer
        The name, with or without the prefix ``layer:``.
    matrices
        The names as in a manifest.
    owner
        What has these matrices, for the error message.

    Raises
    ------
    ViewError
        If there is none.

    Examples
    --------
    >>> matrix_of("counts", ["X", "layer:counts"], "bundle"), matrix_of("X", ["layer:X", "X"], "bundle")
    ('layer:counts', 'X')
    """
    for name in (layer, f"layer:{layer}"):
        if name in matrices:
            return name
    known = [layer_of(one, matrices) for one in matrices]
    msg = f"There is no layer {layer!r}.{hint(layer, known)} The matrices of the {owner} are: {listed(known)}."
    raise ViewError(msg)
