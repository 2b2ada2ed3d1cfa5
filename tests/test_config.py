"""The options and the short strings that people type."""

from __future__ import annotations

import pytest

from karospace_jupyter.config import (
    AllGenes,
    ExportConfig,
    ListedGenes,
    ObsCoords,
    ObsmCoords,
    TopMeanGenes,
    VariableGenes,
    parse_coords,
    parse_genes,
)
from karospace_jupyter.errors import ConfigError


def test_genes(tmp_path):
    assert parse_genes("hvgs:5") == VariableGenes(5)
    assert parse_genes("top_mean:7") == TopMeanGenes(7)
    assert parse_genes("all") == AllGenes()
    assert parse_genes(("A", "B")) == ListedGenes(("A", "B"), "the list of genes")
    path = tmp_path / "genes.txt"
    path.write_text("\ufeff# mine\nA\n\nB,x\nA\n", encoding="utf-8")
    assert parse_genes(f"list:{path}") == ListedGenes(("A", "B"), str(path))


@pytest.mark.parametrize(
    "text", ["", "hvgs", "hvgs:0", "hvgs:-1", "hvgs:²", "top_mean:x", "list:", "list:/no/such", "some"]
)
def test_genes_that_cannot_be(text):
    with pytest.raises(ConfigError):
        parse_genes(text)


def test_coordinates():
    assert parse_coords("obsm:spatial") == ObsmCoords("spatial")
    assert parse_coords("obs:centroid_x_y") == ObsCoords("centroid_x", "centroid_y")
    assert parse_coords("obs:a, b") == ObsCoords("a", "b")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("coords", "spatial"), ("coords", "obs:a,b,c"), ("downsample", 0), ("downsample", "50.000"), ("seed", -1), ("max_asset_mb", 0),
        ("max_asset_mb", float("nan")), ("jobs", 0), ("no_such_option", 1), ("sections", ""), ("view", ""), ("embeddings", 3),
        ("embeddings", ["none", "X_umap"]), ("embed_origins", "lab.example"), ("embed_origins", "https://lab.example/"),
        ("embed_origins", "https://Lab.example"), ("embed_origins", "null"), ("embed_origins", "javascript://x"), ("embed_origins", 3),
    ],
)  # fmt: skip
def test_a_value_that_never_works_is_named(option, value):
    with pytest.raises(ConfigError, match=value if isinstance(value, str) and value else option):
        ExportConfig(**{option: value})


def test_origins():
    assert ExportConfig().embed_origins == ()
    assert ExportConfig(embed_origins="https://lab.example:8443").embed_origins == ("https://lab.example:8443",)
    assert ExportConfig(embed_origins=["http://[::1]:8000", "*"]).embed_origins == ("http://[::1]:8000", "*")


def test_embeddings():
    assert ExportConfig().embeddings is None
    assert ExportConfig(embeddings="X_umap").embeddings == ("X_umap",)
    assert ExportConfig(embeddings=["X_umap", "X_pca"]).embeddings == ("X_umap", "X_pca")
    assert ExportConfig(embeddings="none").embeddings == ExportConfig(embeddings=[]).embeddings == ()


def test_raw_and_a_layer_are_one_too_many():
    with pytest.raises(ConfigError, match="counts"):
        ExportConfig(raw=True, layer="counts")


def test_a_name_that_no_title_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"dataset_name: at most 1,000 characters are possible, but 1,001 were given"):
        ExportConfig(dataset_name="x" * 1001)
    assert ExportConfig(dataset_name="x" * 1000).dataset_name == "x" * 1000
