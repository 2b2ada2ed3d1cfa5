"""Write bundles as KaroSpaceBuilder 0.x does: format 1.0, ``NaN`` in JSON, an image without a transform."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

PAGE = "<!doctype html><title>KaroSpace Static Viewer</title><p>the viewer of another exporter</p>"


def write_reference_bundle(
    folder: Path,
    *,
    obs: pd.DataFrame,
    xy: NDArray[np.float32],
    genes: dict[str, NDArray[np.float32]],
    image: NDArray[np.uint8] | None = None,
    compressed: bool = True,
    chunks: int = 1,
    csv: bool = True,
    records: bool = True,
) -> Path:
    """Write the bundle. `obs` is written as it is; its index holds the cell IDs."""
    assets: list[dict[str, Any]] = []

    def put(kind: str, name: str, data: bytes) -> dict[str, Any]:
        path = folder / "assets" / (f"{name}.gz" if compressed and kind != "image" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        file = {"kind": kind, "path": path.relative_to(folder).as_posix(), "size_bytes": path.stat().st_size}
        assets.append(file)
        return file

    table = obs.rename_axis("cell_id").reset_index()
    table["cell_id"] = table["cell_id"].astype(str)
    positions = pd.DataFrame({"cell_id": table["cell_id"], "x": xy[:, 0], "y": xy[:, 1]})
    bounds = np.linspace(0, len(table), chunks + 1).astype(int)
    for part in range(chunks):
        rows = slice(bounds[part], bounds[part + 1])
        if csv:
            put("obs_csv", f"obs_{part:03d}.csv", table.iloc[rows].to_csv(index=False).encode())
        if records:
            text = json.dumps(table.iloc[rows].to_dict(orient="records"), separators=(",", ":"))
            put("obs_json", f"obs_records_{part:03d}.json", text.encode())
        text = json.dumps(positions.iloc[rows].to_dict(orient="records"), separators=(",", ":"))
        put("coords_json", f"coords_{part:03d}.json", text.encode())
    var = pd.DataFrame({"gene": list(genes), "source_index": range(len(genes))})
    put("var_csv", "var_000.csv", var.to_csv(index=False).encode())
    entries = []
    for index, (gene, values) in enumerate(genes.items()):
        data = values.astype("<f4").tobytes()
        written = put("expression_chunk", f"expression/gene_{index:05d}_part_000.bin", data)
        chunk = {"path": written["path"], "start": 0, "end": len(values), "size_bytes": written["size_bytes"]}
        entries.append({"gene": gene, "index": index, "chunks": [chunk]})
    manifest: dict[str, Any] = {
        "dataset_name": "reference",
        "n_cells": len(table),
        "n_genes_exported": len(genes),
        "coordinate_source": "obsm:spatial",
        "annotation_columns": list(obs.columns),
        "gene_list": list(genes),
        "asset_files": assets,
        "expression": {
            "format": "per_gene_float32_v1",
            "dtype": "float32",
            "n_cells": len(table),
            "gzip": compressed,
            "genes": entries,
        },
        "schema_version": "1.0.0",
        "created_at": "2025-01-01T00:00:00+00:00",
    }
    if image is not None:
        path = folder / "assets/image.png"
        Image.fromarray(image).save(path)
        assets.append({"kind": "image", "path": "assets/image.png", "size_bytes": path.stat().st_size})
        manifest["image"] = {"path": "assets/image.png", "width": image.shape[1], "height": image.shape[0]}
    (folder / "index.html").write_text(PAGE)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return folder


def aligned_by_mistake(obs: pd.DataFrame) -> pd.DataFrame:
    """Return `obs` as KaroSpaceBuilder 0.x writes it: index alignment turns non-numeric columns into NaN."""
    lost = {
        name: column if pd.api.types.is_numeric_dtype(column) else pd.Series(np.nan, index=obs.index)
        for name, column in obs.items()
    }
    return pd.DataFrame(lost, index=obs.index)
