"""Verification detects embeddings and sections that do not match their data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from karospace_jupyter import Bundle, ExportConfig
from karospace_jupyter.bundle.manifest import Manifest, SectionFact
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import BundleError
from karospace_jupyter.export import run_to_memory


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    tissue = synthetic_tissue(300, 20)
    tissue.obs["patient"] = tissue.obs["section"].map({"Section A": "p2", "Section B": "p1"}).astype("category")
    tissue.obs["age"] = tissue.obs["section"].map({"Section A": 41.5, "Section B": 12.0}).astype(float)
    tissue.obsm["X_pca"] = tissue.obsm["X_umap"][:, ::-1]
    return run_to_memory(tissue, ExportConfig(genes_mode="all"))


def embedding(at: int, **change: Any) -> Callable[[Manifest], dict[str, Any]]:
    """Return a function that changes one embedding of a manifest."""

    def changed(m: Manifest) -> dict[str, Any]:
        embeddings = list(m.embeddings or [])
        embeddings[at] = embeddings[at].model_copy(update=change)
        return {"embeddings": embeddings}

    return changed


def sections(**change: Any) -> Callable[[Manifest], dict[str, Any]]:
    """Return a function that changes the sections of a manifest."""

    def changed(m: Manifest) -> dict[str, Any]:
        assert m.sections is not None
        return {"sections": m.sections.model_copy(update=change)}

    return changed


def item(**change: Any) -> Callable[[Manifest], dict[str, Any]]:
    """Return a function that changes the first section."""

    def changed(m: Manifest) -> dict[str, Any]:
        assert m.sections is not None
        first, *rest = m.sections.items
        return {"sections": m.sections.model_copy(update={"items": [first.model_copy(update=change), *rest]})}

    return changed


def fact(column: str, *values: Any) -> Callable[[Manifest], dict[str, Any]]:
    """Return a function that replaces the facts of the sections."""
    return sections(facts=[SectionFact(column=column, values=list(values))])


def shorter(m: Manifest) -> dict[str, Any]:
    """Remove one cell from the chunk of an embedding."""
    [chunk] = (m.embeddings or [])[0].chunks
    return embedding(0, chunks=[chunk.model_copy(update={"end": chunk.end - 1})])(m)


def unlisted(m: Manifest) -> dict[str, Any]:
    """Remove the files of an embedding from the asset files."""
    paths = {chunk.path for chunk in (m.embeddings or [])[0].chunks}
    return {"asset_files": [file for file in m.asset_files if file.path not in paths]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (embedding(0, extent=(0.0, 0.0, 1.0, 1.0)), "embedding 'X_umap': its extent"),
        (embedding(1, name="X_umap"), "'X_umap' is listed more than once"),
        (embedding(0, chunks=[]), "0 of 300 cells"),
        (shorter, "the size of 299 cells"),
        (unlisted, "embedding_000_000.bin.gz is used but not in asset_files"),
        (sections(column="nope"), "'nope' is not an annotation"),
        (sections(column="area"), "'area' is a numeric annotation"),
        (sections(column="region"), "names or counts"),
        (sections(missing=1), "names or counts"),
        (sections(items=[]), "names or counts"),
        (item(name="other"), "names or counts"),
        (item(count=1), "names or counts"),
        (item(extent=(0.0, 0.0, 1.0, 1.0)), "section 'Section A': its extent"),
        (fact("nope", "p2", "p1"), "the fact 'nope' is not an annotation"),
        (fact("patient", "p2"), "the fact 'patient' has 1 value for 2 sections"),
        (fact("patient", "p2", "p2"), "'patient' is not 'p2'"),
        (fact("age", 41.5, 3.0), "'age' is not 3.0"),
        (fact("age", None, 12.0), "'age' is not None"),
        (fact("cell_type", "Tumor", "Tumor"), "'cell_type' is not 'Tumor'"),
    ],
)
def test_inconsistency_is_reported(bundle: Bundle, change: Callable[[Manifest], dict[str, Any]], message: str) -> None:
    bundle.verify()
    with pytest.raises(BundleError, match=message):
        Bundle(bundle.files, bundle.manifest.model_copy(update=change(bundle.manifest))).verify()
