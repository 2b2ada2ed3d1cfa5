// Generated from karospace_jupyter/contracts/options.schema.json by `npm run contract`. Do not edit.

/**
 * All options of an export.
 *
 * Raises
 * ------
 * ConfigError
 *     When an option has a value that can never work; the message names the option.
 */
export interface Options {
  /**
   * The folder to write. An existing bundle there is replaced when the new one is complete.
   */
  outdir: string | null;
  /**
   * Write everything into this one HTML file, which opens by double click.
   */
  single_file: string | null;
  /**
   * Write everything into this zip file.
   */
  zip_path: string | null;
  /**
   * Where the coordinates are: `obsm:KEY`, `obs:XCOL,YCOL` or `obs:COLUMN` (outlines as WKT, of which the centroids
   * are taken). Found by their names when not given.
   */
  coords: string | null;
  /**
   * Columns of obs to export, in this order. Chosen by what makes a legend when not given. Columns of few
   * distinct whole numbers are exported as categories; `number:COLUMN` and `category:COLUMN` choose the kind.
   */
  annotation_columns: string[] | null;
  /**
   * The column of obs that names sections of the tissue (2 to 500), or `none`. Found by the usual names when not
   * given: library_id, sample, sample_id, section, slice, fov. One that is named here is always exported; one that
   * was found only when the annotations leave it in. A sample is drawn within each section.
   */
  sections: string | null;
  /**
   * Keys of obsm whose first two dimensions the viewer offers beside the tissue, or `none`. UMAP, t-SNE and PCA by
   * their usual names when not given.
   */
  embeddings: string[] | null;
  /**
   * Which genes: `hvgs:N`, `top_mean:N`, `list:PATH`, `all`, or a list of names.
   */
  genes_mode: string | string[];
  /**
   * Tissue image: a PNG, JPEG, WebP or TIFF file, `uns:LIBRARY` for one stored in the object, or `none`.
   */
  image_path: string | null;
  /**
   * Export at most this many cells, drawn at random within each section.
   */
  downsample: number | null;
  /**
   * Seed of the random draw.
   */
  seed: number;
  /**
   * Compress the assets.
   */
  gzip: boolean;
  /**
   * Largest asset before compression, in MiB; what is larger is split. At most what a browser takes: 1024.
   */
  max_asset_mb: number;
  /**
   * Name shown in the viewer. The file's name when not given.
   */
  dataset_name: string | null;
  /**
   * Write the assets as scripts, too, so that the folder opens by double click: `yes`, `no`, or `auto`: while they
   * stay below 200 MB.
   */
  scripts: 'auto' | 'yes' | 'no';
  /**
   * A view saved from the viewer (JSON), with which the bundle opens.
   */
  view: string | null;
  /**
   * Origins of pages that may ask and steer the viewer when they embed it, as `https://lab.example`; `*` for every
   * page. Pages of the bundle's own origin always may.
   */
  embed_origins: string[];
  /**
   * Draw `preview.png`.
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
   * Threads that compress. All cores when not given.
   */
  jobs: number | null;
  /**
   * Memory for blocks of the matrix, in MiB. Fewer means more passes over the file, never fewer genes.
   */
  memory_mb: number;
}
