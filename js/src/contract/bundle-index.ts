// Generated from karospace_jupyter/contracts/bundle-index.schema.json by `npm run contract`. Do not edit.

/**
 * The bundles in a folder and its subfolders, ordered by title.
 */
export interface BundleIndex {
  version: 1;
  title: string;
  bundles: IndexedBundle[];
  /**
   * Other origins whose bundles `viewer.html` in the folder may open.
   */
  data_origins?: string[];
}
/**
 * One bundle of an index.
 */
export interface IndexedBundle {
  /**
   * Folder relative to the index, `/`-separated.
   */
  path: string;
  /**
   * Name of the dataset.
   */
  title: string;
  observations: 'cells' | 'spots' | 'bins';
  n_cells: number;
  n_genes: number;
  /**
   * 0 if the bundle has no sections.
   */
  n_sections: number;
  /**
   * Names of annotations, for the search.
   */
  columns: string[];
  /**
   * Path of the preview, relative to the folder of the bundle.
   */
  preview: string | null;
  created_at: string;
  /**
   * Size of the assets.
   */
  bytes: number;
  /**
   * SHA-256 of `manifest.json` when the bundle was verified. While it is unchanged, only file sizes are checked.
   */
  sha256: string;
}
