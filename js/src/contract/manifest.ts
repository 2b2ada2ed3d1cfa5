// Generated from karospace_jupyter/bundle/manifest.schema.json by `npm run contract`. Do not edit.

/**
 * `manifest.json`: everything a reader needs to find and understand the files of a bundle.
 */
export interface Manifest {
  schema_version: string;
  dataset_name: string;
  created_at: string;
  n_cells: number;
  n_genes_exported: number;
  coordinate_source: string;
  annotation_columns: string[];
  gene_list: string[];
  asset_files: AssetFile[];
  expression: Expression;
  image?: Image | null;
  preview_path?: string | null;
  /**
   * 1.x. Name and version of the program that wrote the bundle.
   */
  generator?: string | null;
  /**
   * 1.x. Cells of the source; more than `n_cells` when the bundle holds a part of them.
   */
  n_cells_source?: number | null;
  coordinates?: Coordinates | null;
  cell_ids?: CellIds | null;
  /**
   * 1.x. The annotation columns, in order, without JSON.
   */
  columns?: (CategoryColumn | NumberColumn)[] | null;
  gene_labels?: GeneLabels[] | null;
  embeddings?: Embedding[] | null;
  sections?: Sections | null;
  /**
   * 1.x. How the viewer opens: a view as the viewer saves it, its state alone or with regions.
   */
  view?: {
    [k: string]: unknown;
  } | null;
  /**
   * 1.x. Origins of other pages that may ask and steer the viewer inside them, as `https://lab.example`; `*` for
   * every page.
   */
  embed_origins?: string[] | null;
  /**
   * 1.x. What the exporter had to decide or leave out, in plain words.
   */
  warnings?: string[] | null;
  /**
   * 1.x. How large the writer let an asset be, before compression: for who writes the bundle again.
   */
  max_asset_bytes?: number | null;
  /**
   * 1.x. The same files as scripts, with the manifest itself in `manifest.js`.
   */
  scripts?: ScriptShard[] | null;
}
/**
 * One file of the bundle.
 */
export interface AssetFile {
  /**
   * `obs_csv`, `obs_json`, `coords_json`, `var_csv`, `expression_chunk`, `image`, `preview`.
   *
   * 1.x: `columnar`, `script`.
   */
  kind: string;
  /**
   * Relative to the manifest, `/`-separated.
   */
  path: string;
  /**
   * Size as stored, that is after gzip.
   */
  size_bytes: number;
  /**
   * 1.x. Size after decompression; equal to `size_bytes` for a file that is not gzipped.
   */
  raw_bytes?: number | null;
  /**
   * 1.x. Hex digest of the bytes as stored.
   */
  sha256?: string | null;
  /**
   * 1.x. CRC-32 of the bytes after decompression, as gzip counts it.
   */
  raw_crc32?: number | null;
}
/**
 * How expression is stored.
 */
export interface Expression {
  /**
   * `per_gene_float32_v1`: little-endian float32, one value per cell; NaN where a cell has none.
   */
  format: string;
  dtype: 'float32';
  n_cells: number;
  gzip: boolean;
  genes: GeneEntry[];
  /**
   * 1.x. The matrix it was read from: `X`, `layer:NAME` or `raw`.
   */
  source?: string | null;
  values?: Values | null;
}
/**
 * Where one gene's values are.
 */
export interface GeneEntry {
  gene: string;
  index: number;
  chunks: Chunk[];
  summary?: GeneSummary | null;
}
/**
 * A run of cells inside one file.
 */
export interface Chunk {
  path: string;
  /**
   * First cell, inclusive.
   */
  start: number;
  /**
   * Last cell, exclusive.
   */
  end: number;
  /**
   * Size as stored.
   */
  size_bytes: number;
}
/**
 * 1.x. What the viewer needs to know of a gene before its values are loaded.
 *
 * Every number is over the cells that have a value; all are 0 where no cell has one.
 */
export interface GeneSummary {
  min: number;
  max: number;
  mean: number;
  /**
   * Share of cells with a value other than zero, 0 to 1.
   */
  fraction: number;
  /**
   * Robust lower limit: 0 when no value is negative, else the interpolated 1st percentile of the non-zero values.
   */
  lower: number;
  /**
   * Robust upper limit: the interpolated 99th percentile of the non-zero values; 0 when all are zero.
   */
  upper: number;
  /**
   * Cells without a value: NaN in the vector.
   */
  missing?: number;
}
/**
 * 1.x. What the values of the matrix are, as far as they show it.
 */
export interface Values {
  /**
   * `counts`: non-negative whole numbers. `log1p`: logarithm of one plus an amount that is proportional to counts in
   * each cell. `scaled`: each gene centered on zero, or divided by its standard deviation. `other`: anything else.
   */
  kind: 'counts' | 'log1p' | 'scaled' | 'other';
  /**
   * Base of the logarithm for `log1p`; null is the natural logarithm.
   */
  log_base?: number | null;
}
/**
 * The tissue image.
 */
export interface Image {
  path: string;
  width: number;
  height: number;
  transform?: ImageTransform | null;
}
/**
 * 1.x. `pixel = coordinate * scale + offset`, for x and y.
 */
