import { axesOf, type Extent, lies, type Orientation, UPRIGHT } from './camera';

export interface Section {
  name: string;
  count: number;
  extent: Extent;
}

/** Position of a section in the grid: the offset added to its coordinates, and the resulting box. */
export interface Placed {
  section: Section;
  dx: number;
  dy: number;
  box: Extent;
  /** The box extended by a part of the gap to its neighbors. */
  field: Extent;
}

const GAP = 0.08;

/** Returns the number of columns that shows the sections largest in a window of the given size. */
export function bestColumns(
  sections: readonly Section[],
  width: number,
  height: number,
  orientation = UPRIGHT,
): number {
  const { wide, high } = largest(sections, orientation);
  let best = 1;
  let scale = 0;
  for (let columns = 1; columns <= sections.length; columns++) {
    const rows = Math.ceil(sections.length / columns);
    const fits = Math.min(width / (columns * wide), height / (rows * high));
    if (fits <= scale) continue;
    scale = fits;
    best = columns;
  }
  return best;
}

/**
 * Arranges sections in a grid at one scale, centered at (0, 0). The first is at the upper left of the screen whatever
 * the orientation: each section is rotated in place.
 */
export function placedSections(
  sections: readonly Section[],
  columns: number,
  yAxis: 'down' | 'up',
  orientation: Orientation = UPRIGHT,
): { placed: Placed[]; extent: Extent } {
  const { wide, high, gap } = largest(sections, orientation);
  const width = Math.min(columns, sections.length) * wide;
  const height = Math.ceil(sections.length / columns) * high;
  // The transpose of the axes converts screen offsets to coordinates.
  const [a, b, c, d] = axesOf(yAxis, orientation);
  const placed = sections.map((section, at): Placed => {
    const [x0, y0, x1, y1] = section.extent;
    const across = ((at % columns) + 0.5) * wide - width / 2;
    const down = (Math.floor(at / columns) + 0.5) * high - height / 2;
    const dx = a * across + b * down - (x0 + x1) / 2;
    const dy = c * across + d * down - (y0 + y1) / 2;
    const box = [x0 + dx, y0 + dy, x1 + dx, y1 + dy] as const;
    return { section, dx, dy, box, field: grown(box, gap * 0.4) };
  });
  const [x, y] = lies(orientation) ? [height / 2, width / 2] : [width / 2, height / 2];
  return { placed, extent: [-x, -y, x, y] };
}

function grown([x0, y0, x1, y1]: Extent, by: number): Extent {
  return [x0 - by, y0 - by, x1 + by, y1 + by];
}

/** Returns the size of a grid field on the screen, and the gap included in it. */
function largest(
  sections: readonly Section[],
  orientation: Orientation,
): { wide: number; high: number; gap: number } {
  let wide = 0;
  let high = 0;
  for (const { extent } of sections) {
    wide = Math.max(wide, extent[2] - extent[0]);
    high = Math.max(high, extent[3] - extent[1]);
  }
  if (lies(orientation)) [wide, high] = [high, wide];
  // A section without extent, such as a single cell, still needs space.
  const most = Math.max(wide, high) || 1;
  const gap = most * GAP;
  return { wide: Math.max(wide, most * 0.05) + gap, high: Math.max(high, most * 0.05) + gap, gap };
}
