"""Tests of the panel's requests to the kernel, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import h5py
import pandas as pd
import pytest
from waiting import PATIENCE_S, eventually

from karospace_jupyter.config import ExportConfig
from karospace_jupyter.contracts.messages import CompleteGene, Start
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.export import run
from karospace_jupyter.lab import call


class Shell:
    """A shell of IPython that has nothing but variables."""

    user_ns: ClassVar[dict[str, Any]] = {}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """The variables of a kernel whose working directory is a temporary folder."""
    monkeypatch.setattr(Shell, "user_ns", {})
    monkeypatch.setattr("IPython.get_ipython", lambda: Shell)
    monkeypatch.chdir(tmp_path)
    return Shell.user_ns


def ask(**request: Any) -> Any:
    """Send a request of the panel, and return the content of the answer."""
    return call(json.dumps(request)).data


def completed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer, waiting for it if it is computed in a thread."""
    if "ticket" in answer:
        ticket = answer["ticket"]
        return eventually(lambda: ask(do="answer", ticket=ticket), lambda found: "ticket" not in found)
    return answer


def model(answer: dict[str, Any]) -> Any:
    """Return the widget that an answer refers to."""
    from ipywidgets.widgets.widget import _instances

    return _instances[answer["model"]]


def test_form_exports_its_object_to_the_derived_target(names: dict[str, Any]) -> None:
    tissue = synthetic_tissue(300, 60, seed=1)
    names["mdata"] = type("MuData", (), {"mod": {"rna one": tissue}})()
    form = model(
        ask(do="form", where=["mdata", "rna one"], options={"outdir": "viewers/{name}", "genes_mode": "hvgs:7"})
    )
    assert form.options["outdir"] == str(Path("viewers/mdata_rna_one"))
    assert form.options["dataset_name"] == "mdata rna one"
    assert form.options["genes_mode"] == "hvgs:7"
    form.start()
    assert form.wait(PATIENCE_S) == "done"
    assert form.view is None
    form._on_start(Start(id="1", options={}, revision=0), [])
    assert form.wait(PATIENCE_S) == "done"
    # The form does not export a different object with the same name.
    names["mdata"] = type("MuData", (), {"mod": {"rna one": tissue[:50].copy()}})()
    form._on_start(Start(id="1", options={}, revision=0), [])
    assert "no longer refers to the object" in form.error
    assert ask(do="known", model=form.model_id) == {"known": True}
    model_id = form.model_id
    form.close()
    assert ask(do="known", model=model_id) == {"known": False}


def test_invalid_requests_and_missing_objects_return_errors(names: dict[str, Any]) -> None:
    assert "adata no longer exists in this kernel" in ask(do="form", where=["adata"], options={})["error"]
    names["adata"] = 3
    assert "is no longer an AnnData object, but of type int" in ask(do="form", where=["adata"], options={})["error"]
    assert "'nothing'" in ask(do="nothing")["error"]
    assert "path: Field required" in ask(do="verify")["error"]
    assert "error" in ask()
    assert "error" in ask(do="file", path="none.h5ad", options={})


def test_form_of_a_file_exports_from_disk(names: dict[str, Any], tmp_path: Path) -> None:
    synthetic_tissue(300, 60, seed=1).write_h5ad(tmp_path / "tissue.h5ad")
    form = model(ask(do="file", path="tissue.h5ad", options={}))
    assert form._subject == tmp_path / "tissue.h5ad"
    form.start()
    assert form.wait(PATIENCE_S) == "done"
    assert form.bundle.path == tmp_path / "tissue_karospace"
    form.close()


@pytest.mark.parametrize("storage", ["h5ad", "zarr"])
def test_form_of_a_file_without_encoding_attributes_has_genes_and_categories(
    names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    """The form and the export agree, whereas anndata's own reader returns numbers for genes and categories."""
    tissue = synthetic_tissue(300, 60, seed=1)
    tissue.obs = tissue.obs[[]].assign(ct=pd.Categorical(["A", "B", "C"] * 100))
    path = tmp_path / f"tissue.{storage}"
    if storage == "h5ad":
        tissue.write_h5ad(path)
        root: Any = h5py.File(path, "r+")
    else:
        tissue.write_zarr(path)
        root = pytest.importorskip("zarr").open_group(path, use_consolidated=False)
        (path / ".zmetadata").unlink(missing_ok=True)
    for name in ("obs", "var", "obs/ct"):
        for part in ("encoding-type", "encoding-version", "_index", "column-order"):
            if part in root[name].attrs:
                del root[name].attrs[part]
    if storage == "h5ad":
        root.close()
    form = model(ask(do="file", path=path.name, options={"genes_mode": "hvgs:3"}))
    assert (form._summary["n_cells"], form._summary["n_genes"]) == (300, 60)
    summary = eventually(lambda: form._summary, lambda found: found["ready"])
    assert [(column["name"], column["kind"]) for column in summary["columns"]] == [("ct", "category")]
    sent: list[Any] = []
    monkeypatch.setattr(form._wire, "send", lambda message, *_: sent.append(message))
    gene = str(tissue.var_names[7])
    form._on_genes(CompleteGene(id="1", query=gene.lower()), [])
    assert gene in sent[0].genes
    assert f"adata_to_karospace({str(path)!r}," in form.code()
    monkeypatch.chdir(Path.home())
    form.start()
    assert form.wait(PATIENCE_S) == "done"
    assert {entry["gene"] for entry in form.manifest["expression"]["genes"]} <= set(tissue.var_names)
    form.close()


def test_only_bundles_are_verified_and_deleted(names: dict[str, Any], tmp_path: Path) -> None:
    bundle = run(synthetic_tissue(300, 60, seed=1), ExportConfig(outdir=tmp_path / "out", genes_mode="hvgs:3"))
    assert completed(ask(do="verify", path=str(bundle.path)))["files"] > 5
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("precious")
    assert "is not a bundle" in ask(do="delete", path=str(tmp_path / "thesis"))["error"]
    (tmp_path / "out" / "notes.txt").write_text("precious")
    assert "error" in ask(do="delete", path=str(tmp_path / "out"))
    assert (tmp_path / "out" / "notes.txt").exists()
    (tmp_path / "out" / "notes.txt").unlink()
    (tmp_path / "out" / "assets" / "mine.csv").write_text("precious")
    assert "assets/mine.csv" in ask(do="delete", path=str(tmp_path / "out"))["error"]
    (tmp_path / "out" / "assets" / "mine.csv").unlink()
    (tmp_path / "out" / "preview.png").write_bytes(b"")
    damaged = completed(ask(do="verify", path=str(bundle.path)))
    assert "preview.png" in damaged["error"]
    assert damaged["kind"] == "BundleError"
    assert ask(do="delete", path=str(tmp_path / "out")) == {}
    assert not (tmp_path / "out").exists()
