import type { Manifest } from '../contract/manifest';
import type { Extent } from '../lib/camera';
import { extentFrom, type Origin, ZERO } from '../lib/origin';
import type { Placed } from '../lib/section-grid';
import type { Layout } from '../state/view-state';
import type { Piece } from './image-layer';

/** Margin around the cells of a section, as a fraction of the longer side. */
const MARGIN = 0.03;

function around([x0, y0, x1, y1]: Extent): Extent {
  const by = MARGIN * Math.max(x1 - x0, y1 - y0);
  return [x0 - by, y0 - by, x1 + by, y1 + by];
}

/**
 * Returns the images to draw under the cells of a layout. Overlapping sections each have their own coordinate system:
 * an image fits one of them and none of the others. Fields are relative to the origin.
 */
export function imagePieces(
  layout: Layout,
  sections: Manifest['sections'] | undefined,
  titles: readonly Placed[],
  origin: Origin = ZERO,
): readonly Piece[] {
  if (layout.kind === 'embedding') return [];
  const own = sections?.items.some(({ image }) => image) ?? false;
  const apart = own || !sections?.overlapping;
  if (!apart) return [];
  if (layout.kind === 'sections')
    return titles.map(({ section, dx, dy, field }) => ({
      section: own ? section.name : null,
      dx,
      dy,
      field,
    }));
  if (layout.kind === 'section') {
    const stated = sections?.items.find(({ name }) => name === layout.name)?.extent;
    const extent = stated && extentFrom(origin, stated);
    if (own) return [{ section: layout.name, dx: 0, dy: 0, field: null }];
    // Clip to the cells and a margin, to hide neighboring sections.
    return [{ section: null, dx: 0, dy: 0, field: extent ? around(extent) : null }];
  }
  const whole = (section: string | null): Piece => ({ section, dx: 0, dy: 0, field: null });
  if (!sections || !own) return [whole(null)];
  // Images of neighboring sections may overlap: clip each to the extent of its own cells.
  return sections.overlapping
    ? []
    : sections.items.map(({ name, extent }) => ({ ...whole(name), field: extentFrom(origin, extent) }));
}
