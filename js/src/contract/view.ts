// Generated from karospace_jupyter/contracts/view.schema.json by `npm run contract`. Do not edit.

/**
 * A view as stored in a file or a link. Fields of the state that are left out keep their values.
 */
export interface SavedView {
  karospace_view: 1;
  /**
   * Number of cells of the bundle; required if there are regions.
   */
  n_cells?: number;
  state: ViewState;
  /**
   * If omitted, opening the view leaves the regions unchanged.
   */
  regions?: SavedRegion[];
  /**
   * In links, in place of `geneSets` of the state, because a link must be short.
   */
  gene_sets?: LinkedGeneSet[];
  /**
   * Number of regions that were left out because they were too large for the link.
   */
  regions_left_out?: number;
  /**
   * Number of gene sets that were left out because they were too large for the link.
   */
  gene_sets_left_out?: number;
}
/**
 * The complete state of a view that a notebook can store.
 */
export interface ViewState {
  color?: ByAnnotation | ByGene | ByScore | ByBlend | ByNothing;
  /**
   * Hidden categories of each column; None hides cells without a value.
   */
  hidden?: {
    [k: string]: (string | null)[];
  };
  /**
   * Isolated categories of each column: the cells of all others are dimmed. None stands for cells without a value.
   */
  isolated?: {
    [k: string]: (string | null)[];
  };
  /**
   * Colors of categories: those of the bundle, a palette of distinct colors, or a color-blind safe palette.
   */
  palette?: 'file' | 'distinct' | 'safe';
  /**
   * Custom colors of categories by column; they override the palette.
   */
  classColors?: {
    [k: string]: {
      [k: string]: string;
    };
  };
  /**
   * Groups of categories by column. Other fields, such as `hidden`, list the members: a group is hidden or isolated
   * if all its members are.
   */
  groups?: {
    [k: string]: CategoryGroup[];
  };
  /**
   * The annotation by which the values of a gene are summarized.
   */
  groupBy?: string | null;
  /**
   * The matrix that genes are read from: `X`, `layer:NAME` or `raw`; None for the first matrix of the bundle.
   */
  matrix?: string | null;
  /**
   * In the coordinates of the layout; a grid of sections has its own. None shows all cells.
   */
  camera?: Camera | null;
  /**
   * Clockwise rotation of the tissue in degrees. Embeddings and the grid of sections are not rotated.
   */
  turn?: 0 | 90 | 180 | 270;
  /**
   * Whether the tissue is flipped left to right, after the rotation.
   */
  flip?: boolean;
  /**
   * Factor for the default size of a cell.
   */
  pointSize?: number;
  opacity?: number;
  imageOn?: boolean;
  imageOpacity?: number;
  /**
   * Factor; 1 leaves the image unchanged.
   */
  imageBrightness?: number;
  imageContrast?: number;
  theme?: 'light' | 'dark' | 'auto';
  /**
   * Width of the panel in CSS pixels; it takes at most half of the page.
   */
  panelWidth?: number;
  /**
   * Layout of the cells; None for the viewer's choice: the tissue, or a grid of sections if they overlap.
   */
  layout?: (OnTissue | SectionGrid | OneSection | InEmbedding) | null;
  /**
   * Layout of the linked second view; None for a single view.
   */
  beside?: (OnTissue | SectionGrid | OneSection | InEmbedding) | null;
  /**
   * Camera of the second view; None shows all cells.
   */
  besideCamera?: Camera | null;
  /**
   * Color limits; None for robust limits of the values.
   */
  range?: [number, number] | null;
  /**
   * Colormap of values. `rdbu` is blue, white at zero, red; `auto` uses it for values of both signs, otherwise
   * viridis.
   */
  colormap?: 'auto' | 'viridis' | 'magma' | 'inferno' | 'cividis' | 'greys' | 'rdbu';
  reversed?: boolean;
  /**
   * Mapping of values to colors between the limits.
   */
  scale?: 'linear' | 'log1p';
  /**
   * Whether cells with the value zero are dimmed.
   */
  dimZeros?: boolean;
  /**
   * Order of the legend: the largest category first, by name, or as in the file.
   */
  classOrder?: 'size' | 'name' | 'original';
  /**
   * Whether the names of the categories are shown on the cells.
   */
  labels?: boolean;
  /**
   * Whether neighbors are drawn when zoomed in, if the bundle has neighbors.
   */
  neighbors?: boolean;
  /**
   * Gene sets that the viewer lists; None for those of the bundle.
   */
  geneSets?: GeneSet[] | null;
  /**
   * µm per coordinate unit of the tissue; None for the unit that the bundle states.
   */
  umPerUnit?: number | null;
  /**
   * Title in place of the dataset name; None for the dataset name.
   */
  title?: string | null;
}
/**
 * Color cells by a column of obs.
 */
