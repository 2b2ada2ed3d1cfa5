import { type Camera, MAX_ZOOM, MIN_ZOOM, type Orientation, TURNS, type Turn, UPRIGHT } from '../lib/camera';
import type { ClassPalette } from '../lib/color';
import { COLORMAPS, type Colormap } from '../lib/colormap';

/** Data by which the tissue is colored. */
export type Color =
  | { kind: 'annotation'; column: string }
  | { kind: 'gene'; gene: string }
  /** Mean of a gene set. */
  | { kind: 'score'; name: string; genes: readonly string[] }
  /** Two or three genes blended, one color each. */
  | { kind: 'blend'; genes: readonly string[] }
  | { kind: 'none' };

/** Arrangement of the cells on the screen. */
export type Layout =
  | { kind: 'tissue' }
  /** Sections in a grid with `columns` columns; by default as many as show the sections largest in the window. */
  | ({ kind: 'sections'; columns?: number | null } & Arrangement)
  /** Single section; the arrangement determines the previous and next one. */
  | ({ kind: 'section'; name: string } & Partial<Arrangement>)
  | { kind: 'embedding'; name: string };

/** Orders of sections: file order, by name, by number of cells, or by an annotation. */
export const SECTION_ORDERS = ['file', 'name', 'cells', 'column'] as const;
export type SectionOrder = (typeof SECTION_ORDERS)[number];

/** Filter and order of sections. */
export interface Arrangement {
  order: SectionOrder;
  /** Annotation to sort by if `order` is `column`. */
  by?: string | null;
  /** Values to show, by annotation. */
  only?: Readonly<Record<string, readonly (string | number | null)[]>>;
}

export type PaletteName = 'file' | ClassPalette;
export const PALETTE_NAMES: readonly PaletteName[] = ['file', 'distinct', 'safe'];

/** Orders of categories: descending by number of cells, by name, or file order. */
export const CLASS_ORDERS = ['size', 'name', 'original'] as const;
export type ClassOrder = (typeof CLASS_ORDERS)[number];

export type Theme = 'light' | 'dark' | 'auto';

/** View of a bundle as stored in a link or a notebook; plain JSON data. */
export interface ViewState {
  color: Color;
  /** Hidden categories of each column; null stands for cells without a value. */
  hidden: Readonly<Record<string, readonly (string | null)[]>>;
  /** Category colors: those of the bundle, or a palette that replaces them. */
  palette: PaletteName;
  /** Custom category colors, `#rrggbb`, by column and category; they override the palette. */
  classColors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Annotation by which values are grouped. */
  groupBy: string | null;
  /**
   * In coordinates of the source, except in a grid of sections, which has its own coordinates. Null until the data is
   * loaded, then set to fit all cells.
   */
  camera: Camera | null;
  /**
   * Rotation in degrees clockwise, then mirroring left to right. In a grid, each section is rotated in place;
   * embeddings are never rotated.
   */
  turn: Turn;
  flip: boolean;
  /** Factor on the natural size of a cell. */
  pointSize: number;
  /** 0 to 1 */
  opacity: number;
  imageOn: boolean;
  /** 0 to 1 */
  imageOpacity: number;
  /** Factors; 1 leaves the image unchanged. */
  imageBrightness: number;
  imageContrast: number;
  theme: Theme;
  layout: Layout;
  /** Layout of the second, linked view; null if it is closed. */
  beside: Layout | null;
  /** Camera of the second view; null fits all cells. */
  besideCamera: Camera | null;
  /** Color limits; null for the robust limits of the values. */
  range: readonly [number, number] | null;
  /** Color map for values; `auto` is `rdbu` for values on both sides of zero, else `viridis`. */
  colormap: Colormap | 'auto';
  reversed: boolean;
  /** Scale of the values between the color limits. */
  scale: 'linear' | 'log1p';
  /** Whether cells with the value zero are dimmed. */
  dimZeros: boolean;
  /** Order of categories in the legend, on the page and in images. */
  classOrder: ClassOrder;
}

