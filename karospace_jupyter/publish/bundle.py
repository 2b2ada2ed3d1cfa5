"""The public class for bundles: reading, verifying, serving, and writing in other forms."""

from __future__ import annotations

import functools
import os
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from karospace_jupyter import display
from karospace_jupyter.bundle.damage import damage
from karospace_jupyter.bundle.files import FolderFiles, HtmlFiles, ZipFiles
from karospace_jupyter.bundle.markers import ARRAYS
from karospace_jupyter.bundle.neighbors import read_graph, section_column
from karospace_jupyter.bundle.read import BundleReader
from karospace_jupyter.bundle.tables import remarks
from karospace_jupyter.bundle.verify import VerifyReport, verify
from karospace_jupyter.errors import ComparisonError, NotExportedError
from karospace_jupyter.formatting import hint, shape
from karospace_jupyter.job import Job
from karospace_jupyter.paths import is_store_url
from karospace_jupyter.progress import comparing
from karospace_jupyter.publish.write import WithViewer, save_file, save_folder, save_to_store
from karospace_jupyter.serve import BundleServer
from karospace_jupyter.source.from_bundle import as_anndata
from karospace_jupyter.static import static_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import anndata as ad
    import pandas as pd
    from numpy.typing import NDArray

    from karospace_jupyter.bundle.files import BundleFiles
    from karospace_jupyter.differential import MatrixScale
    from karospace_jupyter.publish.scripts import When


