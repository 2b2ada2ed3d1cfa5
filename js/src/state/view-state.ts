import { type Camera, MAX_ZOOM, MIN_ZOOM, type Orientation, TURNS, type Turn, UPRIGHT } from '../lib/camera';
import { COLORMAPS, type Colormap } from '../lib/colormap';
import type { ClassPalette } from '../lib/colour';

/** What colours the tissue. */
export type Color =
  | { kind: 'annotation'; column: string }
  | { kind: 'gene'; gene: string }
  /** The mean of a set of genes. */
  | { kind: 'score'; name: string; genes: readonly string[] }
  /** Two or three genes at once, a colour each. */
  | { kind: 'blend'; genes: readonly string[] }
  | { kind: 'none' };

/** Where the cells stand. */
export type Layout =
  | { kind: 'tissue' }
  /** All sections side by side, `columns` in a row; left out, as many as show them largest in the window. */
  | ({ kind: 'sections'; columns?: number | null } & Arrangement)
  /** One alone; the arrangement says which are before and after it. */
  | ({ kind: 'section'; name: string } & Partial<Arrangement>)
  | { kind: 'embedding'; name: string };

/** Of the file, of their names, their sizes, or what an annotation says of each. */
export const SECTION_ORDERS = ['file', 'name', 'cells', 'column'] as const;
export type SectionOrder = (typeof SECTION_ORDERS)[number];

/** Which sections are shown, in which order. */
export interface Arrangement {
  order: SectionOrder;
  /** The column of the order `column`. */
  by?: string | null;
  /** Values that are shown, by their columns. */
  only?: Readonly<Record<string, readonly (string | number | null)[]>>;
}

export type PaletteName = 'file' | ClassPalette;
export const PALETTE_NAMES: readonly PaletteName[] = ['file', 'distinct', 'safe'];

/** The largest first, by name, or as the file has them. */
export const CLASS_ORDERS = ['size', 'name', 'original'] as const;
export type ClassOrder = (typeof CLASS_ORDERS)[number];

export type Theme = 'light' | 'dark' | 'auto';

/** Everything that a link or a notebook may keep of a view: plain data. */
export interface ViewState {
  color: Color;
  /** Hidden classes of each column; null is the class of cells without a value. */
  hidden: Readonly<Record<string, readonly (string | null)[]>>;
  /** Colours of classes: the bundle's own, or a palette in their place. */
  palette: PaletteName;
  /** Classes of a column that have a colour of their own, `#rrggbb`, whatever the palette. */
  classColors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The annotation that splits a gene's summary. */
  groupBy: string | null;
  /**
   * In coordinates of the source, but for rows of sections, which have places of their own. Null until the data is
   * there: then all cells in view.
   */
  camera: Camera | null;
  /** How the tissue lies: degrees clockwise, then mirrored left to right. So each section in rows of them; embeddings stay upright. */
  turn: Turn;
  flip: boolean;
  /** Factor on the natural size of a cell. */
  pointSize: number;
  /** 0 to 1 */
  opacity: number;
  imageOn: boolean;
  /** 0 to 1 */
  imageOpacity: number;
  /** Factors; 1 for the picture as it is. */
  imageBrightness: number;
  imageContrast: number;
  theme: Theme;
  layout: Layout;
  /** What is shown beside, linked. */
  beside: Layout | null;
  /** Of what is beside; null for all of it. */
  besideCamera: Camera | null;
  /** Limits of the colours; null for the robust limits of the values. */
  range: readonly [number, number] | null;
  /** Of values; `auto`: `rdbu` for those on both sides of zero, `viridis` for others. */
  colormap: Colormap | 'auto';
  reversed: boolean;
  /** How values become colours between the limits. */
  scale: 'linear' | 'log1p';
  /** Whether cells of the value zero step back. */
  dimZeros: boolean;
  /** Of the legend, on the page and on pictures. */
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

/** Of the image's brightness and contrast. */
export const FACTOR = { min: 0.25, max: 4 } as const;

export const POINT_SIZE = { min: 0.2, max: 4 } as const;

export function sameColor(a: Color, b: Color): boolean {
  if (a.kind === 'annotation') return b.kind === 'annotation' && a.column === b.column;
  if (a.kind === 'gene') return b.kind === 'gene' && a.gene === b.gene;
  if (a.kind === 'score') return b.kind === 'score' && a.name === b.name && `${a.genes}` === `${b.genes}`;
  if (a.kind === 'blend') return b.kind === 'blend' && `${a.genes}` === `${b.genes}`;
  return b.kind === 'none';
}

/** How what a layout shows lies on the screen. */
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

/** `current` with the fields of `change` that are sound; the rest stays. */
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
    // The same place in another object stays the same object: cells are placed anew for another one.
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

/** The same camera stays the same object: another one is a move. */
function nearEnough(camera: Camera | null): Camera | null {
  if (!camera || (camera.zoom >= MIN_ZOOM && camera.zoom <= MAX_ZOOM)) return camera;
  return { ...camera, zoom: between(camera.zoom, MIN_ZOOM, MAX_ZOOM, 1) };
}

/** The fields of `change` that `merged` leaves as they are, since they are unknown or not sound. */
export function refusedFields(current: ViewState, change: Partial<ViewState>): string[] {
  const text = (value: unknown) => JSON.stringify(value);
  return Object.entries(change).flatMap(([key, value]) => {
    if (value === undefined) return [];
    if (!Object.hasOwn(INITIAL, key)) return [key];
    const field = key as keyof ViewState;
    // A number beyond its limits is brought within them.
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
