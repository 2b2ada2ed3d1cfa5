import { type Signal, signal } from '@preact/signals';
import type { Graph } from '../../data/neighbors';

export interface NeighborsModel {
  /** Which cells are neighbors, while that is shown; else null. */
  readonly graph: Signal<Graph | null>;
  /** Whether the neighborhoods of categories are open. */
  readonly neighborhoods: Signal<boolean>;
}

export const createNeighborsModel = (): NeighborsModel => ({
  graph: signal<Graph | null>(null),
  neighborhoods: signal(false),
});
