import { type Graph, neighborsOf } from '../data/neighbors';

/** Maximum number of edges: more would hide the cells, and take longer to draw than a frame. */
export const MAX_EDGES = 20_000;

/**
 * Returns the edges of some cells as coordinates relative to the center: x, y of one cell, then x, y of the other. Null
 * if there are too many edges.
 */
export function edgesOf(
  graph: Graph,
  coords: Float32Array,
  cells: Uint32Array,
  accepts: ((cell: number) => boolean) | null,
  [cx, cy]: readonly [number, number],
): Float32Array | null {
  const inSight = new Set(cells);
  const found: number[] = [];
  for (const cell of cells) {
    for (const other of neighborsOf(graph, cell)) {
      // Draw the edge only once if both cells are visible.
      if (other < cell && inSight.has(other)) continue;
      const x = coords[2 * other] ?? Number.NaN;
      if (Number.isNaN(x) || accepts?.(other) === false) continue;
      if (found.length === 4 * MAX_EDGES) return null;
      found.push((coords[2 * cell] ?? 0) - cx, (coords[2 * cell + 1] ?? 0) - cy);
      found.push(x - cx, (coords[2 * other + 1] ?? 0) - cy);
    }
  }
  return Float32Array.from(found);
}
