"""Decide everything about an export before anything is written."""

from __future__ import annotations

from karospace_jupyter.plan.describe import Description, describe
from karospace_jupyter.plan.estimate import Estimate, estimate
from karospace_jupyter.plan.model import (
    Annotation,
    CategoryAnnotation,
    Cells,
    NumberAnnotation,
    Plan,
    PlannedCoordinates,
    PlannedEmbedding,
    PlannedFact,
    PlannedGenes,
    PlannedImage,
    PlannedMatrix,
    PlannedSection,
    PlannedSections,
)
from karospace_jupyter.plan.resolve import resolve

__all__ = [
    "Annotation",
    "CategoryAnnotation",
    "Cells",
    "Description",
    "Estimate",
    "NumberAnnotation",
    "Plan",
    "PlannedCoordinates",
    "PlannedEmbedding",
    "PlannedGenes",
    "PlannedImage",
    "PlannedMatrix",
    "PlannedSection",
    "PlannedFact",
    "PlannedSections",
    "describe",
    "estimate",
    "resolve",
]
