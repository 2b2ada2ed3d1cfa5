import type { Plain } from '../contract/plain';
import type { SectionGrid, ViewState as Stored } from '../contract/view';
import { VIEW_DEFAULTS, VIEW_SHAPE } from '../contract/view-shape';
import { type Camera, MAX_ZOOM, MIN_ZOOM, type Orientation, UPRIGHT } from '../lib/camera';
import { differs, type Shape } from '../lib/shape';

type Fields = Plain<Required<Stored>>;

/** Arrangement of the cells on the screen. */
export type Layout = NonNullable<Fields['layout']>;

/** View of a bundle as stored in a link or a notebook; plain JSON data. */
export type ViewState = { -readonly [K in keyof Fields]: K extends 'layout' ? Layout : Fields[K] };

/** Data by which the tissue is colored. */
export type Color = ViewState['color'];

/** Filter and order of sections. */
export type Arrangement = Plain<Pick<SectionGrid, 'by' | 'only'> & Required<Pick<SectionGrid, 'order'>>>;
export type SectionOrder = Arrangement['order'];
export type PaletteName = ViewState['palette'];
export type CategoryOrder = ViewState['classOrder'];
export type Theme = ViewState['theme'];

const FIELDS = VIEW_SHAPE.properties;
export const PALETTE_NAMES: readonly PaletteName[] = FIELDS.palette.enum;

export const INITIAL: ViewState = { ...VIEW_DEFAULTS, layout: { kind: 'tissue' } };

/** Limits of the brightness and contrast factors of the image. */
export const FACTOR = { min: FIELDS.imageBrightness.minimum, max: FIELDS.imageBrightness.maximum } as const;

export const PANEL_WIDTH = { min: FIELDS.panelWidth.minimum } as const;

export const POINT_SIZE = { min: FIELDS.pointSize.minimum, max: FIELDS.pointSize.maximum } as const;

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

function sameOr<T>(current: T, next: T): T {
  return current === next || JSON.stringify(current) === JSON.stringify(next) ? current : next;
}

/** Merges the valid fields of `change` into `current`; ignores invalid ones. */
export function merged(current: ViewState, change: Partial<ViewState>): ViewState {
  const valid = Object.entries(change)
    .map(([field, value]) => [field, clamped(field, value)] as const)
    .filter(([field, value]) => isValid(field, value));
  const next: ViewState = { ...current, ...Object.fromEntries(valid) };
  // Limits belong to the values they were set for.
  const valuesChanged =
    !sameColor(current.color, next.color) ||
    (current.matrix !== next.matrix && next.color.kind !== 'annotation');
  if (change.range === undefined && valuesChanged) next.range = null;
  return {
    ...next,
    camera: nearEnough(next.camera),
    besideCamera: nearEnough(next.besideCamera),
    // Keep the identity of equal values: a new layout would recompute all positions, new groups all categories.
    groups: sameOr(current.groups, next.groups),
    layout: sameOr(current.layout, next.layout),
    beside: sameOr(current.beside, next.beside),
  };
}

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** Clamps a number to the limits of its field, if it has any. */
function clamped(field: string, value: unknown): unknown {
  if (!isField(field) || typeof value !== 'number' || !Number.isFinite(value)) return value;
  const { minimum, maximum }: Shape = FIELDS[field];
  return minimum === undefined || maximum === undefined ? value : within(value, minimum, maximum);
}

/** Limits the zoom. Keeps the identity of a valid camera, because a new object counts as a move. */
function nearEnough(camera: Camera | null): Camera | null {
  if (!camera || (camera.zoom >= MIN_ZOOM && camera.zoom <= MAX_ZOOM)) return camera;
  return { ...camera, zoom: within(camera.zoom, MIN_ZOOM, MAX_ZOOM) };
}

/** Returns the fields of `change` that `merged` ignores because they are unknown or invalid. */
export function refusedFields(change: Partial<ViewState>): string[] {
  return Object.entries(change).flatMap(([field, value]) =>
    value === undefined || isValid(field, clamped(field, value)) ? [] : [field],
  );
}

const isField = (name: string): name is keyof ViewState => Object.hasOwn(FIELDS, name);

// Null stands for the viewer's choice of a layout, which is made before the first change.
const isValid = (field: string, value: unknown) =>
  isField(field) && problemOf({ [field]: value }) === null && !(field === 'layout' && value === null);

/** Describes the first invalid field of a stored state, like the model in Python; ignores unknown fields. */
export function problemOf(state: Readonly<Record<string, unknown>>): string | null {
  const problem = differs(state, VIEW_SHAPE, { exact: true });
  if (problem) return problem;
  if (Array.isArray(state.range) && !(state.range[0] < state.range[1]))
    return 'The lower limit of “range” should be below the upper one';
  const sets = state.geneSets as ViewState['geneSets'];
  if (sets && new Set(sets.map(({ name }) => name)).size < sets.length)
    return 'The names of the sets in “geneSets” should differ';
  return Object.hasOwn(state, 'groups') ? repeatedIn(state.groups as ViewState['groups']) : null;
}

/** Describes the first group or category that a column has twice in its groups. */
function repeatedIn(groups: ViewState['groups']): string | null {
  for (const [column, listed] of Object.entries(groups)) {
    const names = listed.map(({ name }) => name);
    for (const texts of [names, listed.flatMap(({ members }) => members)]) {
      const seen = new Set<string>();
      const repeated = texts.find((text) => seen.size === seen.add(text).size);
      if (repeated !== undefined) return `“groups.${column}” has “${repeated}” twice`;
    }
  }
  return null;
}

export const soundColor = (color: unknown) => isValid('color', color);

/** Names of categories by column; null stands for cells without a value. */
type NamesByColumn = ViewState['hidden'];

const namesIn = (names: NamesByColumn, column: string): readonly (string | null)[] =>
  Object.hasOwn(names, column) ? (names[column] ?? []) : [];

export function hiddenOf(state: Pick<ViewState, 'hidden'>, column: string): readonly (string | null)[] {
  return namesIn(state.hidden, column);
}

export function isolatedOf(state: Pick<ViewState, 'isolated'>, column: string): readonly (string | null)[] {
  return namesIn(state.isolated, column);
}

/** Returns `names` with those of one column replaced; a column without names is left out. */
export function withNames(
  names: NamesByColumn,
  column: string,
  next: readonly (string | null)[],
): NamesByColumn {
  const others = Object.entries(names).filter(([other]) => other !== column);
  // `Object.fromEntries` rather than assignment: a column may be named `__proto__`.
  return Object.fromEntries(next.length > 0 ? [...others, [column, next]] : others);
}
