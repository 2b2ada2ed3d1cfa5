// Generated from karospace_jupyter/contracts/estimate.schema.json by `npm run contract`. Do not edit.

/**
 * A predicted export; without files if there is no prediction yet, or an option prevents it.
 */
export interface Estimate {
  /**
   * Revision of the options to which the estimate applies.
   */
  revision: number;
  /**
   * Why an export would fail, for each option with a problem; the key "object" stands for the data.
   */
  problems: {
    [k: string]: string;
  };
  /**
   * Traceback of an unexpected error.
   */
  details: string;
  /**
   * Whether an existing bundle would be replaced.
   */
  exists: boolean;
  files: number;
  /**
   * Approximate size on disk.
   */
  bytes: number;
  seconds: number;
  n_cells: number;
  n_genes: number;
  /**
   * The length of a coordinate unit, and where it comes from.
   */
  scale: string;
  /**
   * Initial color: the name of a column or a gene; empty if there is none.
   */
  color: string;
  /**
   * Whether the export leaves out cells that the user did not choose to leave out.
   */
  loses_cells: boolean;
  warnings: string[];
  /**
   * Genes listed in the options or in their file.
   */
  listed: string[];
  /**
   * Listed genes that are not in the data.
   */
  unknown: UnknownGene[];
  /**
   * Defaults with the chosen coordinates; None for those of the summary.
   */
  defaults: Defaults | null;
}
/**
 * A listed gene that is not in the data.
 */
export interface UnknownGene {
  name: string;
  /**
   * Similar names in the data.
   */
  near: string[];
}
/**
 * What is exported by default.
 */
export interface Defaults {
  annotation_columns: string[];
  embeddings: string[];
}
