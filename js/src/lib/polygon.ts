import type { GridIndex } from './grid-index';

/** Predicate on cells; null accepts every cell. */
export type Accepts = ((cell: number) => boolean) | null;

/** Tolerance, in squares: an edge that only grazes a square counts as touching it. */
const SLACK = 1e-6;

/** Tests a point by the even-odd rule; `points` are interleaved x, y of a closed polygon. */
export function isInPolygon(points: ArrayLike<number>, x: number, y: number): boolean {
  let inside = false;
  const corners = points.length / 2;
  for (let i = 0, j = corners - 1; i < corners; j = i++) {
    if (crosses(points, i, j, x, y)) inside = !inside;
  }
  return inside;
}

/** Returns whether the edge between corners `i` and `j` crosses the ray from (x, y) to the right. */
function crosses(points: ArrayLike<number>, i: number, j: number, x: number, y: number): boolean {
  const yi = points[2 * i + 1] ?? 0;
  const yj = points[2 * j + 1] ?? 0;
  if (yi > y === yj > y) return false;
  const xi = points[2 * i] ?? 0;
  const xj = points[2 * j] ?? 0;
  return x < ((xj - xi) * (y - yi)) / (yj - yi) + xi;
}

/** Collects accepted cells square by square. */
function collector(grid: GridIndex, most: number, accepts: Accepts) {
  const { starts, cells, columns } = grid;
  const found = new Uint32Array(most);
  let count = 0;
  return {
    /** Adds the cells of squares `left` to `right` of a row without testing their coordinates. */
    take(row: number, left: number, right: number) {
      const from = starts[row * columns + left] ?? 0;
      const to = starts[row * columns + right + 1] ?? 0;
      if (!accepts) {
        found.set(cells.subarray(from, to), count);
        count += to - from;
        return;
      }
      for (let at = from; at < to; at++) {
        const cell = cells[at] ?? 0;
        if (accepts(cell)) found[count++] = cell;
      }
    },
    /** Adds the cells of one square that are `inside`. */
    test(row: number, column: number, inside: (x: number, y: number) => boolean) {
      const to = starts[row * columns + column + 1] ?? 0;
      for (let at = starts[row * columns + column] ?? 0; at < to; at++) {
        const cell = cells[at] ?? 0;
        const x = grid.coords[2 * cell] ?? Number.NaN;
        const y = grid.coords[2 * cell + 1] ?? Number.NaN;
        if (inside(x, y) && (!accepts || accepts(cell))) found[count++] = cell;
      }
    },
    found: () => found.slice(0, count),
  };
}

interface Squares {
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Number of cells in these squares. */
  cells: number;
}

function squaresOf(grid: GridIndex, x0: number, y0: number, x1: number, y1: number): Squares | null {
  const { side, columns, rows, starts } = grid;
  const left = Math.max(0, Math.floor((x0 - grid.x0) / side - SLACK));
  const right = Math.min(columns - 1, Math.floor((x1 - grid.x0) / side + SLACK));
  const top = Math.max(0, Math.floor((y0 - grid.y0) / side - SLACK));
  const bottom = Math.min(rows - 1, Math.floor((y1 - grid.y0) / side + SLACK));
  if (!(left <= right && top <= bottom)) return null;
  let cells = 0;
  for (let row = top; row <= bottom; row++) {
    cells += (starts[row * columns + right + 1] ?? 0) - (starts[row * columns + left] ?? 0);
  }
  return { left, right, top, bottom, cells };
}

