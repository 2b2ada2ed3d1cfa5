// Generated from karospace_jupyter/contracts/options.schema.json by `npm run contract`. Do not edit.

/**
 * All options of an export.
 *
 * Raises
 * ------
 * ConfigError
 *     If an option has an invalid value. The message names the option.
 *
 * Examples
 * --------
 * >>> ExportConfig(outdir="viewer", genes_mode="top_mean:300").genes
 * TopMeanGenes(n=300, kind='top_mean')
 */
export interface Options {
  /**
   * The folder to write, or a URL of an object store (`s3://…`). An existing bundle in it is replaced once the new
   * one is complete.
   */
  outdir: string | null;
  /**
   * Write a self-contained HTML file, which opens with a double click.
   */
  single_file: string | null;
  /**
   * Write a zip file.
   */
  zip_path: string | null;
  /**
   * The coordinates: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (the centroids of outlines as WKT). Detected from
   * common names by default.
   */
  coords: string | null;
  /**
   * µm per coordinate unit, for the scale bar: 1 if the coordinates are in µm. By default, the scale that the
   * data states, or that of Visium, Xenium, MERSCOPE and CosMx; otherwise unknown.
   */
  um_per_unit: number | null;
  /**
   * Columns of obs to export as annotations, in this order. By default, the columns that make a useful legend.
   * Columns with few distinct integers are exported as categories; `number:COLUMN` and `category:COLUMN` set the
   * kind.
   */
  annotation_columns: string[] | null;
  /**
   * The column of obs with the tissue sections (2 to 500), or `none`. Detected from common names by default:
   * library_id, sample, sample_id, section, slice, fov. A column given here is always exported; a detected one only
   * if it is among the annotations. Downsampling draws cells within each section.
   */
  sections: string | null;
  /**
   * Keys of obsm to export as embeddings (their first two dimensions), or `none`. By default, UMAP, t-SNE and PCA
   * under their usual names.
   */
  embeddings: string[] | null;
  /**
   * Keys of obsm with the proportions or abundances of cell types in each spot, as from cell2location or RCTD, or
   * `none`. The viewer draws them as pie charts. By default, tables of at most 2,000,000
   * values that have a typical name, or whose rows sum to 1.
   */
  proportions: string[] | null;
  /**
   * The genes to export: `hvgs:N`, `top_mean:N`, `list:PATH` or `all`; in Python, also a list of names.
   */
  genes_mode: string | string[];
  /**
   * Whether the viewer can show every gene of the matrix, not only those of `genes_mode`: `yes`, `no`, or `auto`
   * (if all genes take at most 1 GB, and `genes_mode` is not an empty list). They are written in a packed form, which
   * is exact and takes a fraction of the size of the matrix.
   */
  packed: 'auto' | 'yes' | 'no';
  /**
   * Columns with 2 to 100 categories whose markers are computed, or `none`: each category is compared with all other
   * cells, for every packed gene. By default, the annotations that look like cell types or clusters.
   */
  markers: string[] | null;
  /**
   * Named gene sets, which the viewer shows as scores: a GMT file, a JSON file with `{"name": ["gene", ...]}`, or
   * `uns:KEY` for a dictionary of marker genes in the object; in Python, also a dictionary. Their genes are always
   * exported.
   */
  gene_sets:
    | string[]
    | {
        [k: string]: string[];
      }
    | null;
  /**
   * Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`.
   */
  image_path: string | null;
  /**
   * Neighbors of each cell, within its section: the nearest cells (`6`), all cells within a radius in µm (`30um`),
   * `none`, or `auto` (the graph in `obsp['spatial_connectivities']`, if there is one).
   */
  neighbors: string;
  /**
   * Export at most this many cells, sampled at random within each section.
   */
  downsample: number | null;
  /**
   * Random seed for downsampling.
   */
  seed: number;
  /**
   * Compress the assets.
   */
  gzip: boolean;
  /**
   * Maximum size of an asset before compression, in MB. Larger assets are split. The maximum, 1024, is a limit of
   * browsers.
   */
  max_asset_mb: number;
  /**
   * Dataset name shown in the viewer. By default, the file name.
   */
  dataset_name: string | null;
  /**
   * Whether to also write the assets as scripts, so that the folder opens with a double click: `yes`, `no`, or
   * `auto` (if the scripts take at most 200 MB).
   */
  scripts: 'auto' | 'yes' | 'no';
  /**
   * Whether to also write annotations and coordinates as the text tables of format 1.0: `yes` or `no`. The viewer and
   * `Bundle` do not need them. Without them, the export of many cells is faster and smaller, but readers of format 1.0
   * cannot open the bundle, and coordinates are stored as float32 only.
   */
  tables: 'yes' | 'no';
  /**
   * Web host on which the bundle will be published. Its limits are checked before anything is written. `scripts`,
   * `max_asset_mb` and `packed` are chosen to fit the host if they are left at their defaults.
   */
  host:
    | (
        | 'github-pages'
        | 'gitlab-pages'
        | 'cloudflare-pages'
        | 'cloudflare-r2'
        | 's3'
        | 'netlify'
        | 'hugging-face'
      )
    | null;
  /**
   * Initial color: a column of obs or a gene, which is always exported. `obs:NAME` and `gene:NAME` distinguish
   * equal names. By default, a column that looks like cell types or clusters, otherwise total counts, otherwise a gene
   * that many cells express.
   */
  color: string | null;
  /**
   * A view file saved from the viewer (JSON), used as the initial view.
   */
  view: string | null;
  /**
   * Origins of pages that may control the embedded viewer, such as `https://lab.example`; `*` allows every page.
   * Pages with the same origin as the bundle are always allowed.
   */
  embed_origins: string[];
  /**
   * Write `preview.png`.
   */
  preview: boolean;
  /**
   * Read expression from this layer instead of X.
   */
  layer: string | null;
  /**
   * Read expression from `raw` instead of X.
   */
  raw: boolean;
  /**
   * Matrices to export: `X`, `layer:NAME` or `raw`. The viewer can switch between them. The first replaces `layer`
   * and `raw`, and `genes_mode` refers to it. All genes of the others are packed; if `packed` is `auto`, only matrices
   * that take at most 1 GB together are exported.
   */
  matrices: string[] | null;
  /**
   * Number of compression threads. By default, all cores.
   */
  jobs: number | null;
  /**
   * Memory for reading the matrix in blocks, in MB. Less memory means more passes over the file, never fewer
   * genes.
   */
  memory_mb: number;
}
