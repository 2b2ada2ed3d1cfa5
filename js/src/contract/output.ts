// Generated from karospace_jupyter/contracts/output.schema.json by `npm run contract`. Do not edit.

/**
 * A view, a grid of views, or an export form in the output of a cell.
 */
export interface Output {
  kind: 'view' | 'grid' | 'form';
  /**
   * ID of the model of the widget.
   */
  model: string;
  title: string;
  /**
   * Height of each view, in CSS pixels.
   */
  height: number;
  /**
   * Number of views per row.
   */
  columns: number;
  /**
   * Empty for a form that has exported nothing.
   */
  tissues: Tissue[];
}
/**
 * A view in an output.
 */
export interface Tissue {
  /**
   * ID of the widget model of the view.
   */
  model: string;
  title: string;
  /**
   * Numbers of cells and genes.
   */
  detail: string;
  /**
   * The preview as a data URL; empty if there is none.
   */
  picture: string;
  /**
   * None for a bundle that is not in a folder.
   */
  bundle: OnDisk | null;
}
/**
 * A bundle in a folder.
 */
export interface OnDisk {
  /**
   * Path relative to the working directory, if it is inside it.
   */
  folder: string;
  /**
   * The path in each form that a server may use: as given, resolved, and relative to the home folder.
   */
  places: string[];
  /**
   * When the bundle was written; distinguishes it from a later one in the same folder.
   */
  created: string;
}
