"""The inputs to damage, and how each is used afterwards."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import mutation

from karospace_jupyter import Bundle, ExportConfig, adata_to_karospace, export_h5ad
from karospace_jupyter.bundle.cell_ids import cell_ids
from karospace_jupyter.datasets import synthetic_tissue
from karospace_jupyter.errors import KaroSpaceError
from karospace_jupyter.widget.fallback import fallback_html, fallback_picture

Damage = Callable[[random.Random, Path], Path]
"""Writes a damaged copy to a folder, and returns its path."""
Use = Callable[[Path], object]


class Targets:
    """Small files of every kind, created once."""

    def __init__(self, folder: Path) -> None:
        tissue = synthetic_tissue(120, 8, seed=1)
        self.h5ad, self.zarr = folder / "small.h5ad", folder / "small.zarr"
        tissue.write_h5ad(self.h5ad)
        _with_small_image(tissue).write_zarr(self.zarr)
        bundle = adata_to_karospace(
            tissue, folder / "b", single_file=folder / "b.html", zip_path=folder / "b.zip", genes_mode="all",
            embeddings=["X_umap"],
        )  # fmt: skip
        assert bundle.path is not None
        self.bundle, self.html, self.zip = bundle.path, folder / "b.html", folder / "b.zip"
        self.manifest = json.loads((self.bundle / "manifest.json").read_text())
        self.view = {
            "karospace_view": 1,
            "n_cells": 120,
            "state": {"color": {"kind": "gene", "gene": "EPCAM"}, "opacity": 0.5, "hidden": {"cell_type": ["Tumor"]}},
            "regions": [{"name": "A", "color": "#ff0000", "bits": "AAAA"}],
        }
        self.kinds: dict[str, tuple[Damage, Use]] = {
            "h5ad": (self._of_file(self.h5ad), self.export),
            "zarr": (self._zarr, self.export),
            "manifest": (self._manifest, self.open),
            "tables": (self._table, self.open),
            "scripts": (self._script, self.open),
            "html": (self._of_file(self.html), self.open),
            "zip": (self._of_file(self.zip), self.open),
            "view": (self._view, self.export_with_view),
        }

    def _of_file(self, path: Path) -> Damage:
        data = path.read_bytes()

        def damage(rng: random.Random, folder: Path) -> Path:
            (folder / path.name).write_bytes(mutation.of_bytes(data, rng))
            return folder / path.name

        return damage

    def _zarr(self, rng: random.Random, folder: Path) -> Path:
        store = Path(shutil.copytree(self.zarr, folder / self.zarr.name))
        for path in rng.sample(sorted(p for p in store.rglob("*") if p.is_file()), rng.randint(1, 3)):
            if rng.random() < 0.2:
                path.unlink()
            elif path.name.endswith(".json") or path.name.startswith(".z"):
                try:
                    path.write_text(json.dumps(mutation.of_json(json.loads(path.read_text()), rng)))
                except (ValueError, RecursionError):
                    path.write_bytes(mutation.of_bytes(path.read_bytes(), rng))
            else:
                path.write_bytes(mutation.of_bytes(path.read_bytes(), rng))
        return store

    def _manifest(self, rng: random.Random, folder: Path) -> Path:
        copied = Path(shutil.copytree(self.bundle, folder / "b"))
        text = json.dumps(mutation.of_json(self.manifest, rng))
        raw = text.encode() if rng.random() < 0.8 else mutation.of_bytes(text.encode(), rng)
        (copied / "manifest.json").write_bytes(raw)
        return copied

    def _table(self, rng: random.Random, folder: Path) -> Path:
        """Damage the content of files whose sizes and checksums match the manifest."""
        copied = Path(shutil.copytree(self.bundle, folder / "b"))
        manifest = json.loads(json.dumps(self.manifest))
        files = [file for file in manifest["asset_files"] if file["path"].endswith(".gz")]
        for file in rng.sample(files, rng.randint(1, 2)):
            raw = gzip.decompress((copied / file["path"]).read_bytes())
            if file["kind"].endswith("json") and rng.random() < 0.6:
                raw = json.dumps(mutation.of_json(json.loads(raw), rng)).encode()
            else:
                raw = mutation.of_bytes(raw, rng)
            stored = gzip.compress(raw, 1, mtime=0)
            (copied / file["path"]).write_bytes(stored)
            file.pop("sha256")
            file.update(size_bytes=len(stored), raw_bytes=len(raw), raw_crc32=zlib.crc32(raw))
        (copied / "manifest.json").write_text(json.dumps(manifest))
        return copied

    def _script(self, rng: random.Random, folder: Path) -> Path:
        """Damage stored files without updating the manifest."""
        copied = Path(shutil.copytree(self.bundle, folder / "b"))
        for path in rng.sample(sorted(p for p in copied.rglob("*") if p.is_file()), rng.randint(1, 2)):
            path.write_bytes(mutation.of_bytes(path.read_bytes(), rng))
        return copied

    def _view(self, rng: random.Random, folder: Path) -> Path:
        text = json.dumps(mutation.of_json(self.view, rng)).encode()
        (folder / "view.json").write_bytes(text if rng.random() < 0.8 else mutation.of_bytes(text, rng))
        return folder / "view.json"

    def export(self, path: Path) -> None:
        out = path.parent / "out"
        try:
            export_h5ad(ExportConfig(h5ad_path=path, outdir=out, genes_mode="all"))
        finally:
            assert {p.name for p in path.parent.iterdir()} <= {path.name, "out"}, "files were left behind"
            if out.exists():
                Bundle(out).verify()  # the published bundle must be complete

    def export_with_view(self, path: Path) -> None:
        out = path.parent / "out"
        export_h5ad(ExportConfig(h5ad_path=self.h5ad, outdir=out, genes_mode="all", view=path))
        Bundle(out).verify()

    def open(self, path: Path) -> None:
        """Use a bundle in every way, continuing after errors."""
        bundle = Bundle(path)

        def genes() -> object:
            return [bundle.gene(name) for name in bundle.manifest.gene_list]

        steps: list[Callable[[], object]] = [
            lambda: bundle.warnings,
            lambda: fallback_html(bundle, title="tissue", contents="3 cells", picture=fallback_picture(bundle)),
            lambda: cell_ids(bundle),
            genes,
            lambda: [bundle.embedding(embedding.name) for embedding in bundle.manifest.embeddings or ()],
            lambda: bundle.save(path.parent / "saved"),
            lambda: bundle.to_html(path.parent / "saved.html"),
            bundle.verify,
        ]
        refused: KaroSpaceError | None = None
        for step in steps:
            try:
                step()
            except KaroSpaceError as exc:
                refused = exc
            except KeyError:
                if step is not genes:  # a gene may be listed without an entry
                    raise
        left = {p.name for p in path.parent.iterdir()} - {path.name, "saved", "saved.html"}
        assert not left, f"files were left behind: {left}"
        if refused is not None:
            raise refused


def _with_small_image(tissue: ad.AnnData) -> ad.AnnData:
    """Return a copy whose image has few pixels: encoding the whole image takes half of the time of an export."""
    small = tissue.copy()
    for library in small.uns["spatial"].values():
        library["images"] = {key: pixels[::8, ::8] for key, pixels in library["images"].items()}
        factors = library["scalefactors"]
        factors.update({name: factor / 8 for name, factor in factors.items() if name.endswith("_scalef")})
    return small
