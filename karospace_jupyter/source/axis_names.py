"""Find the x and y columns among several columns by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Parts of a name, split at case changes (`CenterX`), at digits (`x1`) and at other characters (`pos_x`).
_PARTS = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+|\d+")

_AXES: dict[str, Literal["x", "y"]] = {
    "x": "x", "col": "x", "cols": "x", "column": "x", "y": "y", "row": "y", "rows": "y",
}  # fmt: skip

# Words that may have an axis attached without a separator: `sdimx`, `xpos`, `imagerow`. In all other words the letter
# is not an axis: `max`, `sex`, `exp`, `index`.
_STEMS = frozenset(
    {
        "abs", "array", "bead", "bin", "c", "cell", "cells", "cen", "cent", "center", "centre", "centroid",
        "coord", "coordinate", "coordinates", "coords", "ctr", "dim", "fov", "global", "grid", "image", "img",
        "local", "loc", "location", "micron", "microns", "mm", "nm", "nuc", "nuclei", "nucleus", "pixel",
        "pixels", "point", "pos", "position", "positions", "pt", "px", "pxl", "raw", "real", "sdim", "slide",
        "spatial", "spot", "stage", "tile", "tissue", "um",
    }
)  # fmt: skip
_EMBEDDINGS = frozenset(
    {
        "dc", "densmap", "diffmap", "embed", "embedding", "fle", "forceatlas", "harmony", "ica",
        "isomap", "latent", "lsi", "mde", "mds", "nmf", "pacmap", "pc", "pca", "phate", "scvi", "sne", "spring",
        "svd", "trimap", "tsne", "umap",
    }
)  # fmt: skip
_WITHIN_EMBEDDINGS = ("umap", "tsne", "pca", "phate", "diffmap", "draw_graph", "scvi", "harmony", "mde", "embedding")
# Pairs with these words are measurements of a cell, or positions within a part of the tissue.
_WEAK = frozenset(
    {
        "axis", "bbox", "delta", "diff", "dir", "direction", "end", "err", "error", "fov", "grad", "gradient",
        "height", "len", "length", "local", "max", "min", "moment", "offset", "orientation", "patch", "ratio",
        "scale", "sd", "shape", "shift", "size", "start", "std", "tile", "var", "vel", "velocity", "width",
    }
)  # fmt: skip
_PIXELS = frozenset(
    {
        "fullres", "image", "img", "micron", "microns", "mm", "px", "pxl", "pixel", "pixels", "um",
    }
)  # fmt: skip

_Y_OF = {"x": "y", "X": "Y"}

_Named = tuple[int, tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class AxisPair:
    """Two names that differ only in the axis."""

    x: str
    y: str
    x_at: int
    """Position of `x` among the names."""
    y_at: int
    kind: Literal["letters", "lattice"]
    """Whether the axes are called x and y, or column and row."""
    embedding: bool
    """Whether the names are those of an embedding, such as `UMAP_x`."""
    weak: bool
    """Whether the names are those of another measurement, such as `x_min`, or of a part of the tissue, such as
    `x_local`."""

    @property
    def rank(self) -> int:
        """Rank by likelihood of being a position, 0 for the most likely: x and y, pixels, lattices, other measures."""
        if self.weak:
            return 3
        if self.kind == "letters":
            return 0
        words = {part.casefold() for part in _PARTS.findall(self.x)}
        return 1 if words & _PIXELS or self.x.casefold().startswith("image") else 2


@dataclass(frozen=True, slots=True)
class Axes:
    """Which columns of a table are x and y."""

    x_at: int
    y_at: int
    reason: Literal["names", "numbers", "order"]
    """How they were chosen; `order` means that the names do not show the axes, so the first two were used."""


def choose_axes(names: Sequence[str]) -> Axes:
    """Choose x and y among two or more columns: by axis names, by trailing numbers, otherwise the first two.

    Examples
    --------
    >>> axes = choose_axes(["z", "y", "x"])
    >>> axes.x_at, axes.y_at, axes.reason
    (2, 1, 'names')
    """
    pairs = axis_pairs(names)
    if pairs:
        chosen = min(pairs, key=lambda pair: pair.rank)  # the first pair of the best rank
        return Axes(chosen.x_at, chosen.y_at, "names")
    numbered = numbered_pair(names)
    return Axes(*numbered, "numbers") if numbered else Axes(0, 1, "order")


def axis_pairs(names: Sequence[str]) -> list[AxisPair]:
    """Return all pairs of names that differ only in the axis, ordered by their first name.

    The axis is a separate part of the name: a word (`x_um`, `cell_x_position`, `X [µm]`), a part in camel case
    (`CentroidX`), or attached to a word for positions (`sdimx`).

    Examples
    --------
    >>> [(pair.x, pair.y) for pair in axis_pairs(["Y_position", "max", "may", "X_position"])]
    [('X_position', 'Y_position')]
    """
    # {(kind, case-folded name without the axis): {axis: [(position, (upper case axis, name without the axis))]}}
    found: dict[tuple[str, str], dict[str, list[tuple[int, tuple[bool, str]]]]] = defaultdict(
        lambda: {"x": [], "y": []}
    )
    for at, name in enumerate(names):
        for reading in _readings(name):
            key = (reading.kind, reading.template.casefold())
            found[key][reading.axis].append((at, (reading.upper, reading.template)))
    pairs: dict[tuple[int, int], AxisPair] = {}
    for (kind, _), sides in found.items():
        unpaired = list(sides["y"])
        only = len(sides["x"]) == len(unpaired) == 1
        for x_at, exact in sides["x"]:
            # If names differ only in case, those with the same case form a pair.
            partner = next((one for one in unpaired if only or one[1] == exact), None)
            if partner is None:
                continue
            unpaired.remove(partner)
            y_at = partner[0]
            words = {part.casefold() for name in (names[x_at], names[y_at]) for part in _PARTS.findall(name)}
            pairs[x_at, y_at] = AxisPair(
                x=names[x_at],
                y=names[y_at],
                x_at=x_at,
                y_at=y_at,
                kind="letters" if kind == "letters" else "lattice",
                embedding=is_embedding_name(names[x_at]),
                weak=bool(words & _WEAK),
            )
    return [pairs[at] for at in sorted(pairs, key=lambda at: (min(at), max(at)))]


def lone_pair(names: Sequence[str]) -> tuple[str, str] | None:
    """Return the two names that differ only in one letter, x and y; None if there is no such pair or several.

    The letter may be part of a word, so this is a guess. Names of embeddings are ignored.

    Examples
    --------
    >>> lone_pair(["area", "physx", "physy"]), lone_pair(["max", "may", "physx", "physy"])
    (('physx', 'physy'), None)
    """
    known = {name for name in names if not is_embedding_name(name)}
    pairs = {
        (name, other)
        for name in known
        for letter in re.finditer("[xX]", name)
        if (other := name[: letter.start()] + _Y_OF[letter.group()] + name[letter.end() :]) in known
    }
    return pairs.pop() if len(pairs) == 1 else None


def numbered_pair(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the positions of the first two numbered names (`UMAP1`, `UMAP2`; `0`, `1`), None for other names."""
    stems = {re.sub(r"\d+$", "", name) for name in names}
    numbers = [re.search(r"\d+$", name) for name in names]
    if len(stems) != 1 or any(number is None for number in numbers):
        return None
    order = sorted(range(len(names)), key=lambda at: int(numbers[at].group()))  # type: ignore[union-attr]  # none is None
    values = [int(numbers[at].group()) for at in order]  # type: ignore[union-attr]
    return (order[0], order[1]) if len(order) > 1 and values[0] in (0, 1) and values[1] == values[0] + 1 else None


def is_embedding_name(name: str) -> bool:
    """Return whether a key of obsm or a column of obs is named like an embedding: `X_umap`, `tSNE_1`."""
    words = {part.casefold() for part in _PARTS.findall(name)}
    folded = name.casefold()
    return bool(words & _EMBEDDINGS) or any(word in folded for word in _WITHIN_EMBEDDINGS)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One interpretation of a part of a name as an axis."""

    axis: Literal["x", "y"]
    kind: Literal["letters", "lattice"]
    template: str
    """The name with a null character in place of the axis."""
    upper: bool


def _readings(name: str) -> list[_Reading]:
    found: list[_Reading] = []
    for part in _PARTS.finditer(name):
        word = part.group()
        folded = word.casefold()
        if len(folded) != len(word):
            continue
        for text, axis in _AXES.items():
            n = len(text)
            if folded == text or (folded.startswith(text) and folded[n:] in _STEMS):
                at = 0
            elif folded.endswith(text) and folded[:-n] in _STEMS:
                at = len(folded) - n
            else:
                continue
            begin = part.start() + at
            template = f"{name[:begin]}\0{name[begin + n :]}"
            found.append(_Reading(axis, "letters" if n == 1 else "lattice", template, word[at].isupper()))
    return found
