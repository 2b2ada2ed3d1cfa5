import type { Manifest } from '../../contract/manifest';
import type { Positions } from '../../data/bundle';
import type { Codes } from '../../data/column-values';
import { type Orientation, UPRIGHT, type Viewport } from '../../lib/camera';
import { extentFrom, ZERO } from '../../lib/origin';
import { bestColumns, type Placed, placedSections, type Section } from '../../lib/section-grid';
import type { Layout } from '../view-state';
import { arranged, arrangementOf, type Fact } from './arrangement';

/** Sections of the tissue, and the section of each cell. */
export interface Sections {
  column: string;
  /** Sections with cells, in file order; their extents are in coordinates of the source. */
  items: readonly Section[];
  facts: readonly Fact[];
  /** All categories of the column, to which `codes` refer. */
  categories: readonly string[];
  codes: Codes;
}

/** Returns the number of columns in the grid of sections. */
export function columnsOf(
  layout: Layout,
  sections: Pick<Sections, 'items' | 'facts'> | null,
  { width, height }: Viewport,
  orientation: Orientation,
): number {
  if (layout.kind !== 'sections' || !sections) return 1;
  if (layout.columns) return Math.max(1, Math.round(layout.columns));
  const shown = arranged(sections.items, sections.facts, arrangementOf(layout));
  return bestColumns(shown, width || 1, height || 1, orientation);
}

interface LaidOut {
  positions: Positions;
  titles: readonly Placed[];
}

type Places = Pick<Manifest, 'embeddings' | 'coordinate_source'>;

const KNOWN_EMBEDDINGS: Readonly<Record<string, string>> = {
  umap: 'UMAP',
  tsne: 't-SNE',
  pca: 'PCA',
  phate: 'PHATE',
  diffmap: 'Diffusion map',
};

/** Returns the display name of an embedding that takes the place of the tissue, for data without coordinates. */
function embeddingInPlaceOfTissue({ coordinate_source: source }: Places): string | null {
  // A key of obsm (`obsm:X_umap`), or two columns of obs (`obs:UMAP_1,UMAP_2`).
  const match = /^obsm:(?:x_)?(.+)$/i.exec(source) ?? /^obs:(.+?)[_ -]?1,/i.exec(source);
  const key = match?.[1]?.toLowerCase().replace('-', '');
  return key !== undefined && Object.hasOwn(KNOWN_EMBEDDINGS, key) ? (KNOWN_EMBEDDINGS[key] ?? null) : null;
}

/** Returns the display name of an embedding, such as `UMAP`; null for other layouts. */
export function embeddingLabel(layout: Layout, manifest: Places | null): string | null {
  if (layout.kind === 'tissue' && manifest) return embeddingInPlaceOfTissue(manifest);
  if (layout.kind !== 'embedding') return null;
  return manifest?.embeddings?.find(({ name }) => name === layout.name)?.label ?? layout.name;
}

/** Returns the display name of a layout. */
export function layoutLabel(layout: Layout, manifest: Places | null): string {
  if (layout.kind === 'tissue') return embeddingLabel(layout, manifest) ?? 'Tissue';
  if (layout.kind === 'sections') return 'Sections';
  if (layout.kind === 'section') return layout.name;
  return embeddingLabel(layout, manifest) ?? '';
}

/** Counts the cells with coordinates. */
export function placedCount(coords: Float32Array): number {
  let count = 0;
  for (let at = 0; at < coords.length; at += 2)
    if (Number.isFinite(coords[at]) && Number.isFinite(coords[at + 1])) count++;
  return count;
}

/** Returns the positions of the cells in a layout, or those in the tissue until the layout is loaded. */
export function placedCells(
  tissue: Positions,
  layout: Layout,
  embeddings: ReadonlyMap<string, Positions>,
  sections: Sections | null,
  columns: number,
  orientation: Orientation = UPRIGHT,
): LaidOut {
  if (layout.kind === 'embedding') return { positions: embeddings.get(layout.name) ?? tissue, titles: [] };
  if (layout.kind === 'tissue' || !sections) return { positions: tissue, titles: [] };
  const origin = tissue.origin ?? ZERO;
  const from = (section: Section): Section => ({ ...section, extent: extentFrom(origin, section.extent) });
  if (layout.kind === 'section') {
    const section = sections.items.find(({ name }) => name === layout.name);
    if (!section) return { positions: tissue, titles: [] };
    const coords = moved(tissue, sections, [{ section, dx: 0, dy: 0 }]);
    return { positions: { ...tissue, coords, extent: from(section).extent }, titles: [] };
  }
  const { placed, extent } = placedSections(
    arranged(sections.items, sections.facts, arrangementOf(layout)).map(from),
    columns,
    tissue.yAxis,
    orientation,
  );
  const coords = moved(tissue, sections, placed);
  return { positions: { ...tissue, coords, extent, origin: ZERO }, titles: placed };
}

/** Moves each cell with its section; cells in no section get no coordinates. */
function moved(
  { coords }: Positions,
  { categories, codes }: Sections,
  placed: readonly Pick<Placed, 'section' | 'dx' | 'dy'>[],
): Float32Array {
  const dx = new Float64Array(categories.length + 1).fill(Number.NaN);
  const dy = new Float64Array(categories.length + 1).fill(Number.NaN);
  const codeOf = new Map(categories.map((name, code) => [name, code]));
  for (const { section, dx: x, dy: y } of placed) {
    const code = codeOf.get(section.name) ?? categories.length;
    dx[code] = x;
    dy[code] = y;
  }
  const out = new Float32Array(coords.length);
  for (let cell = 0; cell < codes.length; cell++) {
    const code = codes[cell] ?? categories.length;
    out[2 * cell] = (coords[2 * cell] ?? Number.NaN) + (dx[code] ?? Number.NaN);
    out[2 * cell + 1] = (coords[2 * cell + 1] ?? Number.NaN) + (dy[code] ?? Number.NaN);
  }
  return out;
}
