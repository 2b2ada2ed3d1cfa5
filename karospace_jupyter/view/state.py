"""The state of a view as plain data: the Python counterpart of the viewer's state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel

from karospace_jupyter.errors import ViewError
from karospace_jupyter.formatting import LONGEST_NAME
from karospace_jupyter.gene_sets import LONGEST_SET_NAME, MAX_SETS

LATER = "later"
"""Validation context of data from a viewer: unknown fields, which later viewers may add, are ignored."""


class ViewPart(BaseModel):
    """Part of a view or of a saved view."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - any JSON value
        if info.context != LATER or not isinstance(value, dict):
            return value
        known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values())}
        return {name: item for name, item in value.items() if name in known}


class _Part(ViewPart):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ByAnnotation(_Part):
    """Color cells by a column of obs."""

    kind: Literal["annotation"] = "annotation"
    column: str


class ByGene(_Part):
    """Color cells by the expression of a gene."""

    kind: Literal["gene"] = "gene"
    gene: str


class ByScore(_Part):
    """Color cells by the mean of a gene set."""

    kind: Literal["score"] = "score"
    name: str
    genes: list[str] = Field(min_length=1)


class ByBlend(_Part):
    """Color cells by two or three genes at once."""

    kind: Literal["blend"] = "blend"
    genes: list[str] = Field(min_length=2, max_length=3)


class ByNothing(_Part):
    """Use one color for all cells."""

    kind: Literal["none"] = "none"


Color = Annotated[ByAnnotation | ByGene | ByScore | ByBlend | ByNothing, Field(discriminator="kind")]


class GeneSet(_Part):
    """A named set of genes."""

    name: str = Field(min_length=1, max_length=LONGEST_SET_NAME)
    genes: list[str] = Field(min_length=1)


def _distinct(sets: list[GeneSet]) -> list[GeneSet]:
    if len({one.name for one in sets}) < len(sets):
        msg = "the names of the sets must differ"
        raise ValueError(msg)
    return sets


class OnTissue(_Part):
    """Cells at their tissue coordinates."""

    kind: Literal["tissue"] = "tissue"


def _number(value: object) -> object:
    """Convert 90.0 to an integer, because JSON has only one type of number; reject True, which equals 1 in Python."""
    if isinstance(value, bool):
        msg = "must be a number"
        raise ValueError(msg)
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Arrangement(_Part):
    order: Literal["file", "name", "cells", "column"] = "file"
    by: str | None = None
    """The column, with one value per section, that sorts the sections if `order` is `column`."""
    only: dict[str, list[str | float | None]] = {}
    """Filters by column: only sections with one of these values are shown."""


class SectionGrid(_Arrangement):
    """All sections side by side."""

    kind: Literal["sections"] = "sections"
    columns: Annotated[int, Field(ge=1), BeforeValidator(_number)] | None = None
    """Number of sections per row; None for the number that shows them largest."""


class OneSection(_Arrangement):
    """A single section; the arrangement determines the previous and the next section."""

    kind: Literal["section"] = "section"
    name: str


class InEmbedding(_Part):
    """Cells at their coordinates in an embedding."""

    kind: Literal["embedding"] = "embedding"
    name: str
    """Key of obsm."""


Layout = Annotated[OnTissue | SectionGrid | OneSection | InEmbedding, Field(discriminator="kind")]


class Camera(_Part):
    """Position and zoom of a view."""

    x: float
    """Center of the area that the cards of the viewer do not cover, in coordinate units."""
    y: float
    zoom: float = Field(gt=0)
    """1 shows all cells."""


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value  # JSON has no tuples, and strict types convert nothing


def _ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if not limits[0] < limits[1]:
        msg = "the lower limit must be below the upper one"
        raise ValueError(msg)
    return limits


