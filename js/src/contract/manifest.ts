// Generated from karospace_jupyter/bundle/manifest.schema.json by `npm run contract`. Do not edit.

/**
 * `manifest.json`: everything that a reader needs to find and interpret the files of a bundle.
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
  packed?: Packed | null;
  /**
   * 1.2. Additional matrices, between which a viewer can switch; `expression` and `packed` describe the first.
   */
  other_matrices?: OtherMatrix[] | null;
  image?: Image | null;
  preview_path?: string | null;
  /**
   * 1.x. Name and version of the program that wrote the bundle.
   */
  generator?: string | null;
  /**
   * 1.x. What each row represents: a cell, a spot of an array, or a square bin, which a viewer draws as a square
   * with the side `coordinates.spot_diameter`. Everything else in this format calls them cells.
   */
  observations?: 'cells' | 'spots' | 'bins';
  /**
   * 1.x. Number of cells in the source; greater than `n_cells` if the bundle contains only some of them.
   */
  n_cells_source?: number | null;
  coordinates?: Coordinates | null;
  cell_ids?: CellIds | null;
  /**
   * 1.x. The annotations as binary arrays, in the order of `annotation_columns`.
   */
  columns?: (CategoryColumn | NumberColumn)[] | null;
  gene_labels?: GeneLabels[] | null;
  gene_sets?: GeneSet[] | null;
  embeddings?: Embedding[] | null;
  proportions?: Proportions[] | null;
  sections?: Sections | null;
  neighbors?: Neighbors | null;
  /**
   * 1.x. The initial view, as saved by the viewer: its state, or an object with the state and regions.
   */
  view?: {
    [k: string]: unknown;
  } | null;
  /**
   * 1.x. Origins of other pages that may control the embedded viewer, such as `https://lab.example`; `*` allows
   * every page.
   */
  embed_origins?: string[] | null;
  /**
   * 1.x. Decisions and omissions of the exporter, for display.
   */
  warnings?: string[] | null;
  /**
   * 1.x. Maximum size of an asset before compression, for programs that write the bundle again.
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
   * 1.x: `columnar`, `script`, `packed`, `neighbors`.
   */
  kind: string;
  /**
   * Relative to the manifest, `/`-separated.
   */
  path: string;
  /**
   * Stored size, that is, after gzip.
   */
  size_bytes: number;
  /**
   * 1.x. Size after decompression; equal to `size_bytes` for a file that is not gzipped.
   */
  raw_bytes?: number | null;
  /**
   * 1.x. Hex digest of the stored bytes, in lower case.
   */
  sha256?: string | null;
  /**
   * 1.x. CRC-32 of the bytes after decompression, as in gzip.
   */
  raw_crc32?: number | null;
}
/**
 * Storage of the expression matrix.
 */
export interface Expression {
  /**
   * `per_gene_float32_v1`: little-endian float32, one value per cell; NaN for a cell without a value.
   */
  format: string;
  dtype: 'float32';
  n_cells: number;
  gzip: boolean;
  genes: GeneEntry[];
  /**
   * 1.x. The source matrix: `X`, `layer:NAME` or `raw`.
   */
  source?: string | null;
  values?: Values | null;
}
/**
 * The files of one gene.
 */
export interface GeneEntry {
  gene: string;
  index: number;
  chunks: Chunk[];
  summary?: GeneSummary | null;
  /**
   * 1.x. Rank among the genes by variability, 1 for the most variable; absent if the values cannot be ranked.
   */
  variability_rank?: number | null;
}
/**
 * A range of cells in one file.
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
   * Stored size.
   */
  size_bytes: number;
}
/**
 * 1.x. Statistics of a gene that the viewer needs before loading its values.
 *
 * All statistics are over the cells with a value, and 0 if no cell has one.
 */
export interface GeneSummary {
  min: number;
  max: number;
  mean: number;
  /**
   * Fraction of cells with a non-zero value, 0 to 1.
   */
  fraction: number;
  /**
   * Robust lower limit: 0 if no value is negative, otherwise the interpolated 1st percentile of non-zero values.
   */
  lower: number;
  /**
   * Robust upper limit: the interpolated 99th percentile of non-zero values; 0 if all values are zero.
   */
  upper: number;
  /**
   * Number of cells without a value (NaN in the vector).
   */
  missing?: number;
}
/**
 * 1.x. Detected kind of the matrix values.
 */
