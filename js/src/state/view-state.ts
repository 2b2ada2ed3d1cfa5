import type { Camera } from '../lib/camera';
import { COLORMAPS, type Colormap } from '../lib/colormap';

/** What colours the tissue. */
export type Color =
  | { kind: 'annotation'; column: string }
  | { kind: 'gene'; gene: string }
  | { kind: 'none' };

export type Theme = 'light' | 'dark' | 'auto';

/** Everything that a link or a notebook may keep of a view: plain data. */
export interface ViewState {
  color: Color;
  /** Hidden classes of each column; null is the class of cells without a value. */
  hidden: Readonly<Record<string, readonly (string | null)[]>>;
  /** The annotation that splits a gene's summary. */
  groupBy: string | null;
  /** Null until the data is there: then all cells in view. */
  camera: Camera | null;
  /** Factor on the natural size of a cell. */
  pointSize: number;
  /** 0 to 1 */
  opacity: number;
  imageOn: boolean;
  /** 0 to 1 */
  imageOpacity: number;
  theme: Theme;
  /** Limits of the colours; null for the robust limits of the values. */
  range: readonly [number, number] | null;
  /** Of values. */
  colormap: Colormap;
  reversed: boolean;
  /** How values become colours between the limits. */
  scale: 'linear' | 'log1p';
  /** Whether cells of the value zero step back. */
  dimZeros: boolean;
}

export const INITIAL: ViewState = {
  color: { kind: 'none' },
  hidden: {},
  groupBy: null,
  camera: null,
  pointSize: 1,
  opacity: 0.92,
  imageOn: true,
  imageOpacity: 0.85,
  theme: 'auto',
  range: null,
  colormap: 'viridis',
  reversed: false,
  scale: 'linear',
  dimZeros: false,
};

export const POINT_SIZE = { min: 0.2, max: 4 } as const;

export function sameColor(a: Color, b: Color): boolean {
  if (a.kind === 'annotation') return b.kind === 'annotation' && a.column === b.column;
  if (a.kind === 'gene') return b.kind === 'gene' && a.gene === b.gene;
  return b.kind === 'none';
}

const between = (value: number, low: number, high: number, fallback: number) =>
  Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;

/** `current` with the fields of `change` that are sound; the rest stays. */
export function merged(current: ViewState, change: Partial<ViewState>): ViewState {
  const next = { ...current, ...definedOf(change) };
  // Limits belong to the values they were set for.
  if (change.range === undefined && !sameColor(current.color, next.color)) next.range = null;
  const { camera, range } = next;
  const soundCamera =
    camera === null || (Number.isFinite(camera.x) && Number.isFinite(camera.y) && camera.zoom > 0);
  return {
    ...next,
    camera: soundCamera ? camera : current.camera,
    range: range === null || (range[0] < range[1] && range.every(Number.isFinite)) ? range : current.range,
    pointSize: between(next.pointSize, POINT_SIZE.min, POINT_SIZE.max, current.pointSize),
    opacity: between(next.opacity, 0, 1, current.opacity),
    imageOpacity: between(next.imageOpacity, 0, 1, current.imageOpacity),
    theme: ['light', 'dark', 'auto'].includes(next.theme) ? next.theme : current.theme,
    colormap: COLORMAPS.includes(next.colormap) ? next.colormap : current.colormap,
    scale: ['linear', 'log1p'].includes(next.scale) ? next.scale : current.scale,
    reversed: next.reversed === true,
    dimZeros: next.dimZeros === true,
  };
}

function definedOf(change: Partial<ViewState>): Partial<ViewState> {
  return Object.fromEntries(
    Object.entries(change).filter(([key, value]) => value !== undefined && Object.hasOwn(INITIAL, key)),
  );
}

export function hiddenOf(state: Pick<ViewState, 'hidden'>, column: string): readonly (string | null)[] {
  return Object.hasOwn(state.hidden, column) ? (state.hidden[column] ?? []) : [];
}
