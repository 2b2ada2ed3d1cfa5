"""Sections of the tissue: detection of their column, and whether they overlap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig, export_h5ad
from karospace_jupyter.errors import ColumnError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.plan import CategoryAnnotation, Plan, describe, estimate, resolve
from karospace_jupyter.plan.sections import overlapping, section_column
from karospace_jupyter.source import open_source

N = 600


def build(n: int = N, **obs: Any) -> ad.AnnData:
    rng = np.random.default_rng(0)
    adata = ad.AnnData(
        sp.csr_matrix(rng.poisson(1, (n, 4)).astype(np.float32)),
        obs=pd.DataFrame(obs, index=[f"c{i}" for i in range(n)]),
        var=pd.DataFrame(index=[f"g{i}" for i in range(4)]),
    )
    adata.obsm["spatial"] = rng.random((n, 2)) * 100
    return adata


def plan(adata: ad.AnnData, **options: Any) -> Plan:
    return resolve(open_source(adata), ExportConfig(**options))


def detected(**obs: Any) -> str | None:
    """Return the column of sections that is detected among these columns."""
    adata = build(**obs)
    return section_column(open_source(adata), adata.obsm["spatial"])


def halves(a: Any = "a", b: Any = "b") -> list[Any]:
    return [a, b] * (N // 2)


class TestDetection:
    def test_preferred_name_wins_ignoring_case(self) -> None:
        assert detected(fov=halves(1, 2), Sample_ID=halves(), section=halves()) == "Sample_ID"
        assert detected(section=halves(), LIBRARY_ID=halves()) == "LIBRARY_ID"
        assert detected(kind=halves()) is None

    @pytest.mark.parametrize(
        ("values", "fits"),
        [
            (halves(), True),
            (pd.Categorical(halves()), True),
            (halves(1, 2), True),
            (pd.array(halves(1, None), dtype="Int64"), False),  # one value
            (pd.array(halves(1, 2), dtype="Int64"), True),
            (halves(1.0, 2.0), True),
            ([(np.nan if i == 5 else 1.0 + i % 12) for i in range(N)], True),
            (pd.Series([1.0 + i % 12 for i in range(N)], dtype=object).to_numpy(), True),
            (halves(1.0, 2.5), False),
            (halves(1.0, np.inf), False),
            (halves(True, False), False),
            (halves(["a"], ["b"]), False),
            (pd.to_datetime(halves("2020-01-01", "2021-01-01")), False),
            (["same"] * N, False),
            (pd.Categorical(["a"] * N, categories=["a", "b"]), False),
            ([i % 500 for i in range(N)], True),
            ([i % 501 for i in range(N)], False),
        ],
    )
    def test_only_columns_of_suitable_values_are_detected(self, values: Any, fits: bool) -> None:
        assert (detected(sample=values) == "sample") == fits

    def test_column_with_a_value_per_cell_is_not_detected(self) -> None:
        assert section_column(open_source(build(40, sample=[f"s{i}" for i in range(40)])), None) is None

    def test_next_name_is_used_if_the_first_is_unsuitable(self) -> None:
        assert detected(library_id=["one"] * N, fov=halves(1, 2)) == "fov"

    @pytest.mark.parametrize("first", ["library_id", "slice"])
    def test_column_that_separates_overlapping_tissue_is_chosen(self, first: str) -> None:
        # Two patients with two sections each; the coordinates of all four start at (0, 0).
        patient, section = np.arange(N) // (N // 2), np.arange(N) % 4
        section = patient * 2 + section % 2
        names = ["library_id", "slice"] if first == "library_id" else ["slice", "library_id"]
        coarse, fine = names
        obs = {coarse: [f"p{i}" for i in patient], fine: [f"s{i}" for i in section]}
        adata = build(**obs)
        rng = np.random.default_rng(1)
        adata.obsm["spatial"] = rng.random((N, 2)) * 100
        assert section_column(open_source(adata), adata.obsm["spatial"]) == fine
        assert describe(open_source(adata)).section_column == fine
        found = plan(adata).sections
        assert found is not None and found.overlapping and found.column == fine
        # Patients are side by side, but the sections of each patient overlap: only the finer column separates them.
        adata.obsm["spatial"][patient == 1, 0] += 200
        assert section_column(open_source(adata), adata.obsm["spatial"]) == fine
        # Everything is side by side: use the first usual name, as for any tissue.
        adata.obsm["spatial"][section % 2 == 1, 1] += 200
        assert section_column(open_source(adata), adata.obsm["spatial"]) == "library_id"
        gaps = adata.obsm["spatial"].copy()
        gaps[::3] = np.nan
        assert section_column(open_source(adata), gaps) == "library_id"

    def test_fields_of_view_numbered_per_sample_do_not_separate_samples(self) -> None:
        sample, fov = np.arange(N) // (N // 2), np.arange(N) % 3
        adata = build(sample=[f"s{i}" for i in sample], fov=fov)
        adata.obsm["spatial"][:, 0] += 150 * fov
        assert section_column(open_source(adata), adata.obsm["spatial"]) == "sample"

    def test_embedding_has_no_sections(self) -> None:
        adata = build(sample=halves())
        adata.obsm["X_umap"] = adata.obsm["spatial"]
        assert plan(adata, coords="obsm:X_umap").sections is None
        assert plan(adata, coords="obsm:X_umap", sections="sample").sections is not None


class TestColumn:
    def test_sections_follow_the_order_of_the_categories(self) -> None:
        values = pd.Categorical(["z", "a", None] * (N // 3), categories=["z", "unused", "a"])
        adata = build(sample=values)
        found = plan(adata).sections
        assert found is not None
        assert [(section.name, section.count) for section in found.items] == [("z", N // 3), ("a", N // 3)]
        assert (found.column, found.missing) == ("sample", N // 3)
        xy = adata.obsm["spatial"][0::3]
        assert found.items[0].extent == (*xy.min(axis=0), *xy.max(axis=0))

    def test_numeric_section_column_becomes_categories_at_the_end(self) -> None:
        fov = [(2, 10, 9)[i % 3] for i in range(N)]
        found = plan(build(fov=fov, kind=halves(), area=np.arange(N) * 0.5))
        assert [a.name for a in found.annotations] == ["kind", "area", "fov"]
        column = found.annotations[-1]
        assert isinstance(column, CategoryAnnotation)
        assert column.categories == ("2", "9", "10")
        assert found.sections is not None
        assert [section.name for section in found.sections.items] == ["2", "9", "10"]
        # Without sections, it is treated like any other column.
        assert [a.kind for a in plan(build(fov=fov, area=fov), sections="none").annotations] == ["category", "number"]

    def test_section_column_may_exceed_the_limit_of_categories(self) -> None:
        found = plan(build(fov=[i % 300 for i in range(N)], sample_x=halves()))
        assert [a.name for a in found.annotations] == ["sample_x", "fov"]
        assert found.sections is not None and len(found.sections.items) == 300
        assert not any("fov" in text for text in found.warnings)

    def test_text_section_column_keeps_its_position(self) -> None:
        found = plan(build(sample=halves(), kind=halves("x", "y")))
        assert [a.name for a in found.annotations] == ["sample", "kind"]

    def test_detected_column_is_not_added_to_a_list_of_annotations(self) -> None:
        adata = build(sample=halves(), kind=halves("x", "y"))
        found = plan(adata, annotation_columns=["kind"])
        assert [a.name for a in found.annotations] == ["kind"]
        assert found.sections is None
        assert any("No sections are written" in text and "'sample'" in text for text in found.warnings)
        assert plan(adata, annotation_columns=["kind", "sample"]).sections is not None
        assert not any(
            "sections" in text for text in plan(adata, annotation_columns=["kind"], sections="none").warnings
        )

    def test_requested_section_column_is_added_to_the_list(self) -> None:
        adata = build(sample=halves(), kind=halves("x", "y"))
        found = plan(adata, annotation_columns=["kind"], sections="sample")
        assert [a.name for a in found.annotations] == ["kind", "sample"]
        assert any("'sample' was added" in text for text in found.warnings)
        found = plan(adata, annotation_columns=["sample", "kind"], sections="sample")
        assert [a.name for a in found.annotations] == ["sample", "kind"]

    def test_whole_floats_and_booleans_are_accepted_on_request(self) -> None:
        found = plan(build(batch=[(1.0, 2.0, np.nan)[i % 3] for i in range(N)]), sections="batch").sections
        assert found is not None
        assert [section.name for section in found.items] == ["1", "2"] and found.missing == N // 3
        assert plan(build(flag=halves(True, False)), sections="flag").sections is not None

    def test_section_column_cell_id_is_renamed(self) -> None:
        found = plan(build(cell_id=halves()), sections="cell_id")
        assert found.sections is not None and found.sections.column == "cell_id_obs"

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (["same"] * N, "same value for every cell.*Suitable columns: kind"),
            ([None] * N, "no values"),
            ([i % 501 for i in range(N)], "501 values, more than the limit of 500"),
            (np.arange(N) * 0.5, "does not hold text, categories or whole numbers"),
            (halves(["a"], ["b"]), "does not hold"),
        ],
    )
    def test_unsuitable_requested_column_raises(self, values: Any, message: str) -> None:
        adata = build(column=values, kind=halves())
        with pytest.raises(ColumnError, match=message):
            plan(adata, sections="column")
        problems = estimate(open_source(adata), ExportConfig(sections="column")).problems
        assert set(problems) == {"sections"}

    def test_missing_section_column_raises(self) -> None:
        with pytest.raises(ColumnError, match=r"no column 'sampel' for sections. Did you mean 'sample'"):
            plan(build(sample=halves()), sections="sampel")

    def test_single_remaining_section_warns(self) -> None:
        adata = build(sample=halves())
        adata.obsm["spatial"][1::2] = np.nan
        found = plan(adata, sections="sample")
        assert found.sections is None
        assert any("have the same value of 'sample'" in text for text in found.warnings)
        assert plan(adata).sections is None

    def test_sample_is_stratified_by_the_requested_sections(self) -> None:
        donor = ["rare"] * 6 + ["common"] * (N - 6)
        adata = build(donor=donor, sample=halves())
        found = plan(adata, sections="donor", downsample=100)
        assert found.sections is not None
        assert [section.count for section in found.sections.items] == [99, 1]
        assert any("within each donor" in text for text in found.warnings)
        assert not any("within" in text for text in plan(adata, sections="none", downsample=100).warnings)


def overlap(*parts: Any) -> bool:
    boxes = np.array([(*part.min(axis=0), *part.max(axis=0)) for part in parts], dtype=np.float64)
    return overlapping([np.asarray(part, dtype=np.float64) for part in parts], boxes)


class TestOverlap:
    def setup_method(self) -> None:
        self.rng = np.random.default_rng(3)

    def block(self, x: float, y: float, n: int = 500, size: float = 1.0) -> Any:
        return self.rng.random((n, 2)) * size + (x, y)

    def test_sections_with_separate_coordinate_systems_overlap(self) -> None:
        assert overlap(self.block(0, 0), self.block(0, 0))
        assert overlap(self.block(0, 0), self.block(5, 5), self.block(5.1, 5.2))
        assert overlap(self.block(0, 0, 5000, 10.0), self.block(4, 4, 50, 1.0))

    def test_few_cells_at_the_same_position_overlap(self) -> None:
        assert overlap(self.block(0, 0, 20), self.block(0, 0, 20))
        assert overlap(np.array([[0.0, 0.0]]), np.array([[0.0, 0.0]]))
        assert not overlap(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))

    def test_sections_side_by_side_do_not_overlap(self) -> None:
        tiles = [self.block(x, y) for x in range(5) for y in range(4)]
        assert not overlap(*tiles)
        assert not overlap(self.block(0, 0), self.block(0.85, 0))  # 15% of a box
        assert overlap(self.block(0, 0), self.block(0.6, 0))

    def test_tilted_adjacent_sections_do_not_overlap(self) -> None:
        # Two diagonal bands: more than half of their boxes overlap, but their cells do not.
        t, w = self.rng.random((2, 4000)) * [[10.0], [1.0]]
        lower = np.column_stack([t + w, t - w])
        upper = lower + np.array([-1.5, 1.5])
        assert not overlap(lower, upper)
        assert overlap(lower, lower + np.array([0.2, -0.2]))

    def test_overlap_is_detected_along_a_line(self) -> None:
        line = np.column_stack([np.linspace(0, 1, 50), np.zeros(50)])
        assert overlap(line, line)
        assert not overlap(line, line + np.array([1.5, 0]))


def test_manifest_lists_the_sections() -> None:
    adata = build(fov=[i % 3 for i in range(N)])
    adata.obsm["spatial"][:, 0] += np.arange(N) % 3 * 200
    bundle = run_to_memory(adata, ExportConfig())
    bundle.verify()
    sections = bundle.manifest.sections
    assert sections is not None
    assert (sections.column, sections.overlapping, sections.missing) == ("fov", False, 0)
    assert [(section.name, section.count) for section in sections.items] == [("0", 200), ("1", 200), ("2", 200)]
    assert sections.column in bundle.manifest.annotation_columns
    [column] = bundle.manifest.columns or []
    assert column.kind == "category"
    adata.obsm["spatial"][:, 0] -= np.arange(N) % 3 * 200
    again = run_to_memory(adata, ExportConfig()).manifest.sections
    assert again is not None and again.overlapping


def test_annotations_constant_within_sections_become_facts() -> None:
    section = np.arange(N) % 3
    adata = build(
        sample=[f"s{i}" for i in section],
        patient=pd.Categorical([["b", "a", "b"][i] for i in section], categories=["b", "a"]),
        age=[[41.5, None, 12.0][i] for i in section],
        day=section * 10,
        treated=section == 1,
        kind=[f"k{i % 2}" for i in range(N)],  # several values in each section
        torn=[None if i == 4 else "x" for i in range(N)],
        gap=[None if cell < 9 else float(i) for cell, i in enumerate(section)],
        one=["same"] * N,
    )
    adata.obs.loc[section == 2, "patient"] = None
    bundle = run_to_memory(adata, ExportConfig())
    bundle.verify()
    sections = bundle.manifest.sections
    assert sections is not None
    assert {fact.column: fact.values for fact in sections.facts or []} == {
        "patient": ["b", "a", None],
        "age": [41.5, None, 12.0],
        "day": [0.0, 10.0, 20.0],
        "treated": ["False", "True", "False"],
    }
    without = run_to_memory(build(sample=halves()), ExportConfig()).manifest.sections
    assert without is not None and without.facts is None


def test_sections_of_a_real_file_have_exact_counts(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "cycif_mti_phenotyped.h5ad"
    adata = ad.read_h5ad(path)
    config = ExportConfig(h5ad_path=path, outdir=tmp_path / "out", genes_mode="top_mean:3", sections="phenotype")
    manifest = export_h5ad(config)
    Bundle(tmp_path / "out").verify()
    assert manifest.sections is not None
    counts = adata.obs["phenotype"].value_counts()
    assert {item.name: item.count for item in manifest.sections.items} == {str(k): v for k, v in counts.items() if v}
    assert manifest.sections.overlapping  # cells of different types are mixed
