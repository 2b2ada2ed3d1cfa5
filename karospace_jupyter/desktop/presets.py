"""Presets, and the options that are remembered between files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from karospace_jupyter.contracts.form import Summary

FIT_EVERY_FILE = ("genes_mode", "gzip", "scripts", "preview", "packed")
"""Options that are remembered from one file to the next; none of them leaves out cells."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of options."""

    name: str
    description: str
    genes: str
    packed: str = "auto"
    downsample: int | None = None
    every_column: bool = False

    def options(self, summary: Summary) -> dict[str, Any]:
        """Return the options of the preset for a file."""
        columns = [one.name for one in summary.columns if one.kind != "other"]
        return {
            "genes_mode": self.genes,
            "packed": self.packed,
            "downsample": self.downsample,
            "annotation_columns": columns if self.every_column else None,
        }


PRESETS = (
    Preset("Quick look", "50 variable genes · at most 50,000 cells · suggested columns", "hvgs:50", "no", 50_000),
    Preset("Balanced", "every gene up to 1 GB · every cell · suggested columns", "hvgs:500"),
    Preset("Everything", "every gene · every cell · every column", "all", every_column=True),
)


def preset_of(options: dict[str, Any], summary: Summary) -> str:
    """Return the name of the preset that matches the options, or an empty string."""
    for preset in PRESETS:
        wanted = preset.options(summary)
        if all(options.get(name) == value for name, value in wanted.items()):
            return preset.name
    return ""
