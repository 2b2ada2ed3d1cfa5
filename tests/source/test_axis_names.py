from __future__ import annotations

import pytest

from karospace_jupyter.source.axis_names import axis_pairs, choose_axes, is_embedding_name


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("X_position", "Y_position"), ("x_um", "y_um"), ("pos_x", "pos_y"), ("CentroidX", "CentroidY"),
        ("cell_x_position", "cell_y_position"), ("Location_Center_X", "Location_Center_Y"), ("sdimx", "sdimy"),
        ("x_slide_mm", "y_slide_mm"), ("X [µm]", "Y [µm]"), ("X.pos", "Y.pos"), ("XCenter", "YCenter"), ("x1", "y1"),
        ("CenterX_global_px", "CenterY_global_px"), ("XPOS", "YPOS"), ("X_pos", "y_pos"), ("xcoord", "ycoord"),
        ("imagecol", "imagerow"), ("pxl_col_in_fullres", "pxl_row_in_fullres"), ("Column", "Row"), ("col", "row"),
    ],
)  # fmt: skip
def test_names_that_differ_only_in_the_axis_form_a_pair(x: str, y: str) -> None:
    assert [(pair.x, pair.y) for pair in axis_pairs(["area", y, "n_counts", x])] == [(x, y)]


@pytest.mark.parametrize(
    "names",
    [
        ["max", "may"], ["sex", "sey"], ["exp", "eyp"], ["index", "indey"], ["flux", "fluy"], ["matrix", "matriy"],
        ["x_um", "y_px"], ["x", "x"], ["pos_x", "posy"], ["yes", "xes"], ["cell", "row"], ["umap_1", "umap_2"],
    ],
)  # fmt: skip
def test_letters_within_words_are_not_an_axis(names: list[str]) -> None:
    assert axis_pairs(names) == []


def test_names_pair_with_names_of_the_same_case() -> None:
    assert [(pair.x, pair.y) for pair in axis_pairs(["X", "x", "y", "Y"])] == [("X", "Y"), ("x", "y")]


def test_embeddings_and_weak_pairs_are_flagged() -> None:
    pairs = axis_pairs(["UMAP_x", "UMAP_y", "x_min", "y_min", "x_mm", "y_mm"])
    assert [(pair.embedding, pair.weak) for pair in pairs] == [(True, False), (False, True), (False, False)]
    assert all(map(is_embedding_name, ["X_umap", "tsne_x", "X_scVI", "X_pca_harmony", "t-SNE1"]))
    assert not any(map(is_embedding_name, ["spatial", "X_centroid", "x", "array_row", "spatial_cropped_150_buffer"]))


@pytest.mark.parametrize(
    ("names", "x", "y", "reason"),
    [
        (["z", "y", "x"], "x", "y", "names"),
        (["pxl_row_in_fullres", "pxl_col_in_fullres"], "pxl_col_in_fullres", "pxl_row_in_fullres", "names"),
        (["array_row", "array_col", "imagerow", "imagecol"], "imagecol", "imagerow", "names"),
        (["y_min", "x_min", "y", "x"], "x", "y", "names"),
        (["UMAP_2", "UMAP_1"], "UMAP_1", "UMAP_2", "numbers"),
        (["0", "1"], "0", "1", "numbers"),
        (["left", "top"], "left", "top", "order"),
    ],
)
def test_axes_of_a_table_are_chosen_by_column_names(names: list[str], x: str, y: str, reason: str) -> None:
    axes = choose_axes(names)
    assert (names[axes.x_at], names[axes.y_at], axes.reason) == (x, y, reason)