/** Returns the cells inside a rectangle, including its border. */
export function cellsInRectangle(
  grid: GridIndex,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  accepts: Accepts = null,
): Uint32Array {
  const squares = squaresOf(grid, x0, y0, x1, y1);
  if (!squares) return new Uint32Array(0);
  const { left, right, top, bottom } = squares;
  const out = collector(grid, squares.cells, accepts);
  const inside = (x: number, y: number) => x >= x0 && x <= x1 && y >= y0 && y <= y1;
  for (let row = top; row <= bottom; row++) {
    const yTop = grid.y0 + row * grid.side;
    const whole = yTop >= y0 && yTop + grid.side <= y1 && right - left > 1;
    if (!whole) {
      for (let column = left; column <= right; column++) out.test(row, column, inside);
      continue;
    }
    out.test(row, left, inside);
    out.take(row, left + 1, right - 1);
    out.test(row, right, inside);
  }
  return out.found();
}

/**
 * Returns the cells inside a polygon by the even-odd rule; `points` are interleaved x, y in coordinate units.
 *
 * Processes the grid row by row with the edges that reach into the row. Runs of squares that no edge touches are
 * entirely inside or outside; cells are tested individually only in touched squares.
 */
export function cellsInPolygon(
  grid: GridIndex,
  points: ArrayLike<number>,
  accepts: Accepts = null,
): Uint32Array {
  const corners = Math.floor(points.length / 2);
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < corners; i++) {
    const x = points[2 * i] ?? 0;
    const y = points[2 * i + 1] ?? 0;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  const squares = corners < 3 ? null : squaresOf(grid, x0, y0, x1, y1);
  if (!squares) return new Uint32Array(0);
  const { side } = grid;
  const { left, right, top, bottom } = squares;
  const out = collector(grid, squares.cells, accepts);

  const edges: number[][] = Array.from({ length: bottom - top + 1 }, () => []);
  for (let i = 0, j = corners - 1; i < corners; j = i++) {
    const ya = ((points[2 * i + 1] ?? 0) - grid.y0) / side;
    const yb = ((points[2 * j + 1] ?? 0) - grid.y0) / side;
    const from = Math.max(top, Math.floor(Math.min(ya, yb) - SLACK));
    const to = Math.min(bottom, Math.floor(Math.max(ya, yb) + SLACK));
    for (let row = from; row <= to; row++) edges[row - top]?.push(i, j);
  }

  const touched = new Uint8Array(right - left + 1);
  for (let row = top; row <= bottom; row++) {
    const near = edges[row - top] ?? [];
    const inside = (x: number, y: number) => {
      let within = false;
      for (let e = 0; e < near.length; e += 2) {
        if (crosses(points, near[e] ?? 0, near[e + 1] ?? 0, x, y)) within = !within;
      }
      return within;
    };
    touched.fill(0);
    const yTop = row - SLACK;
    const yBottom = row + 1 + SLACK;
    for (let e = 0; e < near.length; e += 2) {
      const i = near[e] ?? 0;
      const j = near[e + 1] ?? 0;
      const xi = ((points[2 * i] ?? 0) - grid.x0) / side;
      const yi = ((points[2 * i + 1] ?? 0) - grid.y0) / side;
      const xj = ((points[2 * j] ?? 0) - grid.x0) / side;
      const yj = ((points[2 * j + 1] ?? 0) - grid.y0) / side;
      // Clip the edge to the upper and lower line of the row.
      const at = (y: number) => (yi === yj ? xi : xi + ((xj - xi) * (y - yi)) / (yj - yi));
      const within = (y: number) => Math.min(yBottom, Math.max(yTop, y));
      const xa = yi === yj ? xi : at(within(yi));
      const xb = yi === yj ? xj : at(within(yj));
      const first = Math.max(left, Math.floor(Math.min(xa, xb) - SLACK));
      const last = Math.min(right, Math.floor(Math.max(xa, xb) + SLACK));
      if (first <= last) touched.fill(1, first - left, last - left + 1);
    }
    let column = left;
    while (column <= right) {
      if (touched[column - left]) {
        out.test(row, column++, inside);
        continue;
      }
      let end = column;
      while (end < right && !touched[end + 1 - left]) end++;
      if (inside(grid.x0 + (column + 0.5) * side, grid.y0 + (row + 0.5) * side)) out.take(row, column, end);
      column = end + 1;
    }
  }
  return out.found();
}
