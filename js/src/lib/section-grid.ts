import type { Extent } from './camera';

export interface Section {
  name: string;
  count: number;
  extent: Extent;
}

/** A section's place in a grid: what is added to its coordinates, and its box afterwards. */
export interface Placed {
  section: Section;
  dx: number;
  dy: number;
  box: Extent;
}

const GAP = 0.08;

export function sectionOrder(sections: readonly Section[], order: 'file' | 'name' | 'cells'): Section[] {
  const sorted = [...sections];
  if (order === 'name') sorted.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  if (order === 'cells') sorted.sort((a, b) => b.count - a.count);
  return sorted;
}

/** How many columns show the sections largest in a window of this shape. */
export function bestColumns(sections: readonly Section[], width: number, height: number): number {
  const { wide, high } = largest(sections);
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

/** Puts sections side by side at one scale, the first at the upper left. */
export function placedSections(
  sections: readonly Section[],
  columns: number,
  yAxis: 'down' | 'up',
): { placed: Placed[]; extent: Extent } {
  const { wide, high } = largest(sections);
  const down = yAxis === 'down' ? 1 : -1;
  const placed = sections.map((section, at): Placed => {
    const [x0, y0, x1, y1] = section.extent;
    const middle = {
      x: ((at % columns) + 0.5) * wide,
      y: (Math.floor(at / columns) + 0.5) * high * down,
    };
    const dx = middle.x - (x0 + x1) / 2;
    const dy = middle.y - (y0 + y1) / 2;
    return { section, dx, dy, box: [x0 + dx, y0 + dy, x1 + dx, y1 + dy] };
  });
  const rows = Math.ceil(sections.length / columns);
  const across = Math.min(columns, sections.length) * wide;
  const along = rows * high;
  return { placed, extent: down === 1 ? [0, 0, across, along] : [0, -along, across, 0] };
}

function largest(sections: readonly Section[]): { wide: number; high: number } {
  let wide = 0;
  let high = 0;
  for (const { extent } of sections) {
    wide = Math.max(wide, extent[2] - extent[0]);
    high = Math.max(high, extent[3] - extent[1]);
  }
  // A line or a point takes a place, too.
  const most = Math.max(wide, high) || 1;
  const gap = most * GAP;
  return { wide: Math.max(wide, most * 0.05) + gap, high: Math.max(high, most * 0.05) + gap };
}
