"""The color of a view as text, such as `gene:EPCAM`."""

from __future__ import annotations

import pytest

from karospace_jupyter.view.color_text import color_text, several_genes, split_color
from karospace_jupyter.view.state import ByAnnotation, ByBlend, ByGene, ByNothing, ByScore, Color


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EPCAM", (None, "EPCAM")),
        ("", (None, "")),
        ("obs", (None, "obs")),
        ("obs:", ("obs", "")),
        ("obs:a:b", ("obs", "a:b")),
        ("gene:EPCAM", ("gene", "EPCAM")),
        ("score:A,B", ("score", "A,B")),
        ("blend:A, B", ("blend", "A, B")),
        ("HLA:A", (None, "HLA:A")),
        ("gene:known", (None, "gene:known")),
    ],
)
def test_only_known_prefixes_are_split_off(text: str, expected: tuple[str | None, str]) -> None:
    assert split_color(text, {"gene:known"}) == expected


@pytest.mark.parametrize(
    ("color", "text"),
    [
        (ByAnnotation(column="region"), "region"),
        (ByGene(gene="EPCAM"), "EPCAM"),
        (ByGene(gene="region"), "gene:region"),
        (ByNothing(), ""),
        (ByBlend(genes=["A", "B"]), "blend:A,B"),
        (ByScore(name="mine", genes=["A", "B"]), "score:A,B"),
        (ByScore(name="T", genes=["A", "B"]), "score:T"),
    ],
)
def test_color_is_written_with_the_prefix_that_it_needs(color: Color, text: str) -> None:
    assert color_text(color, ["region"], {"T": ["A", "B"]}) == text
    prefix, rest = split_color(text)
    if prefix == "blend":
        assert several_genes(prefix, rest.split(",")) == color
