"""The outline of a region: the line that was drawn around its cells."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

MAX_NUMBERS = 20_000
"""Maximum number of coordinates of an outline. A line drawn by hand has a few hundred corners."""
DISTANCE = "Distance to {} border"
"""Name of the annotation that holds the distances to the border of a region."""


def _valid_corners(numbers: list[float]) -> list[float]:
    if len(numbers) % 2 or 0 < len(numbers) < 6:
        msg = "an outline needs x and y of at least three corners"
        raise ValueError(msg)
    return numbers


Outline = Annotated[list[float], Field(max_length=MAX_NUMBERS), AfterValidator(_valid_corners)]
