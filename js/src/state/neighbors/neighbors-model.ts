import { type Signal, signal } from '@preact/signals';
import type { Graph } from '../../data/neighbors';

export interface NeighborsModel {
  /** The graph of neighbors while it is loaded and shown; null otherwise. */
  readonly graph: Signal<Graph | null>;
  /** Whether neighbors are turned on but not drawn: cells are too close together, or edges too many. */
  readonly edgesOmitted: Signal<boolean>;
  /** Whether the neighborhoods of categories are shown. */
  readonly neighborhoods: Signal<boolean>;
}

export const createNeighborsModel = (): NeighborsModel => ({
  graph: signal<Graph | null>(null),
  edgesOmitted: signal(false),
  neighborhoods: signal(false),
});
