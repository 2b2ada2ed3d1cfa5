import { type Signal, signal } from '@preact/signals';
import type { Differences } from '../../data/compare/compare';
import type { Scale } from '../../data/compare/gene-test';
import type { Region } from '../selection/selection';

/** A group of cells to compare. */
export type CellGroup =
  | { kind: 'selection' }
  | { kind: 'region'; name: string }
  | { kind: 'category'; column: string; name: string }
  /** All visible cells that are not in the other group. */
  | { kind: 'rest' };

/** What the cells of a group are taken from; a change of one of these makes a comparison outdated. */
export interface Cells {
  total: number;
  selection: Uint8Array | null;
  regions: readonly Region[];
  /** Visible cells; null if all are. */
  shown: Uint8Array | null;
}

/** Genes that differ between two groups of cells. */
export interface Comparison {
  groups: readonly [CellGroup, CellGroup];
  /** The groups as they were when the comparison began. */
  cells: Cells;
  /** While it runs, and after it has failed, null. */
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
  /** What the values are: “counts”, “log1p values”. */
  noun: string;
}

export interface CompareModel {
  /** The open comparison; null if none is. */
  readonly comparison: Signal<Comparison | null>;
  /** Genes of the open dot plot; null if none is. */
  readonly dotGenes: Signal<readonly string[] | null>;
}

export const createCompareModel = (): CompareModel => ({
  comparison: signal<Comparison | null>(null),
  dotGenes: signal<readonly string[] | null>(null),
});
