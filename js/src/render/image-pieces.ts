import type { Manifest } from '../contract/manifest';
import type { Placed } from '../lib/section-grid';
import type { Layout } from '../state/view-state';
import type { Piece } from './image-layer';

/**
 * Which pictures lie under the cells of a layout. Sections upon each other in the file are measured each in its own
 * coordinates: a picture is right under one of them, and wrong under all others.
 */
export function imagePieces(
  layout: Layout,
  sections: Manifest['sections'] | undefined,
  titles: readonly Placed[],
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
  const whole = (section: string | null): Piece => ({ section, dx: 0, dy: 0, field: null });
  if (!sections || !own) return [whole(null)];
  if (layout.kind === 'section') return [whole(layout.name)];
  // Pictures of sections beside each other may cover one another: each has the place of its own cells.
  return sections.overlapping
    ? []
    : sections.items.map(({ name, extent }) => ({ ...whole(name), field: extent }));
}
