import { type Signal, signal } from '@preact/signals';
import type { Bundle } from '../../data/bundle';
import type { CategoryValues } from '../../data/column-values';
import type { Differences } from '../../data/compare/differences';
import type { Scale } from '../../data/compare/gene-test';
import type { Region } from '../selection/selection';

/** A group of cells to compare. */
export type CellGroup =
  | { kind: 'selection' }
  | { kind: 'region'; name: string }
  | { kind: 'category'; column: string; name: string }
  /** All visible cells that are not in the other group. */
  | { kind: 'rest' };

/** The data that a comparison depends on. */
export interface Basis {
  bundle: Bundle | null;
  selection: Uint8Array | null;
  regions: readonly Region[];
  /** Cells with coordinates in the layout; null if all cells have them. */
  scope: Uint8Array | null;
  /** The annotation whose hidden categories are left out. */
  hiding: CategoryValues | null;
  hidden: readonly (string | null)[];
  /** Annotations of the groups, with groups of their categories. */
  columns: ReadonlyMap<string, CategoryValues>;
}

/** Genes that differ between two groups of cells. */
export interface Comparison {
  groups: readonly [CellGroup, CellGroup];
  basis: Basis;
  /** Null while the comparison runs, and if it failed. */
  result: Result | null;
  /** Genes compared so far. */
  done: number;
  total: number;
  /** Why there is no result. */
  problem: string | null;
}

export interface Result extends Differences {
  sizes: readonly [number, number];
  scale: Scale;
  /** Noun for the values: “counts”, “log1p values”. */
  noun: string;
  /** Whether the result was computed at export, without U. */
  stored: boolean;
  /** Name of the matrix; null if there is only one. */
  matrix: string | null;
}

export interface CompareModel {
  /** The open comparison; null if none is open. */
  readonly comparison: Signal<Comparison | null>;
  /** Genes of the open dot plot; null if none is open. */
  readonly dotGenes: Signal<readonly string[] | null>;
}

export const createCompareModel = (): CompareModel => ({
  comparison: signal<Comparison | null>(null),
  dotGenes: signal<readonly string[] | null>(null),
});
