# Runs in the kernel of a notebook, with unknown packages: imports only modules that are already loaded and
# leaves no names behind. `variables` are those of the user.
import sys

from IPython.display import JSON

IN_OBSM = ("spatial", "X_spatial")
IN_OBS = (
    ("centroid_x", "centroid_y"), ("x_centroid", "y_centroid"), ("X_centroid", "Y_centroid"), ("center_x", "center_y"),
    ("CenterX_global_px", "CenterY_global_px"), ("x_location", "y_location"),
    ("pxl_col_in_fullres", "pxl_row_in_fullres"), ("x", "y"), ("X", "Y"), ("array_col", "array_row"),
)


def is_a(value, package, name):
    kinds = type.mro(type(value))
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == package for kind in kinds)


def inside(name, value):
    if is_a(value, "anndata", "AnnData"):
        yield name, [name], value
        return
    for package, kind, tables in (("mudata", "MuData", "mod"), ("spatialdata", "SpatialData", "tables")):
        if is_a(value, package, kind):
            for key, table in list(getattr(value, tables).items()):
                if is_a(table, "anndata", "AnnData"):
                    yield "{}[{!r}]".format(name, key), [name, key], table


def across(name):
    # Yields names of the y column for each x that is a separate word or camel-case part of the name.
    if any(word in name.lower() for word in ("umap", "tsne", "pca")):
        return
    for at, letter in enumerate(name):
        before, after = name[at - 1:at] if at else "", name[at + 1:at + 2]
        alone = not before.isalpha() or (letter == "X" and before.islower())
        if letter in "xX" and alone and (not after.isalpha() or after.isupper()):
            yield name[:at] + ("y" if letter == "x" else "Y") + name[at + 1:]


def row(label, where, value):
    columns = set(value.obs.columns)
    found = any(key in value.obsm for key in IN_OBSM) or any(x in columns and y in columns for x, y in IN_OBS)
    found = found or any(y in columns for x in columns if isinstance(x, str) for y in across(x))
    found = found or bool(columns & {"geometry", "cell_shape"})
    return {
        "label": label, "where": where, "cells": int(value.n_obs), "genes": int(value.n_vars), "coordinates": found,
    }


def look():
    rows, seen = [], set()
    for name, value in list(variables.items()):
        if not isinstance(name, str) or name.startswith("_") or name in ("In", "Out"):
            continue
        try:
            found = [(row(*part), id(part[2])) for part in inside(name, value)]
        except Exception:  # do not list damaged, closed or incomplete objects
            continue
        rows += [one for one, key in found if key not in seen]
        seen.update(key for _, key in found)
    return rows


def version():
    package = sys.modules.get("karospace_jupyter")
    if package is not None:
        return package.__version__
    metadata = sys.modules.get("importlib.metadata")
    if metadata is None:
        import importlib.metadata as metadata
    try:
        return metadata.version("karospace-jupyter")
    except metadata.PackageNotFoundError:
        return None


answer = JSON({"objects": look(), "version": version()})
