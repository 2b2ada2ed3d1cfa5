// Generated from karospace_jupyter/contracts/summary.schema.json by `npm run contract`. Do not edit.
import type { Defaults } from './estimate';

/**
 * What a form shows of an AnnData object or its file.
 */
export interface Summary {
  n_cells: number;
  n_genes: number;
  /**
   * What each row represents.
   */
  observations: 'cells' | 'spots' | 'bins';
  /**
   * Help text by option.
   */
  help: {
    [k: string]: string;
  };
  /**
   * Whether the fields below are filled; until then, only the fields above are known.
   */
  ready: boolean;
  name: string;
  /**
   * Short facts for the header.
   */
  facts: string[];
  /**
   * Coordinates to choose from.
   */
  coordinates: string[];
  /**
   * Coordinates used if none are chosen.
   */
  detected: string | null;
  columns: ColumnFact[];
  layers: string[];
  /**
   * Whether `raw` exists.
   */
  raw: boolean;
  libraries: LibraryFact[];
  /**
   * Detected column of sections.
   */
  sections: string | null;
  /**
   * All columns that could define sections.
   */
  section_columns: string[];
  embeddings: EmbeddingFact[];
  /**
   * Defaults with the detected coordinates.
   */
  defaults: Defaults;
  /**
   * Number of genes marked as highly variable; None if there are none.
   */
  marked: number | null;
  /**
   * Characters that separate gene names in a list, as in the brackets of a regular expression. Characters that occur
   * in names are excluded.
   */
  separators: string;
}
/**
 * A column of obs.
 */
export interface ColumnFact {
  name: string;
  kind: 'category' | 'number' | 'other';
  dtype: string;
  /**
   * Whether it is exported by default, unless it holds the coordinates.
   */
  default: boolean;
  /**
   * Why it is not exported by default; None if it is.
   */
  left_out: string | null;
  n_categories: number | null;
  /**
   * Alternative kind, which a prefix requests; None if there is none.
   */
  other_kind: ('category' | 'number') | null;
  /**
   * Colors of the first categories.
   */
  colors: string[];
  /**
   * Smallest and largest finite number.
   */
  range: [number, number] | null;
}
/**
 * A library in ``uns['spatial']`` with images.
 */
export interface LibraryFact {
  name: string;
  images: string[];
}
/**
 * An entry of obsm that can be exported as an embedding.
 */
export interface EmbeddingFact {
  key: string;
  /**
   * Display name, for example "UMAP".
   */
  label: string;
  /**
   * Whether it is exported by default, unless it holds the coordinates.
   */
  default: boolean;
}
