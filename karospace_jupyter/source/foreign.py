"""Recognize inputs that are not AnnData: other objects, stores of several tables, and files of other formats."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from karospace_jupyter.bundle.files import is_bundle
from karospace_jupyter.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATA = frozenset({".h5ad", ".h5mu", ".h5", ".hdf5", ".h5seurat", ".loom", ".zarr", ".rds", ".rdata", ".csv", ".tsv"})
_OBJECTS = {
    "MuData": ("mudata", "modalities", "mod", "mdata"),
    "SpatialData": ("spatialdata", "tables", "tables", "sdata"),
}
_MAX_LISTED = 12
# save() and saveRDS() without compression: the format, its version and, for text, the version of R.
_R_DATA = re.compile(rb"RD[AX]\d\n|X\n\0\0\0[\2\3]|A\n[23]\n\d{4}")


def is_data_path(path: Path) -> bool:
    """Return whether a path is data rather than a bundle: by its suffix, or as (part of) a zarr store."""
    if (path / "manifest.json").is_file():
        return False
    markers = (".zgroup", "zarr.json", ".zmetadata")
    inside = any(part.suffix.lower() in {".h5ad", ".h5mu", ".zarr"} for part in path.parents)
    return path.suffix.lower() in _DATA or inside or any((path / name).is_file() for name in markers)


def check_object(subject: Any) -> None:  # noqa: ANN401 - any object that a user passes
    """Reject objects that contain several AnnData objects.

    Raises
    ------
    SourceError
        For MuData and SpatialData. The message lists the AnnData objects to choose from.
    """
    for kind, (package, holds, attribute, variable) in _OBJECTS.items():
        if not any(
            one.__name__ == kind and one.__module__.partition(".")[0] == package for one in type(subject).__mro__
        ):
            continue
        keys = list(map(str, getattr(subject, attribute)))
        each = [f"{variable}.{attribute}[{json.dumps(key, ensure_ascii=False)}]" for key in keys]
        msg = f"Got a {kind} object, which contains several AnnData objects. " + _choice(holds, keys, each, "Pass")
        raise SourceError(msg)


def only_table(root: Any) -> str | None:  # noqa: ANN401 - h5py and zarr share no type
    """Return the path of the table of a SpatialData store if it has a single one, otherwise None."""
    names = list(root)
    found = _tables(root, names) if _is_spatialdata(root, names) else []
    return found[0] if len(found) == 1 else None


def foreign_group(root: Any, where: str) -> str:  # noqa: ANN401 - h5py and zarr share no type
    """Return an error message for a file or store without obs and var, or with modalities."""
    names = list(root)
    if "mod" in names and not hasattr(root["mod"], "shape"):
        keys = [key for key in root["mod"] if _is_anndata(root["mod"][key])]
        return f"{where} is MuData. " + _choice("modalities", keys, [f"{where}/mod/{key}" for key in keys], "Open")
    found = [(path.rpartition("/")[2], f"{where}/{path}") for path in _tables(root, names)]
    if _is_spatialdata(root, names):
        if not found:
            return (
                f"{where} is SpatialData without a table: it has no gene expression. It contains: {_contents(names)}."
            )
        return f"{where} is SpatialData. " + _choice("tables", [k for k, _ in found], [p for _, p in found], "Open")
    if found:
        keys, paths = [key for key, _ in found], [inner for _, inner in found]
        return f"{where} is not AnnData itself. " + _choice("groups", keys, paths, "Open")
    return _other_hdf5(root, names, where)


def _tables(root: Any, names: Sequence[str]) -> list[str]:  # noqa: ANN401
    """Return the paths of the AnnData groups of a store that is not AnnData itself."""
    found = [key for key in sorted(names) if _is_anndata(root[key])]
    for group in ("tables", "table"):
        if group in names and not hasattr(root[group], "shape"):
            found += [f"{group}/{key}" for key in sorted(root[group]) if _is_anndata(root[group][key])]
    return found


def _is_spatialdata(root: Any, names: Sequence[str]) -> bool:  # noqa: ANN401
    elements = {"images", "labels", "points", "shapes", "tables", "table"}
    return len(elements.intersection(names)) >= 2 or any("spatialdata" in str(name) for name in root.attrs)


def holds_modalities(root: Any) -> bool:  # noqa: ANN401
    """Return whether a group is MuData, whose obs and var are those of all modalities."""
    encoding = root.attrs.get("encoding-type", "")
    encoding = encoding.decode() if isinstance(encoding, bytes) else str(encoding)
    return encoding == "MuData" or ("mod" in root and "X" not in root and not hasattr(root["mod"], "shape"))


def foreign_file(path: PurePath, where: str, head: bytes) -> str:
    """Return an error message for a file that is not HDF5, based on its name and its first bytes."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    inner = suffixes[-2] if len(suffixes) > 1 else ""
    last = suffixes[-1] if suffixes else ""
    if not head:
        return f"{where} is not an .h5ad file: it is empty."
    if last in {".rds", ".rdata", ".rda"}:
        return _r_data(where)
    if isinstance(path, Path) and is_bundle(path):
        return bundle_instead(where)
    if head.startswith(b"PK"):
        what = "zarr store" if ".zarr" in suffixes else "file"
        return f"{where} is a zip archive. Unpack it and open the {what} inside."
    if head.startswith(b"\x1f\x8b"):
        if last == ".gz" and inner in {".csv", ".tsv", ".txt", ".mtx"}:
            return _text_table(where)
        return f"{where} is compressed with gzip. Unpack it (gunzip) and open the file inside."
    if last in {".csv", ".tsv", ".txt", ".mtx"}:
        return _text_table(where)
    if _R_DATA.match(head):
        return _r_data(where)
    begins = head.decode("utf-8", "replace")
    return f"{where} is not an .h5ad file: it is not HDF5 (it starts with {begins!r})."