export interface Values {
  /**
   * `counts`: non-negative integers. `log1p`: logarithm of one plus a value that is proportional to the counts in
   * each cell. `scaled`: each gene centered on zero, or divided by its standard deviation. `other`: anything else.
   */
  kind: 'counts' | 'log1p' | 'scaled' | 'other';
  /**
   * Base of the logarithm for `log1p`; null is the natural logarithm.
   */
  log_base?: number | null;
}
/**
 * 1.2. All genes of a matrix, sparse and exact to the last bit of float32; ``FORMAT.md`` defines the files.
 */
export interface Packed {
  /**
   * Version of the packed genes, 1. A reader that does not know the version uses `expression` instead.
   */
  version: number;
  /**
   * The source matrix: `X`, `layer:NAME` or `raw`.
   */
  source: string;
  n_genes: number;
  /**
   * `ladder`: codes for the values in `ladders`. `float32`: the values themselves.
   */
  values: string;
  /**
   * Names, positions and statistics of the genes; several files are read one after the other.
   */
  index: string[];
  /**
   * The values that codes stand for; null for `float32`.
   */
  ladders?: string[] | null;
  /**
   * The columns of var with alternative names of the genes, which are in the index.
   */
  labels?: string[] | null;
  /**
   * In the order of the genes, without gaps.
   */
  shards: PackedShard[];
  /**
   * The columns whose markers were computed at export.
   */
  markers?: PackedMarkers[] | null;
}
/**
 * Consecutive genes, or consecutive categories of markers, in one file.
 */
export interface PackedShard {
  /**
   * One file; several if it would exceed the maximum asset size. They are read one after the other.
   */
  paths: string[];
  /**
   * First gene or category, inclusive.
   */
  first: number;
  /**
   * Last gene or category, exclusive.
   */
  end: number;
}
/**
 * 1.2. Comparison of each category of a column with all other cells, for every packed gene.
 */
export interface PackedMarkers {
  /**
   * A column of the kind `category`.
   */
  column: string;
  /**
   * In the order of the categories, without gaps.
   */
  shards: PackedShard[];
}
/**
 * 1.2. Another matrix of the same cells, all of whose genes are packed.
 *
 * Its name, the `source` of `packed`, is unique within the bundle. Its genes may differ from those of the first.
 */
export interface OtherMatrix {
  values?: Values | null;
  packed: Packed;
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
 * 1.x. Meaning of the coordinates, and their values as float32.
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
   * Coordinate = value in the files + origin, in float64. Everything else in the manifest is in coordinates.
   *
   * @minItems 2
   * @maxItems 2
   */
  origin?: [number, number];
  /**
   * Direction of increasing y: `down` as in images, `up` as in plots; determined by the array rows of spots if the
   * source has them.
   */
  y_axis?: 'down' | 'up';
  /**
   * µm per coordinate unit, if given, stated in the source, or derived from its spots or columns.
   */
  unit_um?: number | null;
  /**
   * Diameter of a spot in coordinate units, if stated in the source; the side of a bin.
   */
  spot_diameter?: number | null;
  /**
   * Angle of the rows of bins in degrees from x toward y, between -45 and 45.
   */
  bin_angle?: number | null;
  dtype: 'float32';
  /**
   * Files of interleaved x, y pairs relative to the origin, little-endian.
   */
  chunks: Chunk[];
}
/**
 * 1.x. Cell IDs without JSON.
 *
 * Each file contains `end - start + 1` little-endian uint32 offsets, followed by UTF-8 text; ID *i* is the bytes of
 * the text from offset *i* to offset *i + 1*.
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
   * The smallest type that can represent every code.
   */
  dtype: 'uint8' | 'uint16' | 'uint32';
  /**
   * In the order of their codes. A cell without a value has the code `len(categories)`.
   */
  categories: Category[];
  /**
   * Number of cells without a value.
   */
  missing: number;
  ordered?: boolean;
  chunks: Chunk[];
}
/**
 * One category of an annotation.
 */