export const INITIAL: ViewState = {
  color: { kind: 'none' },
  hidden: {},
  palette: 'file',
  classColors: {},
  groupBy: null,
  camera: null,
  turn: 0,
  flip: false,
  pointSize: 1,
  opacity: 1,
  imageOn: true,
  imageOpacity: 0.85,
  imageBrightness: 1,
  imageContrast: 1,
  theme: 'auto',
  layout: { kind: 'tissue' },
  beside: null,
  besideCamera: null,
  range: null,
  colormap: 'auto',
  reversed: false,
  scale: 'linear',
  dimZeros: false,
  classOrder: 'size',
};

/** Limits of the brightness and contrast factors of the image. */
export const FACTOR = { min: 0.25, max: 4 } as const;

export const POINT_SIZE = { min: 0.2, max: 4 } as const;

export function sameColor(a: Color, b: Color): boolean {
  if (a.kind === 'annotation') return b.kind === 'annotation' && a.column === b.column;
  if (a.kind === 'gene') return b.kind === 'gene' && a.gene === b.gene;
  if (a.kind === 'score') return b.kind === 'score' && a.name === b.name && `${a.genes}` === `${b.genes}`;
  if (a.kind === 'blend') return b.kind === 'blend' && `${a.genes}` === `${b.genes}`;
  return b.kind === 'none';
}

/** Returns the orientation of a layout; embeddings are always upright. */
export function orientationOf(
  { kind }: Layout,
  { turn, flip }: Pick<ViewState, 'turn' | 'flip'>,
): Orientation {
  return kind === 'embedding' ? UPRIGHT : { turn, flip };
}

export function sameLayout(a: Layout | null, b: Layout | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameOr<T extends Layout | null>(current: T, next: T): T {
  return sameLayout(current, next) ? current : next;
}

const between = (value: number, low: number, high: number, fallback: number) =>
  Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;

/** Merges the valid fields of `change` into `current`; ignores invalid ones. */
export function merged(current: ViewState, change: Partial<ViewState>): ViewState {
  const next = { ...current, ...definedOf(change) };
  // Limits belong to the values they were set for.
  if (change.range === undefined && soundColor(next.color) && !sameColor(current.color, next.color))
    next.range = null;
  const { camera, besideCamera, range } = next;
  return {
    ...next,
    camera: soundCamera(camera) ? nearEnough(camera) : current.camera,
    besideCamera: soundCamera(besideCamera) ? nearEnough(besideCamera) : current.besideCamera,
    turn: TURNS.includes(next.turn) ? next.turn : current.turn,
    flip: next.flip === true,
    range: range === null || soundRange(range) ? range : current.range,
    pointSize: between(next.pointSize, POINT_SIZE.min, POINT_SIZE.max, current.pointSize),
    opacity: between(next.opacity, 0, 1, current.opacity),
    imageOpacity: between(next.imageOpacity, 0, 1, current.imageOpacity),
    imageBrightness: between(next.imageBrightness, FACTOR.min, FACTOR.max, current.imageBrightness),
    imageContrast: between(next.imageContrast, FACTOR.min, FACTOR.max, current.imageContrast),
    theme: ['light', 'dark', 'auto'].includes(next.theme) ? next.theme : current.theme,
    color: soundColor(next.color) ? next.color : current.color,
    hidden: soundHidden(next.hidden) ? next.hidden : current.hidden,
    palette: PALETTE_NAMES.includes(next.palette) ? next.palette : current.palette,
    classColors: soundClassColors(next.classColors) ? next.classColors : current.classColors,
    groupBy: next.groupBy === null || typeof next.groupBy === 'string' ? next.groupBy : current.groupBy,
    imageOn: next.imageOn !== false,
    // Keep the identity of an equal layout: a new object would recompute all positions.
    layout: soundLayout(next.layout) ? sameOr(current.layout, next.layout) : current.layout,
    beside:
      next.beside === null || soundLayout(next.beside) ? sameOr(current.beside, next.beside) : current.beside,
    colormap:
      next.colormap === 'auto' || COLORMAPS.includes(next.colormap) ? next.colormap : current.colormap,
    scale: ['linear', 'log1p'].includes(next.scale) ? next.scale : current.scale,
    reversed: next.reversed === true,
    dimZeros: next.dimZeros === true,
    classOrder: CLASS_ORDERS.includes(next.classOrder) ? next.classOrder : current.classOrder,
  };
}

/** Limits the zoom. Keeps the identity of a valid camera, because a new object counts as a move. */
function nearEnough(camera: Camera | null): Camera | null {
  if (!camera || (camera.zoom >= MIN_ZOOM && camera.zoom <= MAX_ZOOM)) return camera;
  return { ...camera, zoom: between(camera.zoom, MIN_ZOOM, MAX_ZOOM, 1) };
}

/** Returns the fields of `change` that `merged` ignores because they are unknown or invalid. */
export function refusedFields(current: ViewState, change: Partial<ViewState>): string[] {
  const text = (value: unknown) => JSON.stringify(value);
  return Object.entries(change).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (!Object.hasOwn(INITIAL, key)) return [key];
    const field = key as keyof ViewState;
    // Numbers beyond their limits are clamped, not ignored.
    if (Number.isFinite(value) && typeof current[field] === 'number') return [];
    const stays = text(merged(current, { [field]: value })[field]) === text(current[field]);
    return stays && text(value) !== text(current[field]) ? [key] : [];
  });
}

