// Generated from karospace_jupyter/contracts/panel-requests.schema.json by `npm run contract`. Do not edit.

export type PanelRequest = OpenForm | OpenFile | NewView | ViewOf | IsKnown | Verify | Delete | AskAgain;
export type JsonValue = unknown;

/**
 * Creates the form of an object.
 */
export interface OpenForm {
  do: 'form';
  where: string[];
  /**
   * Initial values of the form. ``{name}`` in ``outdir`` is replaced by the name of the object.
   */
  options: {
    [k: string]: JsonValue;
  };
}
/**
 * Creates the form of an ``.h5ad`` file or a zarr folder, which is not loaded into memory.
 */
export interface OpenFile {
  do: 'file';
  path: string;
  options: {
    [k: string]: JsonValue;
  };
}
/**
 * Shows an object without exporting it to disk; all of its genes are available.
 */
export interface NewView {
  do: 'new_view';
  where: string[];
}
/**
 * Shows a bundle on disk through the kernel, for pages that cannot read it directly.
 */
export interface ViewOf {
  do: 'view_of';
  path: string;
}
/**
 * Asks whether a widget still exists, after the page was reloaded.
 */
export interface IsKnown {
  do: 'known';
  model: string;
}
/**
 * Verifies every file of a bundle.
 */
export interface Verify {
  do: 'verify';
  path: string;
}
/**
 * Deletes the folder of a bundle, and nothing else.
 */
export interface Delete {
  do: 'delete';
  path: string;
}
/**
 * Asks for the answer to an earlier request.
 */
export interface AskAgain {
  do: 'answer';
  ticket: string;
}