def bundle_instead(where: str) -> str:
    """Return an error message for a bundle that was given instead of data."""
    command = f"karospace-export --open {shlex.quote(where)}"
    return (
        f"{where} is an exported bundle, not AnnData. To view it, run {command}, or drop it on the desktop app; in a "
        "notebook, use karospace_view."
    )


def _r_data(where: str) -> str:
    return (
        f"{where} is an R data file. Convert the Seurat or SingleCellExperiment object in R to .h5ad (packages "
        "anndataR, zellkonverter or SeuratDisk), and open that."
    )


def _text_table(where: str) -> str:
    return (
        f"{where} is a text table, not AnnData. Read it with anndata.io.read_csv or read_mtx, add the coordinates "
        "of the cells to obsm['spatial'], and export the object, or write it with write_h5ad."
    )


def _other_hdf5(root: Any, names: list[str], where: str) -> str:  # noqa: ANN401
    ten_x = {"barcodes", "data", "indptr"}
    groups = [root[name] for name in names if not hasattr(root[name], "shape")]
    if any(ten_x <= set(group) for group in groups):
        return (
            f"{where} is a 10x Genomics matrix, which has no coordinates. Read it with scanpy.read_10x_h5 and add the "
            "coordinates, or read its Space Ranger folder with squidpy.read.visium, and export the object."
        )
    if {"matrix", "row_attrs", "col_attrs"} <= set(names):
        return (
            f"{where} is a Loom file. Read it with anndata.io.read_loom, add the coordinates of the cells to "
            "obsm['spatial'], and export the object."
        )
    if {"assays", "cell.names"} <= set(names):
        name = PurePath(where).name
        return f"{where} is an h5Seurat file. Convert it in R: SeuratDisk::Convert({name!r}, dest = 'h5ad')."
    missing = [name for name in ("obs", "var") if name not in names]
    return f"{where} is not AnnData: it has no {' and no '.join(missing)}. It contains: {_contents(names)}."


def _is_anndata(node: Any) -> bool:  # noqa: ANN401
    return not hasattr(node, "shape") and "obs" in node and "var" in node


def _contents(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)[:10]) or "nothing"


def _choice(holds: str, keys: Sequence[str], each: Sequence[str], verb: str) -> str:
    if not keys:
        return f"It has no {holds}."
    rest = f" and {len(keys) - _MAX_LISTED:,} more" if len(keys) > _MAX_LISTED else ""
    choose = f"{verb} {each[0]}" if len(keys) == 1 else f"{verb} one of them: {', '.join(each[:_MAX_LISTED])}"
    return f"Its {holds}: {', '.join(keys[:_MAX_LISTED])}{rest}. {choose}."
