"""Describe the bundle of a finished export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from karospace_jupyter.bundle.store_files import StoreFiles
from karospace_jupyter.contracts.form import Result

if TYPE_CHECKING:
    from karospace_jupyter.publish.bundle import Bundle


def result_of(bundle: Bundle, *, number: int = 0) -> Result:
    """Return what a form shows about a bundle.

    Parameters
    ----------
    number
        The number of exports made by the form.
    """
    manifest, path = bundle.manifest, bundle.path
    url = bundle.files.origin if isinstance(bundle.files, StoreFiles) else ""
    try:
        files, n_bytes = bundle.size_on_disk()
    except OSError:  # the bundle is being removed
        files, n_bytes = len(manifest.asset_files), sum(file.size_bytes for file in manifest.asset_files)
    return Result(
        name=manifest.dataset_name,
        path=url if path is None else str(path),
        bytes=n_bytes,
        files=files,
        n_cells=manifest.n_cells,
        n_cells_source=manifest.n_cells_source,
        observations=manifest.observations,
        n_genes=manifest.n_genes,
        warnings=tuple(bundle.warnings),
        created=manifest.created_at,
        folder=url if path is None else relative(path),
        places=() if path is None else places(path),
        number=number,
    )


def relative(path: Path) -> str:
    """Return a path in the working directory relative to it; other paths are returned unchanged."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def places(path: Path) -> tuple[str, ...]:
    """Return the path in each form that a server may use: as given, resolved, and relative to the home folder."""
    found = [path, path.resolve()]
    home = Path.home()
    found += [Path("~") / one.relative_to(home) for one in found if one.is_relative_to(home)]
    return tuple(dict.fromkeys(one.as_posix() for one in found))
