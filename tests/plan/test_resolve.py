"""Decisions made before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from PIL import Image

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.errors import ColumnError, CoordinatesError, GenesError, ImageError
from karospace_jupyter.plan import CategoryAnnotation, NumberAnnotation, Plan, describe, resolve
from karospace_jupyter.plan.cells import sample
from karospace_jupyter.plan.colors import palette, parse_color
from karospace_jupyter.plan.images.pixels import NotAnImage, as_pixels
from karospace_jupyter.source import open_source

N, G = 120, 30


def build(**obs: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(0.5, (N, G)).astype(np.float32)),
        obs=pd.DataFrame(obs, index=[f"cell{i}" for i in range(N)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(G)]),
    )
    adata.obsm["spatial"] = rng.random((N, 2)) * 100
    return adata


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    config = ExportConfig(**options)
    return resolve(open_source(adata, matrix=config.matrix), config)


def warns(found: Plan, text: str) -> bool:
    return any(text in warning for warning in found.warnings)


class TestCoordinates:
    def test_usual_names_have_an_order_of_preference(self) -> None:
        adata = build()
        steps = ["obsm:spatial", "obsm:X_spatial", "obs:centroid_x_y", "obs:x_centroid,y_centroid", "obs:x,y"]
        steps += ["obs:array_col,array_row"]
        adata.obsm["X_spatial"] = np.ones((N, 2))
        for x, y in (
            ("centroid_x", "centroid_y"),
            ("x_centroid", "y_centroid"),
            ("x", "y"),
            ("array_col", "array_row"),
        ):
            adata.obs[x], adata.obs[y] = np.arange(N), np.arange(N) * 2.0
        for step in steps:
            assert plan(adata).coordinates.source == step
            if step.startswith("obsm"):
                del adata.obsm[step.removeprefix("obsm:")]
            else:
                spec = plan(adata).coordinates.spec
                assert spec.kind == "obs"
                del adata.obs[spec.x]

    def test_two_equally_likely_coordinates_raise(self) -> None:
        adata = build(x_centroid=np.arange(N), y_centroid=1.0, X_centroid=np.arange(N) + 1, Y_centroid=2.0)
        del adata.obsm["spatial"]
        with pytest.raises(CoordinatesError, match="x_centroid,y_centroid and obs:X_centroid,Y_centroid"):
            plan(adata)
        assert plan(adata, coords="obs:X_centroid,Y_centroid").coordinates.xy[0].tolist() == [1, 2]

    @pytest.mark.parametrize("kind", ["frame", "sparse", "three"])
    def test_coordinates_of_any_array_type_are_read(self, kind: str) -> None:
        adata = build()
        wanted = adata.obsm["spatial"].copy()
        if kind == "frame":
            adata.obsm["spatial"] = pd.DataFrame(wanted, index=adata.obs_names, columns=["x", "y"])
        elif kind == "sparse":
            adata.obsm["spatial"] = sp.csr_matrix(wanted)
        else:
            adata.obsm["spatial"] = np.column_stack([wanted, np.ones(N)])
        found = plan(adata)
        np.testing.assert_array_equal(found.coordinates.xy, wanted)
        assert warns(found, "3 columns") == (kind == "three")

    def test_no_usual_coordinates_raises_and_lists_candidates(self) -> None:
        adata = build(area=np.arange(N))
        adata.obsm = {"X_umap": np.ones((N, 2))}
        with pytest.raises(CoordinatesError, match=r"X_umap \(120 × 2\).*area"):
            plan(adata)
        assert plan(adata, coords="obsm:X_umap").coordinates.y_axis == "up"

    def test_requested_coordinates_missing_or_not_numeric_raise(self) -> None:
        adata = build(kind=["a", "b"] * (N // 2))
        with pytest.raises(CoordinatesError, match="Did you mean 'spatial'"):
            plan(adata, coords="obsm:spatail")
        with pytest.raises(CoordinatesError, match="not numbers"):
            plan(adata, coords="obs:kind,kind")
        adata.obsm["one"] = np.ones((N, 1))
        with pytest.raises(CoordinatesError, match="two columns"):
            plan(adata, coords="obsm:one")

    def test_cells_without_coordinates_are_dropped_and_counted(self) -> None:
        adata = build(n=np.arange(N))
        adata.obsm["spatial"][3, 0] = np.nan
        adata.obsm["spatial"][5, 1] = np.inf
        found = plan(adata)
        assert found.cells.n == N - 2
        assert warns(found, "2 of 120 cells")
        numbers = found.annotations[0]
        assert isinstance(numbers, NumberAnnotation)
        assert numbers.values[:4].tolist() == [0, 1, 2, 4]
        adata.obsm["spatial"][:] = np.nan
        with pytest.raises(CoordinatesError, match="all 120 cells"):
            plan(adata)


class TestAnnotations:
    def test_columns_suitable_for_a_legend_are_exported_by_default(self) -> None:
        found = plan(
            build(
                kind=pd.Categorical(["a", "b", "c"] * 40),
                barcode=[f"x{i}" for i in range(N)],
                constant="same",
                flag=[True, False] * 60,
                area=np.linspace(0, 1, N),
                when=pd.date_range("2020-01-01", periods=N),
                text=["x", None] * 60,
            )
        )
        assert [a.name for a in found.annotations] == ["kind", "flag", "area"]
        for left_out in ("barcode", "constant", "when", "text"):
            assert warns(found, left_out)

    def test_categories_keep_their_order_and_colors_without_unused_ones(self) -> None:
        values = pd.Categorical(["z", "a", None, "m"] * 30, categories=["z", "unused", "m", "a"], ordered=True)
        adata = build(kind=values)
        adata.uns["kind_colors"] = ["#ff0000", "#00ff00", "not a color", "C1"]
        found = plan(adata)
        kind = found.annotations[0]
        assert isinstance(kind, CategoryAnnotation)
        assert kind.categories == ("z", "m", "a")
        assert kind.colors[0] == "#ff0000"
        assert kind.colors[2] == "#ff7f0e"
        assert kind.codes[:4].tolist() == [0, 2, 3, 1]
        assert kind.ordered
        assert warns(found, "'not a color' of 'm'")

    @pytest.mark.parametrize(
        "values",
        [
            pd.array([1, 2, None, 4] * 30, dtype="Int64"),
            pd.array([True, False, None, True] * 30, dtype="boolean"),
            pd.array(["a", "b", None, "c"] * 30, dtype="string"),
            np.array(["2020-01-01", "2020-01-02", "NaT", "2021-01-01"] * 30, dtype="datetime64[s]"),
            np.array([1, "a", None, 2.5] * 30, dtype=object),
            pd.Categorical([1, 2, None, 3] * 30),
        ],
        ids=["Int64", "boolean", "string", "dates", "mixed", "numeric categories"],
    )
    def test_missing_values_of_any_dtype_stay_missing(self, values: Any) -> None:
        found = plan(build(column=values), annotation_columns=["column"]).annotations[0]
        if isinstance(found, NumberAnnotation):
            assert np.isnan(found.values[2])
            assert found.integers is None
        else:
            assert found.codes[2] == len(found.categories)
            assert "nan" not in [c.lower() for c in found.categories]
            assert not {"None", "<NA>", "NaT"} & set(found.categories)

    def test_large_integers_stay_exact(self) -> None:
        adata = build(big=np.full(N, 2**60 + 1) + np.arange(N))
        assert warns(plan(adata), "Not exported (whole numbers too large to show exactly: identifiers?): big.")
        found = plan(adata, annotation_columns=["big"]).annotations[0]
        assert isinstance(found, CategoryAnnotation)
        assert found.categories[:2] == (str(2**60 + 1), str(2**60 + 2))
        requested = plan(adata, annotation_columns=["number:big"])
        assert warns(requested, "the viewer rounds them to 53 bits, the tables are exact")
        found = requested.annotations[0]
        assert isinstance(found, NumberAnnotation)
        assert found.integers is not None
        assert int(found.integers[0]) == 2**60 + 1

    def test_unknown_column_raises_and_unusable_column_is_left_out(self) -> None:
        adata = build(cell_type=["a", "b"] * 60)
        with pytest.raises(ColumnError, match="Did you mean 'cell_type'"):
            plan(adata, annotation_columns=["celltype"])
        adata.obs["lists"] = [[1], [2]] * 60
        assert [a.name for a in plan(adata).annotations] == ["cell_type"]

    def test_column_named_cell_id_is_renamed(self) -> None:
        adata = build(cell_id=["a", "b"] * 60)
        found = plan(adata)
        assert [a.name for a in found.annotations] == ["cell_id_obs"]
        assert warns(found, "cell_id_obs")

    def test_object_without_columns_has_no_annotations(self) -> None:
        assert plan(build()).annotations == ()

    def test_duplicate_cell_names_get_a_suffix(self) -> None:
        adata = build()
        adata.obs_names = ["a", "a", "a-1", *adata.obs_names[3:]]
        found = plan(adata)
        assert found.cells.ids[:3].tolist() == ["a", "a-2", "a-1"]
        assert warns(found, "1 cell name is a duplicate")


class TestGenes:
    def test_genes_are_chosen_by_mean_or_all_of_them(self) -> None:
        adata = build()
        dense = adata.X.toarray()  # type: ignore[union-attr]
        best = np.argsort(-dense.mean(axis=0), kind="stable")[:5]
        assert plan(adata, genes_mode="top_mean:5").genes.indices.tolist() == best.tolist()
        assert plan(adata, genes_mode="all").genes.names == tuple(adata.var_names)
        found = plan(adata, genes_mode="top_mean:500")
        assert len(found.genes.names) == G
        assert warns(found, "500 were requested")
        assert not warns(plan(adata), "requested")

    @pytest.mark.parametrize("log", [False, True], ids=["counts", "log1p"])
    def test_variable_genes_match_scanpy(self, log: bool) -> None:
        sc = pytest.importorskip("scanpy")
        rng = np.random.default_rng(2)
        level = (0.1 + rng.gamma(1.0, 1.0, 400)) * (1 + 3 * (rng.random((500, 400)) < 0.2))
        adata = ad.AnnData(sp.csr_matrix(rng.poisson(level).astype(np.float32)))
        adata.obsm["spatial"] = rng.random((500, 2))
        reference = adata.copy()
        if log:
            sc.pp.normalize_total(reference, target_sum=1e4)
            sc.pp.log1p(reference)
            adata.X = reference.X.copy()
        sc.pp.highly_variable_genes(reference, flavor="seurat" if log else "seurat_v3", n_top_genes=50)
        found = plan(adata, genes_mode="hvgs:50")
        # scanpy interpolates the regression of counts from a few points, so genes at the limit may differ.
        expected = set(reference.var_names[reference.var["highly_variable"]])
        assert len(expected & set(found.genes.names)) >= (50 if log else 48)
        scores = reference.var["dispersions_norm" if log else "variances_norm"].to_numpy()[found.genes.indices]
        assert (np.diff(scores) <= (1e-6 if log else 0.1)).all()
        assert warns(found, "holds counts") != log

    @pytest.mark.parametrize("log", [False, True], ids=["counts", "log1p"])
    def test_rarely_detected_genes_come_after_all_others(self, log: bool) -> None:
        rng = np.random.default_rng(3)
        dense = rng.poisson(0.5, (2000, 60)).astype(np.float32)
        dense[:, :20] = 0
        dense[:19, :20] = 40  # below 1% of the cells, with a high variance
        adata = ad.AnnData(sp.csr_matrix(np.log1p(dense) if log else dense))
        adata.obsm["spatial"] = rng.random((2000, 2))
        chosen = plan(adata, genes_mode="hvgs:45").genes.indices.tolist()
        assert set(chosen[:40]) == set(range(20, 60))
        assert set(chosen[40:]) < set(range(20))
        adata.var["highly_variable"] = [i in {3, 50} for i in range(60)]
        assert 3 in plan(adata, genes_mode="hvgs:2").genes.indices
        adata.var["highly_variable"] = True
        adata.var["dispersions_norm"] = np.linspace(1, 0, 60)
        assert plan(adata, genes_mode="hvgs:41").genes.indices.tolist() == [*range(20, 60), 0]

    def test_stored_variability_is_used(self) -> None:
        adata = build()
        adata.var["highly_variable"] = [i in {3, 4, 5} for i in range(G)]
        adata.var["dispersions_norm"] = np.linspace(0, 1, G)
        assert plan(adata, genes_mode="hvgs:2").genes.names == ("g5", "g4")
        found = plan(adata, genes_mode="hvgs:5")
        assert found.genes.names == ("g5", "g4", "g3", "g29", "g28")
        assert warns(found, "next 2")
        adata.var["highly_variable_rank"] = [np.nan] * 3 + [0.0, 2.0, 1.0] + [np.nan] * (G - 6)
        assert plan(adata, genes_mode="hvgs:3").genes.names == ("g3", "g5", "g4")

    def test_listed_genes_are_found_by_name_symbol_or_id(self, tmp_path: Path) -> None:
        adata = build()
        adata.var["gene_symbols"] = [f"S{i}" for i in range(G)]
        adata.var["gene_ids"] = [f"ENSG{i}.7" for i in range(G)]
        (tmp_path / "genes.txt").write_text("# mine\nS4\n\ng2\nENSG5\nS4\n")
        found = plan(adata, genes_mode=f"list:{tmp_path / 'genes.txt'}")
        assert found.genes.names == ("g4", "g2", "g5")
        assert found.genes.labels[0] == ("gene_symbols", ("S4", "S2", "S5"))
        with pytest.raises(GenesError, match=r"2 of 3 genes(.|\n)*g299 \(similar: g29"):
            plan(adata, genes_mode=["g1", "g299", "nothing"])
        adata.var_names = ["FOXP3_TRANSCRIPT_VARIANT_1", *adata.var_names[1:]]
        with pytest.raises(GenesError, match=r"foxp3 \(similar: FOXP3_TRANSCRIPT_VARIANT_1\)"):
            plan(adata, genes_mode=["foxp3"])
        (tmp_path / "genes.txt").write_text('"g2,b" , of note\n"g4"\n')
        adata.var_names = [*adata.var_names[:2], "g2,b", *adata.var_names[3:]]
        assert plan(adata, genes_mode=f"list:{tmp_path / 'genes.txt'}").genes.names == ("g2,b", "g4")

    def test_previous_symbols_find_genes(self) -> None:
        adata = build()
        adata.var["Previous symbols"] = ["OLD0|OLDER0", "g2, OLD1 ", "", None, "OLD4;OLD4;g1", *[""] * (G - 5)]
        found = plan(adata, genes_mode=["OLD1", "OLDER0", "g2", "OLD4"])
        assert found.genes.names == ("g1", "g0", "g2", "g4")
        assert found.genes.labels == (("Previous symbols", ("g2, OLD1 ", "OLD0|OLDER0", "", "OLD4;OLD4;g1")),)
        assert not warns(found, "Several genes")

    def test_duplicate_gene_names_get_a_suffix(self) -> None:
        adata = build()
        adata.var_names = ["A", "A", *adata.var_names[2:]]
        found = plan(adata, genes_mode="all")
        assert found.genes.names[:2] == ("A", "A-1")
        assert found.genes.indices[:2].tolist() == [0, 1]
        assert warns(found, "1 gene name is a duplicate")


class TestDownsample:
    def test_sample_is_stable_and_proportional(self) -> None:
        adata = build(section=pd.Categorical(["a"] * 90 + ["b"] * 30))
        found = plan(adata, downsample=40)
        again = plan(adata, downsample=40)
        assert found.cells.ids.tolist() == again.cells.ids.tolist()
        assert found.cells.ids.tolist() != plan(adata, downsample=40, seed=1).cells.ids.tolist()
        section = found.annotations[0]
        assert isinstance(section, CategoryAnnotation)
        assert np.bincount(section.codes, minlength=3).tolist() == [30, 10, 0]
        assert found.cells.rows is not None
        assert (np.diff(found.cells.rows) > 0).all()
        assert plan(adata, downsample=1000).cells.n == N

    @pytest.mark.parametrize("size", [1, 3, 10, 57, 99])
    def test_sample_has_exactly_the_requested_size(self, size: int) -> None:
        sections = np.array([0] * 97 + [1, 2, 3], dtype=np.int64)
        found = sample(100, size, sections, 0)
        assert len(np.unique(found)) == size
        if size >= 4:
            assert set(sections[found]) == {0, 1, 2, 3}

    def test_sample_is_uniform(self) -> None:
        hits = np.zeros(50)
        for seed in range(400):
            hits[sample(50, 10, None, seed)] += 1
        assert abs(hits - 80).max() < 40


PICTURE = np.linspace(0, 255, 4 * 5 * 3).reshape(4, 5, 3)


class TestImages:
    @pytest.mark.parametrize(
        "array",
        [
            PICTURE.astype(np.uint8),
            PICTURE / 255,
            PICTURE,
            (PICTURE * 257).astype(np.uint16),
            np.moveaxis(PICTURE, 2, 0),
            np.dstack([PICTURE, np.full((4, 5), 255)]),
        ],
        ids=["uint8", "0-1", "0-255", "uint16", "channel first", "RGBA"],
    )
    def test_images_of_any_array_type_become_8_bit(self, array: Any) -> None:
        pixels = as_pixels(array)
        assert pixels.dtype == np.uint8
        assert np.abs(pixels[..., :3].astype(int) - PICTURE).max() <= 1

    def test_gray_image_becomes_rgb(self) -> None:
        assert as_pixels(PICTURE[..., 0]).shape == (4, 5, 3)
        assert as_pixels(PICTURE[..., 0] > 100).max() == 255

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((0, 0, 3)),
            np.linspace(-4, 4, 60).reshape(4, 5, 3),
            np.full((4, 5), np.nan),
            np.zeros((6, 5, 9)),
            np.ones(3),
        ],
    )
    def test_invalid_image_array_raises(self, array: Any) -> None:
        with pytest.raises(NotAnImage):
            as_pixels(array)

    def spatial(self, **images: Any) -> ad.AnnData:
        adata = build()
        factors = {"tissue_hires_scalef": 0.5, "tissue_lowres_scalef": 0.1, "spot_diameter_fullres": 7.0}
        adata.uns["spatial"] = {"lib": {"images": images, "scalefactors": factors}}
        return adata

    def test_hires_image_is_used_or_lowres_if_hires_is_unusable(self) -> None:
        good = np.ones((60, 60, 3))
        found = plan(self.spatial(hires=good, lowres=good[:12, :12]))
        assert [image.scale for image in found.images] == [(0.5, 0.5)]
        assert found.coordinates.spot_diameter == 7
        found = plan(self.spatial(hires=good * -4, lowres=good[:12, :12]))
        assert [image.scale for image in found.images] == [(0.1, 0.1)]
        assert warns(found, "skipped: its values run")

    def test_image_away_from_the_cells_is_skipped(self) -> None:
        found = plan(self.spatial(hires=np.ones((5, 5, 3))))
        assert not found.images
        assert warns(found, "of the cells lie within it")

    def test_several_libraries_require_a_choice(self) -> None:
        adata = self.spatial(hires=np.ones((60, 60, 3)))
        adata.uns["spatial"]["other"] = adata.uns["spatial"]["lib"]
        found = plan(adata)
        assert not found.images
        assert warns(found, "uns:lib, uns:other")
        assert plan(adata, image_path="uns:other").images
        with pytest.raises(ImageError, match="lib, other"):
            plan(adata, image_path="uns:nothing")
        assert not plan(adata, image_path="none").images

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
    def test_image_file_of_any_format_is_used(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"a.{suffix}"
        Image.new("RGB", (120, 110)).save(path)
        (found,) = plan(build(), image_path=str(path)).images
        assert found.size == (120, 110)
        assert found.scale == (1, 1)

    def test_file_with_the_size_of_the_stored_image_uses_its_scale(self, tmp_path: Path) -> None:
        Image.new("RGB", (12, 12)).save(tmp_path / "low.png")
        adata = self.spatial(lowres=np.ones((12, 12, 3)))
        (found,) = plan(adata, image_path=str(tmp_path / "low.png")).images
        assert found.scale == (0.1, 0.1)

    def test_invalid_image_file_raises(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("x")
        with pytest.raises(ImageError, match="not an image in a supported format"):
            plan(build(), image_path=str(tmp_path / "a.png"))
        with pytest.raises(ImageError, match="does not exist"):
            plan(build(), image_path=str(tmp_path / "b.png"))


def test_colors_are_parsed_and_palettes_are_distinct() -> None:
    assert [parse_color(c) for c in ("#F00", "#ff000080", "tab:blue", "Red", (1, 0, 0), [255, 0, 0, 255])] == [
        "#ff0000", "#ff0000", "#1f77b4", "#ff0000", "#ff0000", "#ff0000",
    ]  # fmt: skip
    assert [parse_color(c) for c in ("nope", "#12", None, (1, 2), (-1, 0, 0), ("a", "b", "c"))] == [None] * 6
    for n in (1, 20, 120, 300):
        assert len(set(palette(n))) == n
    assert palette(100)[:20] == palette(20), "more categories do not change the first colors"


@pytest.mark.parametrize(("n", "least"), [(10, 0.1), (20, 0.1), (100, 0.055)])
def test_palette_colors_are_distinct(n: int, least: float) -> None:
    # Distances in OKLab (Ottosson 2020): two colors are barely distinguishable from about 0.02.
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in palette(n)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
              [0.0883024619, 0.2817188376, 0.6299787005]]  # fmt: skip
    to_lab = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099],
              [0.0259040371, 0.7827717662, -0.808675766]]  # fmt: skip
    lab = np.cbrt(linear @ np.transpose(to_lms)) @ np.transpose(to_lab)
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert distances[~np.eye(n, dtype=bool)].min() > least


def test_description_lists_the_contents_of_the_source() -> None:
    adata = build(kind=pd.Categorical(["a", "b"] * 60), section=pd.Categorical(["s", "t"] * 60))
    adata.obsm["X_umap"] = np.ones((N, 2))
    found = describe(open_source(adata))
    assert found.coordinates == ("obsm:spatial",)
    assert found.embeddings == found.usual_embeddings == ("X_umap",)
    assert found.section_column == "section"
    assert found.section_columns == ("kind", "section")
    assert [c.name for c in found.columns if c.left_out is None] == ["kind", "section"]