class Bundle(BundleReader):
    """A bundle in a folder, a zip file, a single HTML file, in memory, on a web host, or in an object store.

    Parameters
    ----------
    path
        The folder, zip file or HTML file, the URL of a folder (``https://…``, ``s3://…``), or the files.
    manifest
        The manifest, if it was read before.
    storage_options
        Options of the file system of the URL, for fsspec: ``{"endpoint_url": "https://…"}``.

    Raises
    ------
    BundleError
        If it is not a bundle that this version can read.

    Examples
    --------
    >>> from karospace_jupyter import ExportConfig
    >>> from karospace_jupyter.datasets import synthetic_tissue
    >>> from karospace_jupyter.export import run_to_memory
    >>> bundle = run_to_memory(synthetic_tissue(n_cells=100, n_genes=20), ExportConfig())
    >>> bundle.manifest.n_cells, bundle.gene("EPCAM").shape, bundle.embedding("X_umap").shape
    (100, (100,), (100, 2))
    >>> bundle.save("viewer").path  # doctest: +SKIP
    PosixPath('/home/user/viewer')
    """

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Bundle:
        """Open the bundle in a folder, a zip file or a single HTML file.

        Examples
        --------
        >>> Bundle.load("viewer.zip").verify().files  # doctest: +SKIP
        328
        """
        return cls(path)

    @property
    def path(self) -> Path | None:
        """The folder or file; None for a bundle in memory."""
        return self.files.path if isinstance(self.files, (FolderFiles, ZipFiles, HtmlFiles)) else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Decisions and omissions of the exporter, and violations of the format in bundles of other exporters."""
        return (*(self.manifest.warnings or ()), *self.remarks)

    @functools.cached_property
    def remarks(self) -> tuple[str, ...]:
        """Violations of the format, and how the files are read nevertheless; empty for bundles of this package."""
        return tuple(remarks(self))

    def size_on_disk(self) -> tuple[int, int]:
        """Return the number of files of the bundle and their size in bytes; a zip or HTML file counts as one file."""
        path = self.path
        if path is None:
            return len(self.manifest.asset_files), sum(file.size_bytes for file in self.manifest.asset_files)
        if path.is_file():
            return 1, path.stat().st_size
        names = {"index.html", "manifest.json", *(file.path for file in self.manifest.asset_files)}
        sizes = [os.stat(path / name).st_size for name in names if (path / name).is_file()]  # noqa: PTH116
        return len(sizes), sum(sizes)

    def verify(self) -> VerifyReport:
        """Check the size and hash of every file, all lengths, and the consistency of the tables.

        Returns
        -------
        VerifyReport
            What was checked, and warnings.

        Raises
        ------
        BundleError
            If the bundle does not match its manifest. The message lists the problems.

        Examples
        --------
        >>> Bundle("viewer").verify().warnings  # doctest: +SKIP
        ()
        """
        return verify(self)

    def serve(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle on 127.0.0.1 until ``stop()`` of the returned server is called; the address is its `url`.

        Examples
        --------
        >>> with Bundle("viewer").serve() as server:  # doctest: +SKIP
        ...     print(server.url)
        http://127.0.0.1:8000/
        """
        return BundleServer(self.served(), port=port).start()

    def served(self) -> BundleFiles:
        """Return the files to serve: those of the bundle, with the viewer of this package as the page."""
        # New FolderFiles, because a later export may replace the folder.
        return WithViewer(FolderFiles(self.files.path) if isinstance(self.files, FolderFiles) else self.files)

    def open(self, *, port: int = 8000) -> BundleServer:
        """Serve the bundle and open it in the web browser. The server stops with ``stop()``.

        Examples
        --------
        >>> server = Bundle("viewer").open()  # doctest: +SKIP
        >>> server.stop()  # doctest: +SKIP
        """
        server = self.serve(port=port)
        webbrowser.open(server.url)
        return server

    def save(
        self,
        outdir: str | os.PathLike[str],
        *,
        scripts: When = "auto",
        storage_options: Mapping[str, Any] | None = None,
        job: Job | None = None,
    ) -> Bundle:
        """Write the bundle to a folder or an object store atomically, and return the bundle there.

        Parameters
        ----------
        outdir
            The folder to write, or a URL such as ``s3://bucket/tissue``.
        scripts
            Whether the folder opens with a double click, which requires additional scripts: ``"yes"``, ``"no"``, or
            ``"auto"`` (if the scripts take at most 200 MB). A bundle at a URL never has scripts.
        storage_options
            Options of the file system of the URL.
        job
            Receives progress and can cancel the work.

        Returns
        -------
        Bundle
            The written bundle.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing bundle is then unchanged.

        Examples
        --------
        >>> Bundle("viewer.zip").save("viewer").path  # doctest: +SKIP
        PosixPath('/home/user/viewer')
        """
        job = job or Job.null()
        if is_store_url(outdir):
            url = save_to_store(self.files, self.manifest, outdir, storage_options, job)
            return Bundle(url, storage_options=storage_options)
        return Bundle(save_folder(self.files, self.manifest, outdir, scripts, job))

    def to_html(self, path: str | os.PathLike[str], *, job: Job | None = None) -> Path:
        """Write the bundle to a single HTML file, which opens with a double click, and return its path.

        Parameters
        ----------
        path
            The HTML file to write.
        job
            Receives progress and can cancel the work.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing file is then unchanged.

        Examples
        --------
        >>> Bundle("viewer").to_html("viewer.html")  # doctest: +SKIP
        PosixPath('/home/user/viewer.html')
        """
        return save_file(self.files, self.manifest, path, "html", static_file("viewer.html"), job or Job.null())

    def to_zip(self, path: str | os.PathLike[str], *, scripts: When = "auto", job: Job | None = None) -> Path:
        """Write the bundle to a zip file that contains one folder, and return its path.

        Parameters
        ----------
        path
            The zip file to write.
        scripts
            Whether the unpacked folder opens with a double click, as for :meth:`save`.
        job
            Receives progress and can cancel the work.

        Raises
        ------
        KaroSpaceError
            If it fails. An existing file is then unchanged.

        Examples
        --------
        >>> Bundle("viewer").to_zip("viewer.zip")  # doctest: +SKIP
        PosixPath('/home/user/viewer.zip')
        """
        page = static_file("viewer.html")
        return save_file(self.files, self.manifest, path, "zip", page, job or Job.null(), scripts=scripts)

    def compare(
        self,
        a: NDArray[np.bool_],
        b: NDArray[np.bool_] | None = None,
        *,
        matrix: str | None = None,
        progress: bool = True,
        job: Job | None = None,
    ) -> pd.DataFrame:
        """Compare every gene between two groups of cells.

        All genes of the matrix are compared if they are packed, otherwise the exported ones. The table is that of
        :meth:`~karospace_jupyter.widget.view.KaroSpaceView.compare`.

        Parameters
        ----------
        a
            bool, shape (n_cells,): whether each cell is in the first group.
        b
            The same for the second group. By default, all cells that are not in `a`.
        matrix
            One of `matrices`; the first by default.
        progress
            Show a progress bar if the comparison takes longer than a second: in the output of the notebook cell, or on
            stderr outside notebooks.
        job
            Receives progress and can cancel the comparison.

        Returns
        -------
        pandas.DataFrame
            One row per gene.

        Raises
        ------
        Cancelled
            If the job was canceled.
        ComparisonError
            If a group has the wrong length or fewer than three cells, the groups overlap, or the bundle has no genes.
        NotExportedError
            If the bundle has no such matrix; also a KeyError.
        BundleError
            If a file is missing or damaged.

        Examples
        --------
        >>> from karospace_jupyter import ExportConfig
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> from karospace_jupyter.export import run_to_memory
        >>> adata = synthetic_tissue(n_cells=300, n_genes=60, seed=1)
        >>> bundle = run_to_memory(adata, ExportConfig(genes_mode="all"))
        >>> table = bundle.compare((adata.obs["cell_type"] == "B cell").to_numpy())
        >>> table.index[:3].tolist(), table.attrs["n_a"]
        (['MS4A1', 'CD19', 'CD79A'], 18)
        """
        # Imported here because scipy.special takes a tenth of a second to import.
        from karospace_jupyter.differential import check_groups, compare, counted_genes

        in_a = np.asarray(a)
        if in_a.dtype != bool and b is None:
            msg = f"A group must be booleans, one for each cell; got {in_a.dtype}."
            raise ComparisonError(msg)
        in_b = ~in_a if b is None else np.asarray(b)
        check_groups(in_a, in_b, self.manifest.n_cells)
        genes = self.genes_of(matrix)
        if not genes:
            msg = (
                f"{self.files.origin} has no genes to compare. Pass the AnnData object to the view, as in "
                "karospace_view(bundle, adata=adata), or export it with its genes."
            )
            raise ComparisonError(msg)
        name, scale = matrix or self.manifest.matrix, self._scale_of(matrix)
        with comparing(job, progress=progress) as running, closing(self._entries(name)) as entries:
            found = compare(counted_genes(entries, len(genes), running), in_a, in_b, scale)
        return found.table(genes, matrix=name, fold_change=scale.fold_change, n_a=int(in_a.sum()), n_b=int(in_b.sum()))

    def markers(self, column: str) -> pd.DataFrame:
        """Return the markers of every category of a column, as computed at export.

        Each category is group A, and all other cells are group B. The columns are those of :meth:`compare` without `u`,
        with the precision of float32. Undefined numbers are NaN, as are the tests of categories with fewer than three
        cells.

        Parameters
        ----------
        column
            A column whose markers were computed (the option `markers`).

        Returns
        -------
        pandas.DataFrame
            One row per category and gene, which are the first two columns. Rows are in the order of the categories,
            and sorted by descending `z` within each category.

        Raises
        ------
        NotExportedError
            If the markers of this column were not computed; also a KeyError.
        BundleError
            If a file is missing or damaged.

        Examples
        --------
        >>> from karospace_jupyter import ExportConfig
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> from karospace_jupyter.export import run_to_memory
        >>> bundle = run_to_memory(synthetic_tissue(n_cells=300, n_genes=60, seed=1), ExportConfig())
        >>> markers = bundle.markers("cell_type")
        >>> markers[markers["category"] == "B cell"]["gene"].head(3).tolist()
        ['MS4A1', 'CD19', 'CD79A']
        """
        import pandas as pd

        from karospace_jupyter.differential import marker_columns

        packed = self.packed_genes
        if packed is None or column not in packed.marked:
            known = [] if packed is None else packed.marked
            msg = f"No markers of {column!r} in {self.files.origin}.{hint(column, known)}"
            if known:
                msg += f" Columns with markers: {', '.join(map(repr, known))}."
            raise NotExportedError(msg)
        matrix, scale = self.manifest.matrix, self._scale_of(None)
        index, genes = packed.index, np.array(packed.index.names, dtype=object)
        n = (index.n_cells - index.missing).astype(np.float64)
        parts: list[pd.DataFrame] = []
        for table in packed.markers(column):
            for i in range(len(table.n)):
                of_category = {name: getattr(table, name)[i].astype(np.float64) for name in ARRAYS}
                numbers = marker_columns(of_category, table.ties.astype(np.float64), n, index.min < 0, scale)
                order = np.argsort(-numbers["z"], kind="stable")  # NaN is last
                columns = {"category": np.full(len(genes), len(parts)), "gene": genes, **numbers}
                parts.append(pd.DataFrame({name: values[order] for name, values in columns.items()}))
        made = pd.concat(parts, ignore_index=True)
        with damage(f"The annotation {column!r} in {self.files.origin}"):  # names may be duplicated
            made["category"] = pd.Categorical.from_codes(made["category"], self.manifest.category_names(column))
        made.attrs = {"matrix": matrix, "fold_change": scale.fold_change, "column": column}
        return made

    def _scale_of(self, matrix: str | None) -> MatrixScale:
        """Return the kind of the values of a matrix; None is the first matrix."""
        from karospace_jupyter.differential import MatrixScale

        known = self.values_of(matrix)
        return MatrixScale("other") if known is None else MatrixScale(known.kind, known.log_base)

    def neighborhoods(self, column: str) -> pd.DataFrame:
        """Return how often the categories of an annotation are neighbors, compared with chance.

        Chance means all permutations of the categories within each section. The z-scores are the limit of squidpy's
        ``nhood_enrichment`` for many permutations. Cells without a category are left out.

        Parameters
        ----------
        column
            Name of a categorical annotation.

        Returns
        -------
        pandas.DataFrame
            One row for each pair of categories: `count` (neighbors of the second category, summed over the cells of
            the first), `expected` (mean over the permutations), and `z`. ``table["z"].unstack()`` has one row and one
            column per category.

        Raises
        ------
        NotExportedError
            If the bundle has no neighbors, or no such annotation; also a KeyError.
        BundleError
            If a file is missing or damaged.

        Examples
        --------
        >>> from karospace_jupyter import ExportConfig
        >>> from karospace_jupyter.datasets import synthetic_tissue
        >>> from karospace_jupyter.export import run_to_memory
        >>> bundle = run_to_memory(synthetic_tissue(n_cells=300, n_genes=20, seed=1), ExportConfig(neighbors="6"))
        >>> table = bundle.neighborhoods("cell_type")
        >>> table.columns.tolist()
        ['count', 'expected', 'z']
        """
        from karospace_jupyter.neighborhoods import enrichment

        found = self.manifest.category_column(column)
        if found is None:
            near = hint(column, [one.name for one in self.manifest.columns or () if one.kind == "category"])
            msg = f"No categorical annotation {column!r} in {self.files.origin}.{near}"
            raise NotExportedError(msg)
        section = section_column(self.manifest)
        sections = None if section is None else self.codes(section)
        names = self.manifest.category_names(column)
        enriched = enrichment(read_graph(self).pairs(), self.codes(found), len(names), sections)
        with damage(f"The annotation {column!r} in {self.files.origin}"):  # names may be duplicated
            return enriched.table(names)

    def to_anndata(self) -> ad.AnnData:
        """Return the cells, annotations, coordinates, embeddings, neighbors and genes as an AnnData object.

        `X` holds all genes if they are packed, otherwise the exported genes. If there are several matrices, `X` is that
        of the source or, if it was not exported, the first layer; the others are in `layers` and `raw`, as in the
        source. Neighbors are in ``obsp["spatial_connectivities"]``. The object lacks images, columns that were not
        exported, and other graphs.

        Raises
        ------
        BundleError
            If a file is damaged, or the manifest has no columns or no coordinates.

        Examples
        --------
        >>> Bundle("viewer").to_anndata()  # doctest: +SKIP
        AnnData object with n_obs × n_vars = 20000 × 18085
        """
        return as_anndata(self)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:  # noqa: ANN401 - defined by IPython
        """Show the viewer when a notebook displays the bundle."""
        return display.mimebundle(self, **kwargs)

    def __repr__(self) -> str:
        """Return name, shape and location."""
        m = self.manifest
        contents = shape(m.n_cells, m.n_genes, m.n_cells_source, m.observations)
        return f"Bundle({m.dataset_name!r}, {contents}, {self.files.origin!r})"