function definedOf(change: Partial<ViewState>): Partial<ViewState> {
  return Object.fromEntries(
    Object.entries(change).filter(([key, value]) => value !== undefined && Object.hasOwn(INITIAL, key)),
  );
}

export function hiddenOf(state: Pick<ViewState, 'hidden'>, column: string): readonly (string | null)[] {
  return Object.hasOwn(state.hidden, column) ? (state.hidden[column] ?? []) : [];
}

const soundCamera = (camera: Camera | null) =>
  !camera || ([camera.x, camera.y, camera.zoom].every(Number.isFinite) && camera.zoom > 0);

function soundRange(range: unknown): boolean {
  return Array.isArray(range) && range.length === 2 && range.every(Number.isFinite) && range[0] < range[1];
}

export function soundColor(color: Color | null): boolean {
  if (color?.kind === 'annotation') return typeof color.column === 'string';
  if (color?.kind === 'score')
    return typeof color.name === 'string' && names(color.genes) && color.genes.length > 0;
  if (color?.kind === 'blend')
    return names(color.genes) && color.genes.length >= 2 && color.genes.length <= 3;
  return color?.kind === 'none' || (color?.kind === 'gene' && typeof color.gene === 'string');
}

const names = (list: unknown) => Array.isArray(list) && list.every((name) => typeof name === 'string');

function soundHidden(hidden: unknown): boolean {
  return typeof hidden === 'object' && hidden !== null && Object.values(hidden).every(Array.isArray);
}

function soundClassColors(columns: unknown): boolean {
  const objects = (value: unknown): unknown[] | null =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value) : null;
  return (
    objects(columns)?.every((classes) =>
      objects(classes)?.every((color) => typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color)),
    ) ?? false
  );
}

function soundLayout(layout: Layout | null): boolean {
  if (layout?.kind === 'tissue') return true;
  if (layout?.kind === 'sections' || layout?.kind === 'section') {
    const { order = layout.kind === 'section' ? 'file' : undefined, by = null, only = {} } = layout;
    const sound =
      SECTION_ORDERS.includes(order as SectionOrder) &&
      (by === null || typeof by === 'string') &&
      soundHidden(only);
    if (layout.kind === 'section') return sound && typeof layout.name === 'string';
    return sound && (layout.columns == null || layout.columns >= 1);
  }
  return layout?.kind === 'embedding' && typeof layout.name === 'string';
}
