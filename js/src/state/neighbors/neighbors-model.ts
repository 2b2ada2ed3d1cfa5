import { type Signal, signal } from '@preact/signals';
import type { Graph } from '../../data/neighbors';

export interface NeighborsModel {
  /** Whether to show which cells are neighbors. */
  readonly neighborsOn: Signal<boolean>;
  /** Which cells are neighbors, once that is loaded and while it is shown; else null. */
  readonly graph: Signal<Graph | null>;
  /** Whether neighbors are shown, but cells are too close together, or edges too many, to draw lines between them. */
  readonly edgesOmitted: Signal<boolean>;
  /** Whether the neighborhoods of categories are open. */
  readonly neighborhoods: Signal<boolean>;
}

export const createNeighborsModel = (): NeighborsModel => ({
  neighborsOn: signal(false),
  graph: signal<Graph | null>(null),
  edgesOmitted: signal(false),
  neighborhoods: signal(false),
});
