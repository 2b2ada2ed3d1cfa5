"""Store the files of a bundle as scripts: a page opened with a double click can run scripts, but cannot read files.

``manifest.js`` contains the manifest. Each shard in ``scripts/`` contains a range of bytes of the other files that the
viewer reads, concatenated in the order of ``asset_files``.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from karospace_jupyter.bundle.manifest import AssetFile, Manifest
from karospace_jupyter.errors import BundleError
from karospace_jupyter.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

KIND = "script"
GENE_KIND = "expression_chunk"
PACKED_KIND = "packed"
MANIFEST = "manifest.js"
ASKS = "Opened with a double click, the viewer will ask for its folder: "
"""Prefix of warnings about missing scripts, which are removed when the bundle is saved in another form."""


def without_scripts(manifest: Manifest) -> Manifest:
    """Return the manifest without its scripts and the warnings about missing scripts."""
    warnings = [one for one in manifest.warnings or () if not one.startswith(ASKS)]
    if manifest.scripts is None and len(warnings) == len(manifest.warnings or ()):
        return manifest
    return manifest.model_copy(
        update={
            "asset_files": [file for file in manifest.asset_files if file.kind != KIND],
            "scripts": None,
            "warnings": None if manifest.warnings is None else warnings,
        }
    )


def carried_files(manifest: Manifest) -> list[AssetFile]:
    """Return the files that scripts and HTML files hold: no scripts, and no single-gene files if genes are packed."""
    left_out = {KIND, GENE_KIND} if manifest.matrix in manifest.packed_matrices else {KIND}
    return [file for file in manifest.asset_files if file.kind not in left_out]


def lacks_gene_files(manifest: Manifest) -> bool:
    """Return whether there are no files of single genes because all genes are packed, as in an HTML file."""
    if not manifest.expression.genes or manifest.matrix not in manifest.packed_matrices:
        return False
    return not any(file.kind == GENE_KIND for file in manifest.asset_files)


def gene_file_problems(manifest: Manifest) -> Iterator[str]:
    """Yield problems of the files of single genes that a bundle lists but does not contain.

    Verification cannot read these files, so this checks whether they could be written when the bundle is saved.
    """
    # Some file systems ignore case.
    taken = {path.casefold() for path in ("manifest.json", "index.html", MANIFEST)}
    taken |= {file.path.casefold() for file in manifest.asset_files}
    for entry in manifest.expression.genes:
        expected = 0
        for chunk in entry.chunks:
            if problem := chunk.misplaced(expected):
                yield problem
                break
            expected = chunk.end
            path = chunk.path.casefold()
            if path in taken or path.startswith("scripts/"):
                yield f"{chunk.path} is listed for gene {entry.gene!r}, but the bundle uses this path for another file"
            taken.add(path)
        else:
            if expected != manifest.n_cells:
                cells = counted(manifest.n_cells, "cell")
                yield f"the files of gene {entry.gene!r} have values for {expected:,} of {cells}"


def carried_manifest(script: bytes) -> Manifest:
    """Return the manifest that ``manifest.js`` contains.

    Raises
    ------
    BundleError
        If the script is damaged.
    """
    try:
        return Manifest.model_validate_json(from_script("manifest.json", script))
    except ValueError as exc:
        msg = f"{MANIFEST} contains no valid manifest"
        raise BundleError(msg) from exc


def as_script(path: str, data: bytes) -> bytes:
    """Return a classic script that passes `data` to the page as the file `path`; the path needs no escaping."""
    return f'karospaceFile("{path}","'.encode() + base64.b64encode(data) + b'")\n'


def from_script(path: str, script: bytes) -> bytes:
    """Return the data of a script made by :func:`as_script`.

    Raises
    ------
    BundleError
        If it is not such a script.
    """
    start, end = f'karospaceFile("{path}","'.encode(), b'")\n'
    try:
        if script.startswith(start) and script.endswith(end):
            return base64.b64decode(script[len(start) : -len(end)], validate=True)
    except ValueError:
        pass
    msg = f"the script of {path} is damaged"
    raise BundleError(msg)