export interface ByAnnotation {
  kind: 'annotation';
  column: string;
}
/**
 * Color cells by the expression of a gene.
 */
export interface ByGene {
  kind: 'gene';
  gene: string;
}
/**
 * Color cells by the mean of a gene set.
 */
export interface ByScore {
  kind: 'score';
  name: string;
  genes: string[];
}
/**
 * Color cells by two or three genes at once.
 */
export interface ByBlend {
  kind: 'blend';
  genes: string[];
}
/**
 * Use one color for all cells.
 */
export interface ByNothing {
  kind: 'none';
}
/**
 * Several categories of a column that are shown as one.
 */
export interface CategoryGroup {
  /**
   * It may be the name of a member, but not of another category of the column.
   */
  name: string;
  /**
   * Names of the categories.
   */
  members: string[];
  /**
   * None for the color of the largest member.
   */
  color?: string | null;
}
/**
 * Position and zoom of a view.
 */
export interface Camera {
  /**
   * Center of the area that the cards of the viewer do not cover, in coordinate units.
   */
  x: number;
  y: number;
  /**
   * 1 shows all cells.
   */
  zoom: number;
}
/**
 * Cells at their tissue coordinates.
 */
export interface OnTissue {
  kind: 'tissue';
}
/**
 * All sections side by side.
 */
export interface SectionGrid {
  order?: 'file' | 'name' | 'cells' | 'column';
  /**
   * The column, with one value per section, that sorts the sections if `order` is `column`.
   */
  by?: string | null;
  /**
   * Filters by column: only sections with one of these values are shown.
   */
  only?: {
    [k: string]: (string | number | null)[];
  };
  kind: 'sections';
  /**
   * Number of sections per row; None for the number that shows them largest.
   */
  columns?: number | null;
}
/**
 * A single section; the arrangement determines the previous and the next section.
 */
export interface OneSection {
  order?: 'file' | 'name' | 'cells' | 'column';
  /**
   * The column, with one value per section, that sorts the sections if `order` is `column`.
   */
  by?: string | null;
  /**
   * Filters by column: only sections with one of these values are shown.
   */
  only?: {
    [k: string]: (string | number | null)[];
  };
  kind: 'section';
  name: string;
}
/**
 * Cells at their coordinates in an embedding.
 */
export interface InEmbedding {
  kind: 'embedding';
  /**
   * Key of obsm.
   */
  name: string;
}
/**
 * A named set of genes.
 */
export interface GeneSet {
  name: string;
  genes: string[];
}
/**
 * A named set of cells.
 */
export interface SavedRegion {
  name: string;
  /**
   * `#rrggbb`; empty if the viewer chooses the color.
   */
  color?: string;
  /**
   * Base64 of one bit per cell of the bundle, first cell in the lowest bit.
   */
  bits: string;
  /**
   * The closed line that was drawn around its cells: x and y of each corner, in coordinate units of the tissue; empty
   * if the region was not drawn as one line.
   */
  outline?: number[];
}
/**
 * A gene set in a link.
 */
export interface LinkedGeneSet {
  name: string;
  /**
   * Name of the gene set of the bundle that has the same genes.
   */
  of?: string;
  /**
   * Empty for a set that the bundle contains.
   */
  genes?: string[];
}
