import { turns } from './pause';
import { isInPolygon } from './polygon';

/** Number of squares along the longer side of the cells' extent. */
const SQUARES = 256;
/** Number of cells between two checks of the clock. */
const AT_ONCE = 4096;

/** What the cells of a square have in common. */
interface Square {
  /** First corners of the candidate edges: each cell's nearest edge is among them. */
  edges: Uint32Array;
  /** Whether all cells are inside; null if the border may cross the square. */
  inside: boolean | null;
}

/** Returns the squared distance from (x, y) to the edge between corner `i` and the next one. */
function squaredDistance(points: ArrayLike<number>, i: number, x: number, y: number): number {
  const j = 2 * i + 2 < points.length ? i + 1 : 0;
  const ax = points[2 * i] ?? 0;
  const ay = points[2 * i + 1] ?? 0;
  const dx = (points[2 * j] ?? 0) - ax;
  const dy = (points[2 * j + 1] ?? 0) - ay;
  const length = dx * dx + dy * dy;
  const along = length > 0 ? ((x - ax) * dx + (y - ay) * dy) / length : 0;
  const t = along < 0 ? 0 : along > 1 ? 1 : along;
  const left = x - (ax + t * dx);
  const up = y - (ay + t * dy);
  return left * left + up * up;
}

/**
 * Computes the distance from each accepted cell to the border of a closed outline, times `factor`; negative inside by
 * the even-odd rule, NaN for other cells. `coords` and `points` are interleaved x, y. Pauses to keep the page
 * responsive.
 *
 * `karospace_jupyter.border_distance` computes the same numbers to the last bit.
 */
export async function borderDistances(
  points: ArrayLike<number>,
  coords: Float32Array,
  accepts: ((cell: number) => boolean) | null,
  factor: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  const due = turns();
  const total = coords.length / 2;
  const counts = (cell: number) =>
    Number.isFinite(coords[2 * cell]) && Number.isFinite(coords[2 * cell + 1]) && (!accepts || accepts(cell));
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let cell = 0; cell < total; cell++) {
    if (cell % AT_ONCE === 0) await due();
    if (!counts(cell)) continue;
    const x = coords[2 * cell] ?? 0;
    const y = coords[2 * cell + 1] ?? 0;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  const side = Math.max(x1 - x0, y1 - y0) / SQUARES || 1;
  // From the center to a corner, plus a margin for rounding.
  const reach = side * Math.SQRT1_2 * 1.0001;
  const corners = points.length / 2;
  const far = new Float64Array(corners);
  const squares: (Square | undefined)[] = [];
  const squareAt = (column: number, row: number): Square => {
    const [x, y] = [x0 + (column + 0.5) * side, y0 + (row + 0.5) * side];
    let nearest = Infinity;
    for (let i = 0; i < corners; i++) {
      const distance = Math.sqrt(squaredDistance(points, i, x, y));
      far[i] = distance;
      if (distance < nearest) nearest = distance;
    }
    const edges: number[] = [];
    for (let i = 0; i < corners; i++) if ((far[i] ?? 0) <= nearest + 2 * reach) edges.push(i);
    return { edges: Uint32Array.from(edges), inside: nearest > reach ? isInPolygon(points, x, y) : null };
  };

  const out = new Float32Array(total).fill(Number.NaN);
  for (let cell = 0; cell < total; cell++) {
    // An outline may have thousands of corners, and each new square visits all of them.
    if (cell % (corners > 1000 ? 64 : 1024) === 0) {
      await due();
      signal.throwIfAborted();
    }
    if (!counts(cell)) continue;
    const x = coords[2 * cell] ?? 0;
    const y = coords[2 * cell + 1] ?? 0;
    const column = Math.floor((x - x0) / side);
    const row = Math.floor((y - y0) / side);
    const at = row * (SQUARES + 1) + column;
    squares[at] ??= squareAt(column, row);
    const { edges, inside } = squares[at] as Square;
    let nearest = Infinity;
    for (let e = 0; e < edges.length; e++) {
      const distance = squaredDistance(points, edges[e] ?? 0, x, y);
      if (distance < nearest) nearest = distance;
    }
    const distance = Math.sqrt(nearest) * factor;
    out[cell] = distance > 0 && (inside ?? isInPolygon(points, x, y)) ? -distance : distance;
  }
  return out;
}
