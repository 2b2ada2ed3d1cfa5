"""Named gene sets are read from files and objects, matched to the genes, and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, gene_sets
from karospace_jupyter.errors import BundleError, ConfigError, GenesError, KaroSpaceError, PlanError
from karospace_jupyter.export import run_to_memory
from karospace_jupyter.gene_sets import LONGEST_SET_NAME, MAX_GENES, MAX_SETS, GeneSets, joined, read_gene_sets
from karospace_jupyter.plan import Plan, resolve
from karospace_jupyter.source import open_source

GENES = ["EPCAM", "CD3E", "CD3D", "MS4A1", "CD79A", "ENSG00000141510.18", "VIM", "DCN"]
SYMBOLS = ["", "", "T3D|CD3-DELTA", "", "", "TP53", "", ""]


@pytest.fixture(scope="module")
def adata() -> ad.AnnData:
    rng = np.random.default_rng(0)
    made = ad.AnnData(
        sp.csr_matrix(rng.poisson(1.0, (60, len(GENES))).astype(np.float32)),
        var=pd.DataFrame({"symbol": SYMBOLS}, index=GENES),
    )
    made.obsm["spatial"] = rng.random((60, 2)) * 100
    made.uns["markers"] = {
        "T cells": ["CD3E", "CD3D"],
        "B cells": np.array(["MS4A1", "CD79A"], dtype=object),
        "One": "VIM",
    }
    made.uns["table"] = pd.DataFrame({"T": ["CD3E", "CD3D"], "E": ["EPCAM", ""]})
    made.uns["number"] = 3
    made.uns["mixed"] = {"T": ["CD3E"], "params": 5}
    return made


def plan(adata: Any, **options: Any) -> Plan:
    config = ExportConfig(**{"genes_mode": ("EPCAM",), "packed": "no", **options})
    return resolve(open_source(adata, matrix=config.matrix), config)


def sets_of(found: Plan) -> dict[str, list[str]]:
    return {gene_set.name: list(gene_set.genes) for gene_set in found.gene_sets}


def write(folder: Path, text: str | bytes, name: str = "sets.gmt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestFiles:
    def test_format_is_detected_by_content(self, tmp_path: Path) -> None:
        wanted = {"T cells": ("CD3E", "CD3D"), "B": ("MS4A1",)}
        gmt = "\ufeffT cells\thttps://x\tCD3E\tCD3D\tCD3E\t\r\n\r\n# comment\r\nB\t\tMS4A1\r\n"
        assert read_gene_sets(write(tmp_path, gmt, "sets.json")) == wanted
        text = json.dumps({"T cells": ["CD3E", "CD3D"], "B": "MS4A1"}, indent=1)
        assert read_gene_sets(write(tmp_path, f" \n{text}", "sets.gmt")) == wanted

    def test_json_of_msigdb_is_read(self, tmp_path: Path) -> None:
        value = {"HALLMARK_X": {"systematicName": "M5", "geneSymbols": ["CD3E", "VIM"]}}
        assert read_gene_sets(write(tmp_path, json.dumps(value))) == {"HALLMARK_X": ("CD3E", "VIM")}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "contains no gene sets"),
            ("# only a comment\n", "contains no gene sets"),
            ("{}", "contains no gene sets"),
            ("A\tx\tCD3E\nB CD3E\n", r"line 2: found 1 tab-separated field; expected a name, a description"),
            ("A\tCD3E\n", r"line 1: found 2 tab-separated fields"),
            ("A\tx\t \t\n", r"the gene set 'A' is empty"),
            (" \tx\tCD3E\n", r"line 1: the name of the gene set is empty"),
            ("A\tx\tCD3E\nA\tx\tVIM\n", r"two gene sets are named 'A'"),
            ('{"A": ["CD3E"],\n "B": [}', r"not valid JSON: line 2, column 8"),
            ('{"A": ["CD3E"], "A": ["VIM"]}', r"two gene sets are named 'A'"),
            ('{"A": []}', r"the gene set 'A' is empty"),
            ('{"A": {"b": 1}}', r"the gene set 'A' is of type dict; expected a list of gene names"),
            ('{"A": [["CD3E"]]}', r"the gene set 'A' contains .* of type list; expected names of genes"),
            ('{"A": [true]}', r"contains 'True' of type bool"),
            ('{"": ["CD3E"]}', r"the name of gene set 1 is empty"),
            ('["CD3E"]', r"contains a list. Expected an object"),
            ("[" * 100_000, r"nested too deeply"),
            ('{"A": [' + "9" * 5000 + "]}", r"is not valid JSON: .*4300 digits"),
            (b"A\tx\t\xff\n", r"is not UTF-8 text"),
            ("x" * (LONGEST_SET_NAME + 1) + "\ty\tCD3E\n", r"has 201 characters, more than 200"),
        ],
    )  # fmt: skip
    def test_invalid_file_raises_and_is_named(self, tmp_path: Path, text: str | bytes, message: str) -> None:
        with pytest.raises(ConfigError, match=message) as caught:
            read_gene_sets(write(tmp_path, text))
        assert "sets.gmt" in str(caught.value)

    def test_missing_file_raises(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"none\.gmt cannot be read: No such file"):
            read_gene_sets(tmp_path / "none.gmt")

    def test_too_large_file_raises(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gene_sets, "_MAX_BYTES", 5)
        with pytest.raises(ConfigError, match=r"set file .*sets\.gmt is 0\.0 MB; at most 0 MB are read\. Keep only"):
            read_gene_sets(write(tmp_path, "A\tx\tCD3E\n"))

    def test_same_name_in_two_files_raises(self, tmp_path: Path, adata: ad.AnnData) -> None:
        first, second = write(tmp_path, "A\tx\tCD3E\n", "one.gmt"), write(tmp_path, "A\tx\tVIM\n", "two.gmt")
        with pytest.raises(ConfigError, match=r"named 'A', in .*one\.gmt and in .*two\.gmt"):
            plan(adata, gene_sets=[first, str(second)])

    def test_too_many_sets_or_genes_raise(self) -> None:
        fits: GeneSets = {f"s{i}": ("A",) for i in range(MAX_SETS)}
        assert joined([("x", fits)]) == fits
        with pytest.raises(ConfigError, match=r"Got 501 gene sets with 501 genes. At most 500 sets with 20,000 genes"):
            joined([("x", fits), ("y", {"more": ("A",)})])
        with pytest.raises(ConfigError, match=r"20,001 genes"):
            ExportConfig(gene_sets={"all": [f"g{i}" for i in range(MAX_GENES + 1)]})


class TestOption:
    @pytest.mark.parametrize(
        ("given", "stored"),
        [
            ("a.gmt", ("a.gmt",)), (Path("a.gmt"), ("a.gmt",)), ([Path("a.gmt"), "uns:m"], ("a.gmt", "uns:m")),
            ({"A": ["x", "x", "y"], 3: ("z",)}, {"A": ("x", "y"), "3": ("z",)}),
            ({"A": pd.Index(["x"]), "B": {"b", "a"}, "C": [7157]}, {"A": ("x",), "B": ("a", "b"), "C": ("7157",)}),
            (pd.DataFrame({"A": ["x", None], "B": ["y", "z"]}), {"A": ("x",), "B": ("y", "z")}),
            ({" <b>A</b> \ud800": ["\udc00 "]}, {"<b>A</b> ?": ("?",)}), (None, None),
        ],
    )  # fmt: skip
    def test_files_and_dictionaries_are_accepted(self, given: Any, stored: Any) -> None:
        config = ExportConfig(gene_sets=given)
        assert config.gene_sets == stored
        plain = config.model_dump(mode="json")["gene_sets"]
        assert ExportConfig(gene_sets=json.loads(json.dumps(plain))).gene_sets == stored, "via JSON, as forms send it"

    @pytest.mark.parametrize(
        ("given", "message"), [(5, "expected a file"), ([5], "expected a file"), ({"A": 5}, "'A'")]
    )
    def test_values_of_other_types_raise(self, given: Any, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            ExportConfig(gene_sets=given)


class TestObject:
    def test_dictionary_and_table_in_uns_are_read(self, adata: ad.AnnData, tmp_path: Path) -> None:
        markers = {"T cells": ["CD3E", "CD3D"], "B cells": ["MS4A1", "CD79A"], "One": ["VIM"]}
        file = tmp_path / "a.h5ad"
        adata.write_h5ad(file)
        for subject in (adata, file):
            assert sets_of(plan(subject, gene_sets="uns:table")) == {"T": ["CD3E", "CD3D"], "E": ["EPCAM"]}
            assert sets_of(plan(subject, gene_sets=("uns:markers",))) == markers
        assert list(sets_of(plan(adata, gene_sets="uns:markers"))) == list(markers)

    @pytest.mark.parametrize(
        ("key", "error", "message"),
        [
            ("marker", PlanError, r"no uns\['marker'\]. Did you mean 'markers'\? uns contains: markers, table"),
            ("number", PlanError, r"uns\['number'\] is of type int; expected a dictionary"),
            ("mixed", ConfigError, r"uns\['mixed'\]: the gene set 'params' is of type int"),
            ("", PlanError, r"no uns\[''\]"),
        ],
    )
    def test_unusable_entries_raise(
        self, adata: ad.AnnData, key: str, error: type[KaroSpaceError], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            plan(adata, gene_sets=f"uns:{key}")


class TestGenes:
    def test_names_are_matched_like_those_of_listed_genes(self, adata: ad.AnnData) -> None:
        found = plan(adata, gene_sets={"A": ["T3D", "TP53", "ENSG00000141510", "CD3E", "CD3D"]})
        assert sets_of(found) == {"A": ["CD3D", "ENSG00000141510.18", "CD3E"]}

    def test_genes_of_sets_are_exported(self, adata: ad.AnnData) -> None:
        found = plan(adata, gene_sets={"A": ["VIM", "EPCAM"], "B": ["DCN"]})
        assert found.genes.names == ("EPCAM", "VIM", "DCN")
        assert "2 genes of gene sets were added to the export." in found.warnings
        assert not any("gene sets" in text for text in plan(adata, gene_sets={"A": ["EPCAM"]}).warnings)

    def test_unknown_genes_are_counted_and_named(self, adata: ad.AnnData) -> None:
        unknown = [f"NOPE{i}" for i in range(12)]
        found = plan(adata, gene_sets={"A": ["EPCAM", *unknown], "B": ["EPCAM", "NOPE0"], "C": ["EPCAM"]})
        assert sets_of(found) == {"A": ["EPCAM"], "B": ["EPCAM"], "C": ["EPCAM"]}
        (warning,) = (text for text in found.warnings if "NOPE" in text)
        assert warning.startswith("12 genes of 2 gene sets are not in X: NOPE0, NOPE1, ")
        assert "NOPE7 and 4 more" in warning

    def test_set_without_known_genes_is_left_out_with_a_warning(self, adata: ad.AnnData) -> None:
        found = plan(adata, gene_sets={"A": ["EPCAM"], "Mouse": ["Epcam", "Cd3e"]})
        assert sets_of(found) == {"A": ["EPCAM"]}
        (warning,) = (text for text in found.warnings if "Mouse" in text)
        assert warning.startswith("The gene set 'Mouse' has no gene in X")
        assert "Did you mean 'EPCAM'? It is left out." in warning
        found = plan(adata, gene_sets={"A": ["EPCAM"], "M": ["x"], "N": ["y"]})
        (warning,) = (text for text in found.warnings if "left out" in text)
        assert warning.startswith("2 of 3 gene sets 'M', 'N' have no gene in X")

    def test_sets_without_any_known_gene_raise_before_writing(self, adata: ad.AnnData, tmp_path: Path) -> None:
        with pytest.raises(GenesError, match=r"2 of 2 gene sets 'M', 'N' have no gene in X.*kind of names"):
            adata_to_karospace(adata, tmp_path / "b", gene_sets={"M": ["x"], "N": ["y"]})
        assert list(tmp_path.iterdir()) == []


class TestBundle:
    def test_sets_are_read_back(self, adata: ad.AnnData, tmp_path: Path) -> None:
        odd = {"<b>T</b>\ud800": ["CD3E"], "__proto__": ["VIM", "EPCAM"]}
        bundle = adata_to_karospace(adata, tmp_path / "b", gene_sets=odd, genes_mode=("EPCAM",))
        wanted = {"<b>T</b>?": ["CD3E"], "__proto__": ["VIM", "EPCAM"]}
        assert Bundle(tmp_path / "b").gene_sets == bundle.gene_sets == wanted
        assert bundle.manifest.gene_list == ["EPCAM"]
        assert bundle.gene_names == tuple(GENES)
        assert bundle.verify().warnings == ()
        assert Bundle(bundle.to_html(tmp_path / "b.html")).gene_sets == wanted
        assert run_to_memory(adata, ExportConfig()).gene_sets == {}

    def test_verification_finds_genes_that_are_not_exported(self, adata: ad.AnnData, tmp_path: Path) -> None:
        adata_to_karospace(adata, tmp_path / "b", gene_sets={"A": ["CD3E"]}, genes_mode=("EPCAM",), scripts="no")
        path = tmp_path / "b" / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["gene_sets"][0]["genes"].append("NOPE")
        path.write_text(json.dumps(manifest))
        with pytest.raises(BundleError, match=r"gene set 'A': 1 gene not in the bundle, such as 'NOPE'"):
            Bundle(tmp_path / "b").verify()


class TestView:
    def view(self, folder: Path, sets: list[dict[str, Any]] | None) -> Path:
        return write(folder, json.dumps({"geneSets": sets}), "view.json")

    def test_saved_view_keeps_its_sets_and_gets_those_of_the_export(self, adata: ad.AnnData, tmp_path: Path) -> None:
        view = self.view(tmp_path, [{"name": "Mine", "genes": ["EPCAM", "VIM"]}, {"name": "A", "genes": ["EPCAM"]}])
        found = plan(adata, view=view, gene_sets={"A": ["CD3E"]}, genes_mode=("EPCAM", "VIM"))
        assert found.view is not None
        assert found.view["geneSets"] == [
            {"name": "A", "genes": ["CD3E"]},
            {"name": "Mine", "genes": ["EPCAM", "VIM"]},
        ]
        none = plan(adata, view=self.view(tmp_path, None), gene_sets={"A": ["CD3E"]})
        assert none.view is not None and none.view["geneSets"] is None, "the viewer shows the bundle's gene sets"

    def test_genes_that_are_not_exported_are_removed_from_the_sets_of_a_view(
        self, adata: ad.AnnData, tmp_path: Path
    ) -> None:
        view = self.view(tmp_path, [{"name": "Mine", "genes": ["EPCAM", "VIM"]}, {"name": "Gone", "genes": ["DCN"]}])
        found = plan(adata, view=view)
        assert found.view is not None and found.view["geneSets"] == [{"name": "Mine", "genes": ["EPCAM"]}]
        assert (
            "2 genes in gene sets of the view were left out because they are not exported: VIM, DCN." in found.warnings
        )
        assert "1 gene set of the view was left out because it has no exported genes: 'Gone'." in found.warnings

    def test_sets_beyond_the_limit_are_left_out_with_a_warning(self, adata: ad.AnnData, tmp_path: Path) -> None:
        many = [{"name": f"s{i}", "genes": ["EPCAM"]} for i in range(MAX_SETS)]
        found = plan(adata, view=self.view(tmp_path, many), gene_sets={"A": ["EPCAM"]})
        assert found.view is not None and len(found.view["geneSets"]) == MAX_SETS
        assert any("1 gene set was left out of the view: at most 500" in text for text in found.warnings)