export interface ImageTransform {
  /**
   * @minItems 2
   * @maxItems 2
   */
  scale: [number, number];
  /**
   * @minItems 2
   * @maxItems 2
   */
  offset: [number, number];
}
/**
 * 1.x. What the coordinates mean, and the same values as float32.
 */
export interface Coordinates {
  /**
   * x min, y min, x max, y max, in coordinate units.
   *
   * @minItems 4
   * @maxItems 4
   */
  extent: [number, number, number, number];
  /**
   * Coordinate = value in the files + origin, in float64. What else the manifest states is in coordinates.
   *
   * @minItems 2
   * @maxItems 2
   */
  origin?: [number, number];
  /**
   * Where y grows: `down` as in images, `up` as in plots, or as the rows of the spots' array say.
   */
  y_axis?: 'down' | 'up';
  /**
   * µm per coordinate unit, where the source states it or the lattice of its spots is known.
   */
  unit_um?: number | null;
  /**
   * Diameter of a spot in coordinate units, where the source states it.
   */
  spot_diameter?: number | null;
  dtype: 'float32';
  /**
   * Files of interleaved x, y pairs, little-endian, less the origin.
   */
  chunks: Chunk[];
}
/**
 * 1.x. Cell ids without JSON.
 *
 * Each file holds `end - start + 1` little-endian uint32 offsets, then one UTF-8 text; id *i* is the text's
 * bytes from offset *i* to offset *i + 1*.
 */
export interface CellIds {
  chunks: Chunk[];
}
/**
 * 1.x. A categorical, boolean or text column as codes.
 */
export interface CategoryColumn {
  kind: 'category';
  name: string;
  /**
   * The smallest that holds every code.
   */
  dtype: 'uint8' | 'uint16' | 'uint32';
  /**
   * In the order of their codes. A cell without a value has the code `len(categories)`.
   */
  categories: Category[];
  /**
   * Cells without a value.
   */
  missing: number;
  ordered?: boolean;
  chunks: Chunk[];
}
/**
 * One class of an annotation.
 */
export interface Category {
  name: string;
  /**
   * `#rrggbb`
   */
  color: string;
  /**
   * Cells of this class.
   */
  count: number;
}
/**
 * 1.x. A numeric column as float32 or float64, NaN where a cell has no value.
 */
export interface NumberColumn {
  kind: 'number';
  name: string;
  /**
   * `float64` where float32 would change a whole number or make two values equal.
   */
  dtype?: 'float32' | 'float64';
  /**
   * Smallest finite value; null when there is none.
   */
  min?: number | null;
  max?: number | null;
  missing: number;
  chunks: Chunk[];
}
/**
 * 1.x. Other names of the exported genes, for search.
 */
export interface GeneLabels {
  /**
   * The column of var, or `index`.
   */
  column: string;
  /**
   * Same length and order as `gene_list`; empty where a gene has none. One may list several: `A|B`, `A,B`, `A;B`.
   */
  labels: string[];
}
/**
 * 1.x. Another place for each cell, as in a UMAP: not on the tissue.
 */
export interface Embedding {
  /**
   * The key of obsm, as `X_umap`.
   */
  name: string;
  /**
   * For people, as `UMAP`.
   */
  label: string;
  /**
   * x min, y min, x max, y max of the finite values.
   *
   * @minItems 4
   * @maxItems 4
   */
  extent: [number, number, number, number];
  /**
   * As of the coordinates.
   *
   * @minItems 2
   * @maxItems 2
   */
  origin?: [number, number];
  dtype: 'float32';
  /**
   * Files of interleaved x, y pairs, little-endian; y grows upwards. NaN where a cell has no place in it.
   */
  chunks: Chunk[];
}
/**
 * 1.x. The tissue lies in several sections.
 */
export interface Sections {
  /**
   * The annotation whose codes say to which section a cell belongs; always one of kind `category`.
   */
  column: string;
  /**
   * Whether the sections lie on top of each other, so that they are to be laid out side by side.
   *
   * Then `image` of the manifest belongs under none of them: a section has its own or none.
   */
  overlapping: boolean;
  /**
   * The categories of the column that have cells, in their order.
   */
  items: Section[];
  /**
   * Cells of no section.
   */
  missing: number;
  /**
   * What sections can be ordered and filtered by.
   */
  facts?: SectionFact[] | null;
}
/**
 * One section of the tissue.
 */
export interface Section {
  /**
   * The category of the column.
   */
  name: string;
  /**
   * x min, y min, x max, y max of its cells, in coordinate units.
   *
   * @minItems 4
   * @maxItems 4
   */
  extent: [number, number, number, number];
  /**
   * Cells of this section, at least one.
   */
  count: number;
  /**
   * The picture of this section's own tissue; several sections may share a file.
   */
  image?: Image | null;
}
/**
 * An annotation that has one value in each section, and not the same in all of them.
 */
export interface SectionFact {
  column: string;
  /**
   * One a section, in the order of `items`; null where its cells have none.
   */
  values: (string | number | null)[];
}
/**
 * 1.x. A script that carries a run of bytes of the other files, for pages that may read no file.
 */
export interface ScriptShard {
  path: string;
  /**
   * First byte, inclusive, of all files in `asset_files` as stored and in order, those of kind `script` left out.
   */
  start: number;
  /**
   * Last byte, exclusive.
   */
  end: number;
}
