import type { Extent } from './camera';

/** Position of each category, and its number of cells with coordinates. */
export interface CategoryPlaces {
  /** Interleaved x, y; NaN for a category without cells. */
  places: Float32Array;
  counts: Uint32Array;
}

/** Squares of the grid along each side, on which connected parts of a category are found. */
const SIDE = 48;

/**
 * Finds a place for the name of each category: the median of its largest connected part or, if that is outside the
 * part, as in a ring, the densest place of the part.
 */
export function categoryPlaces(
  coords: Float32Array,
  extent: Extent,
  codes: ArrayLike<number>,
  categories: number,
): CategoryPlaces {
  const places = new Float32Array(2 * categories).fill(Number.NaN);
  const counts = new Uint32Array(categories);
  const total = coords.length / 2;
  const columnOf = sideOf(extent[0], extent[2]);
  const rowOf = sideOf(extent[1], extent[3]);
  const squareOf = (cell: number) =>
    rowOf(coords[2 * cell + 1] ?? Number.NaN) * SIDE + columnOf(coords[2 * cell] ?? Number.NaN);
  const counted = (cell: number) =>
    (codes[cell] ?? categories) < categories && !Number.isNaN(coords[2 * cell]);
  for (let cell = 0; cell < total; cell++) if (counted(cell)) increment(counts, codes[cell] ?? 0);
  // Sort the cells by category, so that all categories can share one small grid.
  const starts = new Uint32Array(categories + 1);
  for (let code = 0; code < categories; code++) starts[code + 1] = (starts[code] ?? 0) + (counts[code] ?? 0);
  const next = starts.slice();
  const cells = new Uint32Array(starts[categories] ?? 0);
  for (let cell = 0; cell < total; cell++) if (counted(cell)) cells[increment(next, codes[cell] ?? 0)] = cell;
  const grid = new Uint32Array(SIDE * SIDE);
  for (let code = 0; code < categories; code++) {
    const own = cells.subarray(starts[code], starts[code + 1]);
    if (own.length === 0) continue;
    grid.fill(0);
    for (const cell of own) increment(grid, squareOf(cell));
    const part = largestPart(grid);
    const inside = own.filter((cell) => part.has(squareOf(cell)));
    const x = median(inside, (cell) => coords[2 * cell] ?? 0);
    const y = median(inside, (cell) => coords[2 * cell + 1] ?? 0);
    const middle = rowOf(y) * SIDE + columnOf(x);
    const near = part.has(middle) ? inside : inDensest(inside, grid, part, squareOf);
    places[2 * code] = part.has(middle) ? x : median(near, (cell) => coords[2 * cell] ?? 0);
    places[2 * code + 1] = part.has(middle) ? y : median(near, (cell) => coords[2 * cell + 1] ?? 0);
  }
  return { places, counts };
}

/** Increments the number at index `at`; returns its value before. */
function increment(numbers: Uint32Array, at: number): number {
  const before = numbers[at] ?? 0;
  numbers[at] = before + 1;
  return before;
}

const sideOf = (from: number, to: number) => (value: number) =>
  to > from ? Math.min(SIDE - 1, Math.max(0, Math.floor(((value - from) / (to - from)) * SIDE))) : 0;

/** Returns the squares that touch a square, including itself. */
function neighbors(square: number): number[] {
  const [row, column] = [Math.floor(square / SIDE), square % SIDE];
  const found: number[] = [];
  for (let y = Math.max(0, row - 1); y <= Math.min(SIDE - 1, row + 1); y++)
    for (let x = Math.max(0, column - 1); x <= Math.min(SIDE - 1, column + 1); x++) found.push(y * SIDE + x);
  return found;
}

/** Returns the squares of the connected part with the most cells. */
function largestPart(grid: Uint32Array): ReadonlySet<number> {
  const seen = new Uint8Array(grid.length);
  let best: Set<number> = new Set();
  let most = 0;
  for (let start = 0; start < grid.length; start++) {
    if (grid[start] === 0 || seen[start] === 1) continue;
    const part = new Set([start]);
    seen[start] = 1;
    let size = 0;
    for (const square of part) {
      size += grid[square] ?? 0;
      for (const other of neighbors(square))
        if (grid[other] !== 0 && seen[other] === 0) {
          seen[other] = 1;
          part.add(other);
        }
    }
    if (size > most) [best, most] = [part, size];
  }
  return best;
}

/** Returns the cells in the square whose neighborhood has the most cells. */
function inDensest(
  cells: Uint32Array,
  grid: Uint32Array,
  part: ReadonlySet<number>,
  squareOf: (cell: number) => number,
): Uint32Array {
  const around = (square: number) => neighbors(square).reduce((sum, other) => sum + (grid[other] ?? 0), 0);
  let densest = -1;
  let most = 0;
  for (const square of part) {
    const size = around(square);
    if (size > most) [densest, most] = [square, size];
  }
  return cells.filter((cell) => squareOf(cell) === densest);
}

function median(cells: Uint32Array, of: (cell: number) => number): number {
  const values = Float32Array.from(cells, of).sort();
  return values[values.length >> 1] ?? Number.NaN;
}
