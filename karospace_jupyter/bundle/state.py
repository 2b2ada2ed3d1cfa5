"""What a view shows, as plain data: the Python side of the viewer's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from karospace_jupyter.errors import ViewError


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


class ByAnnotation(_Part):
    """Coloured by a column of obs."""

    kind: Literal["annotation"] = "annotation"
    column: str


class ByGene(_Part):
    """Coloured by the expression of a gene."""

    kind: Literal["gene"] = "gene"
    gene: str


class ByScore(_Part):
    """Coloured by the mean of a set of genes."""

    kind: Literal["score"] = "score"
    name: str
    genes: list[str] = Field(min_length=1)


class ByBlend(_Part):
    """Coloured by two or three genes at once."""

    kind: Literal["blend"] = "blend"
    genes: list[str] = Field(min_length=2, max_length=3)


class ByNothing(_Part):
    """One colour for all cells."""

    kind: Literal["none"] = "none"


Color = Annotated[ByAnnotation | ByGene | ByScore | ByBlend | ByNothing, Field(discriminator="kind")]


def several_genes(kind: str, genes: list[str]) -> ByScore | ByBlend:
    """Return ``blend:A,B`` or ``score:A,B,C``, taken apart.

    Raises
    ------
    ViewError
        When a blend is of fewer than two genes or more than three.
    """
    if kind == "score":
        return ByScore(name=genes[0] if len(genes) == 1 else f"Mean of {len(genes)} genes", genes=genes)
    if not 2 <= len(genes) <= 3:
        msg = f"A blend is of two or three genes; {len(genes)} were given. Use 'score:' for the mean of a set."
        raise ViewError(msg)
    return ByBlend(genes=genes)


def color_text(color: Color, columns: Sequence[str]) -> str:
    """Return what `view.color` says: a column, a gene, ``blend:A,B``, ``score:A,B,C``, or nothing."""
    if isinstance(color, ByAnnotation):
        return color.column
    if isinstance(color, ByNothing):
        return ""
    if isinstance(color, ByScore | ByBlend):
        return f"{color.kind}:{','.join(color.genes)}"
    return f"gene:{color.gene}" if color.gene in columns else color.gene


class OnTissue(_Part):
    """Cells where they lie."""

    kind: Literal["tissue"] = "tissue"


class _Arrangement(_Part):
    order: Literal["file", "name", "cells", "column"] = "file"
    by: str | None = None
    """The column that has one value in each section and gives the order `column`."""
    only: dict[str, list[str | float | None]] = Field(default_factory=dict)
    """Values of such columns that are shown; sections with another one are left out."""


class SectionGrid(_Arrangement):
    """All sections side by side."""

    kind: Literal["sections"] = "sections"
    columns: int | None = Field(default=None, ge=1)
    """Sections in a row; None for as many as show them largest in the window."""


class OneSection(_Arrangement):
    """One section alone; the arrangement says which are before and after it."""

    kind: Literal["section"] = "section"
    name: str


class InEmbedding(_Part):
    """Cells where an embedding of the bundle puts them."""

    kind: Literal["embedding"] = "embedding"
    name: str
    """Key of obsm."""


Layout = Annotated[OnTissue | SectionGrid | OneSection | InEmbedding, Field(discriminator="kind")]


class Camera(_Part):
    """Where the view looks."""

    x: float = Field(allow_inf_nan=False)
    """Centre, in coordinate units."""
    y: float = Field(allow_inf_nan=False)
    zoom: float = Field(gt=0, allow_inf_nan=False)
    """1 shows all cells."""


HexColor = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class ViewState(_Part):
    """Everything that a notebook may keep of a view."""

    color: Color = ByNothing()
    hidden: dict[str, list[str | None]] = Field(default_factory=dict)
    """Hidden classes of each column; None is the class of cells without a value."""
    palette: Literal["file", "distinct", "safe"] = "file"
    """Colours of classes: those of the bundle, a palette that stays distinct, or one for colour-blind eyes."""
    class_colors: dict[str, dict[str, HexColor]] = Field(default_factory=dict)
    """Classes of a column that have a colour of their own, whatever the palette."""
    group_by: str | None = None
    """The annotation that splits a gene's summary."""
    camera: Camera | None = None
    """None for all cells in view."""
    turn: Literal[0, 90, 180, 270] = 0
    """How the tissue lies: degrees clockwise. Embeddings and rows of sections stay upright."""
    flip: bool = False
    """Whether it is mirrored left to right, after the turn."""
    point_size: float = Field(default=1.0, ge=0.2, le=4)
    """Factor on the natural size of a cell."""
    opacity: float = Field(default=1, ge=0, le=1)
    image_on: bool = True
    image_opacity: float = Field(default=0.85, ge=0, le=1)
    image_brightness: float = Field(default=1.0, ge=0.25, le=4)
    """Factor; 1 for the picture as it is."""
    image_contrast: float = Field(default=1.0, ge=0.25, le=4)
    theme: Literal["light", "dark", "auto"] = "auto"
    layout: Layout | None = None
    """Where the cells stand; None lets the viewer choose: the tissue, or sections side by side that would overlap."""
    beside: Layout | None = None
    """What is shown beside, linked."""
    beside_camera: Camera | None = None
    """Where the view beside looks; None for all of it."""
    range: tuple[float, float] | None = None
    """Limits of the colours; None for robust limits of the values."""
    colormap: Literal["auto", "viridis", "magma", "inferno", "cividis", "greys", "rdbu"] = "auto"
    """Of values; `rdbu` is blue, white at zero, red; `auto` takes it for values on both sides of zero, else viridis."""
    reversed: bool = False
    scale: Literal["linear", "log1p"] = "linear"
    """How values become colours between the limits."""
    dim_zeros: bool = False
    """Whether cells of the value zero step back."""
    class_order: Literal["size", "name", "original"] = "size"
    """Of the legend: the largest first, by name, or as the file has them."""

    @model_validator(mode="after")
    def _ascending(self) -> ViewState:
        if self.range is not None and not self.range[0] < self.range[1]:
            msg = "range: the lower limit must be below the upper one"
            raise ValueError(msg)
        return self

    def plain(self) -> dict[str, Any]:
        """Return it as a dict for Python, with names as in this class."""
        return self.model_dump(mode="json")

    def wire(self, names: set[str] | None = None) -> dict[str, Any]:
        """Return it as the viewer spells it, or only the fields `names`."""
        return self.model_dump(mode="json", by_alias=True, include=names)


def changed(state: ViewState, change: dict[str, Any]) -> ViewState:
    """Return `state` with the fields of `change`.

    Raises
    ------
    ViewError
        Naming the field that has no such value.
    """
    try:
        return ViewState.model_validate({**state.plain(), **change})
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the state"
        msg = f"A view has no such state: {where}: {first['msg']}."
        if first["type"] == "extra_forbidden":
            msg += f" Its fields are: {', '.join(ViewState.model_fields)}."
        if str(first["loc"][:1]) == "('camera',)":
            msg += " A camera is {'x': ..., 'y': ..., 'zoom': ...} in coordinate units."
        raise ViewError(msg) from None


def from_wire(value: object) -> ViewState | None:
    """Read what the page sent; None when it is not a state. Fields of a later viewer pass by."""
    if not isinstance(value, dict):
        return None
    known = {to_camel(name) for name in ViewState.model_fields}
    try:
        return ViewState.model_validate({key: item for key, item in value.items() if key in known})
    except ValidationError:
        return None
