// Generated from karospace_jupyter/contracts/result.schema.json by `npm run contract`. Do not edit.

/**
 * A finished export.
 */
export interface Result {
  name: string;
  /**
   * Absolute path of the bundle; empty for a bundle in memory.
   */
  path: string;
  /**
   * Size on disk.
   */
  bytes: number;
  files: number;
  n_cells: number;
  /**
   * Number of cells before downsampling; None if unknown.
   */
  n_cells_source: number | null;
  n_genes: number;
  warnings: string[];
  created: string;
  /**
   * What each row represents.
   */
  observations: 'cells' | 'spots' | 'bins';
  /**
   * The path relative to the working directory if it is inside, otherwise the absolute path.
   */
  folder: string;
  /**
   * The path in each form that a server may use: as given, resolved, and relative to the home folder.
   */
  places: string[];
  /**
   * Number of exports made by this form.
   */
  number: number;
}
