"""Tests of the options and of the short strings such as ``hvgs:500``."""

from __future__ import annotations

import pytest

from karospace_jupyter import config
from karospace_jupyter.config import (
    AllGenes,
    ExportConfig,
    ListedGenes,
    NearestNeighbors,
    NeighborsWithin,
    NoNeighbors,
    ObsCoords,
    ObsmCoords,
    StoredNeighbors,
    TopMeanGenes,
    VariableGenes,
    parse_coords,
    parse_genes,
)
from karospace_jupyter.errors import ConfigError


def test_gene_specs_are_parsed(tmp_path):
    assert parse_genes("hvgs:5") == VariableGenes(5)
    assert parse_genes("top_mean:7") == TopMeanGenes(7)
    assert parse_genes("all") == AllGenes()
    assert parse_genes(("A", "B")) == ListedGenes(("A", "B"), "the list of genes")
    path = tmp_path / "genes.txt"
    path.write_text("\ufeff# mine\nA\n\nB,x\nA\n", encoding="utf-8")
    assert parse_genes(f"list:{path}") == ListedGenes(("A", "B"), str(path))


@pytest.mark.parametrize(
    ("content", "max_bytes", "message"),
    [
        (b"# none\n", 100, r"genes\.txt contains no genes"),
        (b"A\xff", 100, r"genes\.txt is not UTF-8 text\. Save it as plain text with one gene per line"),
        (b"A\nB\n", 3, r"genes\.txt is 0\.0 MB; at most 0 MB are read\. Pass a text file"),
    ],
)
def test_unusable_gene_list_is_rejected_with_its_path(tmp_path, monkeypatch, content, max_bytes, message):
    path = tmp_path / "genes.txt"
    path.write_bytes(content)
    monkeypatch.setattr(config, "_MAX_BYTES", max_bytes)
    with pytest.raises(ConfigError, match=message):
        parse_genes(f"list:{path}")


@pytest.mark.parametrize(
    "text", ["", "hvgs", "hvgs:0", "hvgs:-1", "hvgs:²", "top_mean:x", "list:", "list:/no/such", "some"]
)
def test_invalid_gene_specs_are_rejected(text):
    with pytest.raises(ConfigError):
        parse_genes(text)


def test_coordinate_specs_are_parsed():
    assert parse_coords("obsm:spatial") == ObsmCoords("spatial")
    assert parse_coords("obs:centroid_x_y") == ObsCoords("centroid_x", "centroid_y")
    assert parse_coords("obs:a, b") == ObsCoords("a", "b")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("coords", "spatial"), ("coords", "obs:a,b,c"), ("downsample", 0), ("downsample", "50.000"), ("seed", -1),
        ("max_asset_mb", 0), ("max_asset_mb", float("nan")), ("um_per_unit", 0), ("um_per_unit", float("inf")),
        ("um_per_unit", True), ("jobs", 0), ("no_such_option", 1), ("sections", ""), ("view", ""), ("embeddings", 3),
        ("embeddings", ["none", "X_umap"]), ("embed_origins", "lab.example"), ("embed_origins", "https://lab.example/"),
        ("embed_origins", "https://Lab.example"), ("embed_origins", "null"), ("embed_origins", "javascript://x"),
        ("embed_origins", 3),
    ],
)  # fmt: skip
def test_invalid_value_is_named_in_the_error(option, value):
    with pytest.raises(ConfigError, match=value if isinstance(value, str) and value else option):
        ExportConfig(**{option: value})


def test_origins_are_accepted_as_string_or_list():
    assert ExportConfig().embed_origins == ()
    assert ExportConfig(embed_origins="https://lab.example:8443").embed_origins == ("https://lab.example:8443",)
    assert ExportConfig(embed_origins=["http://[::1]:8000", "*"]).embed_origins == ("http://[::1]:8000", "*")


def test_embeddings_are_accepted_as_string_or_list():
    assert ExportConfig().embeddings is None
    assert ExportConfig(embeddings="X_umap").embeddings == ("X_umap",)
    assert ExportConfig(embeddings=["X_umap", "X_pca"]).embeddings == ("X_umap", "X_pca")
    assert ExportConfig(embeddings="none").embeddings == ExportConfig(embeddings=[]).embeddings == ()


def test_raw_and_layer_cannot_be_combined():
    with pytest.raises(ConfigError, match="counts"):
        ExportConfig(raw=True, layer="counts")


def test_blank_dataset_name_is_rejected() -> None:
    with pytest.raises(
        ConfigError, match=r"dataset_name: expected a name with at least one visible character, got ' '"
    ):
        ExportConfig(dataset_name=" ")


def test_too_long_dataset_name_is_rejected() -> None:
    with pytest.raises(ConfigError, match=r"dataset_name: must have at most 1,000 characters, got 1,001"):
        ExportConfig(dataset_name="x" * 1001)
    assert ExportConfig(dataset_name="x" * 1000).dataset_name == "x" * 1000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", StoredNeighbors()),
        ("none", NoNeighbors()),
        (6, NearestNeighbors(6)),
        ("30", NearestNeighbors(30)),  # cells, not µm
        ("30um", NeighborsWithin(30)),
        ("12.5 µm", NeighborsWithin(12.5)),
        (".5μm", NeighborsWithin(0.5)),
    ],
)
def test_neighbors_are_parsed(given, expected):
    assert ExportConfig(neighbors=given).neighbors_spec == expected


@pytest.mark.parametrize(
    "given", ["", "0", 0, -1, 51, "6.5", "um", "0um", "-3um", "1e3um", True, None, 6.0, "²", "9" * 400 + "um", "six"]
)
def test_invalid_neighbors_are_rejected_with_the_valid_forms(given):
    with pytest.raises(ConfigError, match=r"expected 'auto', a number of cells from 1 to 50, a radius such as '30um'"):
        ExportConfig(neighbors=given)
