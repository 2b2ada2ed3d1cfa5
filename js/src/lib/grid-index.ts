/** Uniform grid over points, built by counting sort. Finds the nearest of a million cells in microseconds. */
export interface GridIndex {
  readonly coords: Float32Array;
  readonly x0: number;
  readonly y0: number;
  readonly side: number;
  readonly columns: number;
  readonly rows: number;
  /** Start of each grid square in `cells`, and the end of the last. */
  readonly starts: Uint32Array;
  readonly cells: Uint32Array;
}

const CELLS_PER_SQUARE = 8;

export function buildGrid(
  coords: Float32Array,
  extent: readonly [number, number, number, number],
): GridIndex {
  const count = coords.length / 2;
  // Round to float32 like the coordinates: otherwise the lowest cell could fall outside the grid.
  const [x0, y0, x1, y1] = extent.map(Math.fround) as [number, number, number, number];
  const width = Math.max(x1 - x0, 0);
  const height = Math.max(y1 - y0, 0);
  const longest = Math.max(width, height) || 1;
  const side = Math.max(Math.sqrt((width * height * CELLS_PER_SQUARE) / Math.max(1, count)), longest / 2048);
  const columns = Math.floor(width / side) + 1;
  const rows = Math.floor(height / side) + 1;
  const starts = new Uint32Array(columns * rows + 1);
  const squares = new Uint32Array(count);
  // Cells without finite coordinates belong to no square.
  const nowhere = columns * rows;
  for (let i = 0; i < count; i++) {
    const gx = Math.floor(((coords[2 * i] ?? Number.NaN) - x0) / side);
    const gy = Math.floor(((coords[2 * i + 1] ?? Number.NaN) - y0) / side);
    const inside = gx >= 0 && gy >= 0 && gx < columns && gy < rows;
    const square = inside ? gy * columns + gx : nowhere;
    squares[i] = square;
    if (inside) starts[square + 1] = (starts[square + 1] ?? 0) + 1;
  }
  for (let s = 0; s < nowhere; s++) starts[s + 1] = (starts[s + 1] ?? 0) + (starts[s] ?? 0);
  const next = starts.slice(0, nowhere);
  const cells = new Uint32Array(starts[nowhere] ?? 0);
  for (let i = 0; i < count; i++) {
    const square = squares[i] ?? nowhere;
    if (square === nowhere) continue;
    const at = next[square] ?? 0;
    cells[at] = i;
    next[square] = at + 1;
  }
  return { coords, x0, y0, side, columns, rows, starts, cells };
}

/** Returns the index of the nearest accepted cell within `radius`, or -1. */
export function nearestCell(
  grid: GridIndex,
  x: number,
  y: number,
  radius: number,
  accepts: (cell: number) => boolean,
): number {
  const { coords, side, columns, rows, starts, cells } = grid;
  const left = Math.max(0, Math.floor((x - radius - grid.x0) / side));
  const right = Math.min(columns - 1, Math.floor((x + radius - grid.x0) / side));
  const top = Math.max(0, Math.floor((y - radius - grid.y0) / side));
  const bottom = Math.min(rows - 1, Math.floor((y + radius - grid.y0) / side));
  let best = -1;
  let bestDistance = radius * radius;
  for (let row = top; row <= bottom; row++) {
    const from = starts[row * columns + left] ?? 0;
    const to = right < left ? from : (starts[row * columns + right + 1] ?? 0);
    for (let at = from; at < to; at++) {
      const cell = cells[at] ?? 0;
      const dx = (coords[2 * cell] ?? 0) - x;
      const dy = (coords[2 * cell + 1] ?? 0) - y;
      const distance = dx * dx + dy * dy;
      if (distance <= bestDistance && accepts(cell)) {
        best = cell;
        bestDistance = distance;
      }
    }
  }
  return best;
}

/** Number of cells up to which neighbors are searched: the squares of the area would be too large for few cells. */
const FEW = 2000;
const NEIGHBORS = 4;
/** Cells are in groups if the area per cell around them is smaller than that of the whole by this factor or more. */
const GROUPED = 0.6;

/**
 * Estimates the typical distance between neighbors as the square root of the occupied area per cell, or of the area
 * around a cell if few cells are in groups. Ignores cells without coordinates.
 */
export function typicalSpacing(
  coords: Float32Array,
  extent: readonly [number, number, number, number],
): number {
  let count = 0;
  for (let i = 0; i < coords.length; i += 2) if (!Number.isNaN(coords[i])) count++;
  const width = extent[2] - extent[0];
  const height = extent[3] - extent[1];
  if (count < 2 || !(width > 0) || !(height > 0)) return Math.max(width, height, 0) / Math.max(1, count);
  const squares = Math.max(1, Math.min(96, Math.floor(Math.sqrt(count / 8))));
  const seen = new Uint8Array(squares * squares);
  let occupied = 0;
  for (let i = 0; i < coords.length; i += 2) {
    const gx = Math.min(squares - 1, Math.floor((((coords[i] ?? 0) - extent[0]) / width) * squares));
    const gy = Math.min(squares - 1, Math.floor((((coords[i + 1] ?? 0) - extent[1]) / height) * squares));
    if (!(gx >= 0 && gy >= 0)) continue;
    const square = gy * squares + gx;
    if (seen[square] === 0) {
      seen[square] = 1;
      occupied++;
    }
  }
  const area = (width * height * occupied) / (squares * squares);
  const spacing = Math.sqrt(area / count);
  const within = count > NEIGHBORS && count <= FEW ? spacingWithinGroups(coords) : 0;
  return within > 0 && within < GROUPED * spacing ? within : spacing;
}

/** Returns the square root of the median area per cell in the circle that reaches a cell's fourth neighbor. */
function spacingWithinGroups(allCoords: Float32Array): number {
  // Without the cells of other sections, of which there may be many.
  const coords = allCoords.filter((_, i) => !Number.isNaN(allCoords[i & ~1]));
  const areas: number[] = [];
  const nearest = new Float64Array(NEIGHBORS);
  for (let i = 0; i < coords.length; i += 2) {
    nearest.fill(Infinity);
    for (let j = 0; j < coords.length; j += 2) {
      let distance =
        ((coords[j] ?? 0) - (coords[i] ?? 0)) ** 2 + ((coords[j + 1] ?? 0) - (coords[i + 1] ?? 0)) ** 2;
      if (j === i || !(distance < (nearest[NEIGHBORS - 1] ?? 0))) continue;
      for (let k = 0; k < NEIGHBORS; k++) {
        const closer = nearest[k] ?? 0;
        if (distance < closer) {
          nearest[k] = distance;
          distance = closer;
        }
      }
    }
    areas.push((Math.PI * (nearest[NEIGHBORS - 1] ?? 0)) / NEIGHBORS);
  }
  areas.sort((a, b) => a - b);
  return Math.sqrt(areas[areas.length >> 1] ?? 0);
}