Limits = Annotated[tuple[float, float], BeforeValidator(_tuple), AfterValidator(_ascending)]
HexColor = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class CategoryGroup(_Part):
    """Several categories of a column that are shown as one."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    """It may be the name of a member, but not of another category of the column."""
    members: list[str] = Field(min_length=1)
    """Names of the categories."""
    color: HexColor | None = None
    """None for the color of the largest member."""


def _without_repeats(groups: dict[str, list[CategoryGroup]]) -> dict[str, list[CategoryGroup]]:
    for column, listed in groups.items():
        for what, texts in (
            ("group", [group.name for group in listed]),
            ("category", [member for group in listed for member in group.members]),
        ):
            if len(set(texts)) < len(texts):
                repeated = next(text for text, count in Counter(texts).items() if count > 1)
                msg = f"the groups of {column!r} have the {what} {repeated!r} twice"
                raise ValueError(msg)
    return groups


class ViewState(_Part):
    """The complete state of a view that a notebook can store."""

    color: Color = ByNothing()
    hidden: dict[str, list[str | None]] = {}
    """Hidden categories of each column; None hides cells without a value."""
    isolated: dict[str, list[str | None]] = {}
    """Isolated categories of each column: the cells of all others are dimmed. None stands for cells without a value."""
    palette: Literal["file", "distinct", "safe"] = "file"
    """Colors of categories: those of the bundle, a palette of distinct colors, or a color-blind safe palette."""
    class_colors: dict[str, dict[str, HexColor]] = {}
    """Custom colors of categories by column; they override the palette."""
    groups: Annotated[dict[str, list[CategoryGroup]], AfterValidator(_without_repeats)] = {}
    """Groups of categories by column. Other fields, such as `hidden`, list the members: a group is hidden or isolated
    if all its members are."""
    group_by: str | None = None
    """The annotation by which the values of a gene are summarized."""
    matrix: str | None = None
    """The matrix that genes are read from: `X`, `layer:NAME` or `raw`; None for the first matrix of the bundle."""
    camera: Camera | None = None
    """In the coordinates of the layout; a grid of sections has its own. None shows all cells."""
    turn: Annotated[Literal[0, 90, 180, 270], BeforeValidator(_number)] = 0
    """Clockwise rotation of the tissue in degrees. Embeddings and the grid of sections are not rotated."""
    flip: bool = False
    """Whether the tissue is flipped left to right, after the rotation."""
    point_size: float = Field(default=1.0, ge=0.2, le=4)
    """Factor for the default size of a cell."""
    opacity: float = Field(default=1, ge=0, le=1)
    image_on: bool = True
    image_opacity: float = Field(default=0.85, ge=0, le=1)
    image_brightness: float = Field(default=1.0, ge=0.25, le=4)
    """Factor; 1 leaves the image unchanged."""
    image_contrast: float = Field(default=1.0, ge=0.25, le=4)
    theme: Literal["light", "dark", "auto"] = "auto"
    panel_width: float = Field(default=320, ge=240, le=1600)
    """Width of the panel in CSS pixels; it takes at most half of the page."""
    layout: Layout | None = None
    """Layout of the cells; None for the viewer's choice: the tissue, or a grid of sections if they overlap."""
    beside: Layout | None = None
    """Layout of the linked second view; None for a single view."""
    beside_camera: Camera | None = None
    """Camera of the second view; None shows all cells."""
    range: Limits | None = None
    """Color limits; None for robust limits of the values."""
    colormap: Literal["auto", "viridis", "magma", "inferno", "cividis", "greys", "rdbu"] = "auto"
    """Colormap of values. `rdbu` is blue, white at zero, red; `auto` uses it for values of both signs, otherwise
    viridis."""
    reversed: bool = False
    scale: Literal["linear", "log1p"] = "linear"
    """Mapping of values to colors between the limits."""
    dim_zeros: bool = False
    """Whether cells with the value zero are dimmed."""
    class_order: Literal["size", "name", "original"] = "size"
    """Order of the legend: the largest category first, by name, or as in the file."""
    labels: bool = False
    """Whether the names of the categories are shown on the cells."""
    neighbors: bool = False
    """Whether neighbors are drawn when zoomed in, if the bundle has neighbors."""
    gene_sets: Annotated[list[GeneSet], Field(max_length=MAX_SETS), AfterValidator(_distinct)] | None = None
    """Gene sets that the viewer lists; None for those of the bundle."""
    um_per_unit: float | None = Field(default=None, gt=0)
    """µm per coordinate unit of the tissue; None for the unit that the bundle states."""
    title: str | None = Field(default=None, min_length=1, max_length=LONGEST_NAME)
    """Title in place of the dataset name; None for the dataset name."""

    def plain(self) -> dict[str, Any]:
        """Return the state as a dict with the field names of this class."""
        return self.model_dump(mode="json")

    def wire(self, names: set[str] | None = None) -> dict[str, Any]:
        """Return the state, or only the fields `names`, as a dict with the viewer's field names."""
        return self.model_dump(mode="json", by_alias=True, include=names)


def changed(state: ViewState, change: Mapping[str, object]) -> ViewState:
    """Return `state` updated with the fields of `change`.

    Raises
    ------
    ViewError
        If a field is unknown or its value is invalid. The message names the field.
    """
    try:
        return ViewState.model_validate({**state.plain(), **change})
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the state"
        msg = f"Invalid view state: {where}: {first['msg']}."
        if first["type"] == "extra_forbidden":
            msg += f" The fields are: {', '.join(ViewState.model_fields)}."
        if str(first["loc"][:1]) == "('camera',)":
            msg += " A camera is {'x': ..., 'y': ..., 'zoom': ...} in coordinate units."
        raise ViewError(msg) from None


def from_wire(value: object) -> ViewState:
    """Read a state with the viewer's field names and types; fields of later viewers are ignored.

    Raises
    ------
    pydantic.ValidationError
        If a field has an invalid value.
    """
    return ViewState.model_validate(value, strict=True, context=LATER)