export interface Category {
  name: string;
  /**
   * `#rrggbb`
   */
  color: string;
  /**
   * Number of cells in this category.
   */
  count: number;
}
/**
 * 1.x. A numeric column as float32 or float64, with NaN for cells without a value.
 */
export interface NumberColumn {
  kind: 'number';
  name: string;
  /**
   * `float64` if float32 would change an integer or make two different values equal.
   */
  dtype?: 'float32' | 'float64';
  /**
   * Smallest finite value; null if there is none.
   */
  min?: number | null;
  max?: number | null;
  missing: number;
  chunks: Chunk[];
}
/**
 * 1.x. Alternative names of the exported genes, for search.
 */
export interface GeneLabels {
  /**
   * The column of var, or `index`.
   */
  column: string;
  /**
   * Same length and order as `gene_list`; empty for a gene without one. A label may list several names: `A|B`, `A,B`,
   * `A;B`.
   */
  labels: string[];
}
/**
 * 1.x. A named set of genes, which a viewer shows as the mean of its genes.
 */
export interface GeneSet {
  /**
   * Unique.
   */
  name: string;
  /**
   * Names in `gene_list`, or of packed genes of any matrix.
   */
  genes: string[];
}
/**
 * 1.x. An embedding of the cells, such as a UMAP.
 */
export interface Embedding {
  /**
   * The key of obsm, such as `X_umap`.
   */
  name: string;
  /**
   * Display name, such as `UMAP`.
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
   * Value = value in the files + origin, in float64, as for the coordinates.
   *
   * @minItems 2
   * @maxItems 2
   */
  origin?: [number, number];
  dtype: 'float32';
  /**
   * Files of interleaved x, y pairs relative to the origin, little-endian; y points up. NaN for a cell that is not
   * in the embedding.
   */
  chunks: Chunk[];
}
/**
 * 1.x. Proportions of cell types in spots, which a viewer draws as pie charts.
 */
export interface Proportions {
  /**
   * The key of obsm.
   */
  key: string;
  /**
   * The annotation with the most abundant type of each cell, of kind `category`; its categories are all types.
   */
  column: string;
  /**
   * The annotations with the amount of each type, of kind `number`, in the order of the categories. Amounts are at
   * least 0; they need not sum to 1.
   */
  parts: string[];
}
/**
 * 1.x. The sections of the tissue.
 */
export interface Sections {
  /**
   * The annotation with the section of each cell; always of kind `category`.
   */
  column: string;
  /**
   * Whether the sections overlap, so that a viewer should arrange them side by side.
   *
   * If true, `image` of the manifest belongs to none of them; only images of sections are shown.
   */
  overlapping: boolean;
  /**
   * The categories of the column that have cells, in order.
   */
  items: Section[];
  /**
   * Number of cells without a section.
   */
  missing: number;
  /**
   * Annotations by which sections can be sorted and filtered.
   */
  facts?: SectionFact[] | null;
}
/**
 * One section of the tissue.
 */
export interface Section {
  /**
   * The category in the section column.
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
   * Number of cells in this section, at least one.
   */
  count: number;
  /**
   * The image of this section; several sections may share a file.
   */
  image?: Image | null;
}
/**
 * An annotation with one value per section that differs between sections.
 */
export interface SectionFact {
  column: string;
  /**
   * One value per section, in the order of `items`; null for a section without a value.
   */
  values: (string | number | null)[];
}
/**
 * 1.2. The graph of neighboring cells; ``FORMAT.md`` defines the files.
 */
export interface Neighbors {
  /**
   * Version of the neighbors, 1. A reader that does not know the version ignores the neighbors.
   */
  version: number;
  /**
   * Origin of the graph: `obsp:KEY`, `nearest:6` (the 6 nearest cells) or `radius:30um` (all cells within 30 µm).
   */
  source: string;
  /**
   * Number of edges, that is, pairs of neighbors.
   */
  n_edges: number;
  /**
   * One file; several if it would exceed the maximum asset size. They are read one after the other.
   */
  paths: string[];
}
/**
 * 1.x. A script that contains a range of bytes of the other files, for pages that cannot read files.
 */
export interface ScriptShard {
  path: string;
  /**
   * First byte, inclusive, in the concatenation of all stored files of `asset_files`, in order, except scripts.
   */
  start: number;
  /**
   * Last byte, exclusive.
   */
  end: number;
}
