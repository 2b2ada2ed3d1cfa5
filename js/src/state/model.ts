import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Bundle, Positions, TissueImage } from '../data/bundle';
import type { CellNames } from '../data/cell-ids';
import type { CategoryValues, ColumnInfo, ColumnValues } from '../data/column-values';
import type { GeneOrder } from '../data/gene-search';
import { type Summary, summariseColumn, summariseGene } from '../data/summary';
import { UPRIGHT, type View, type Viewport, viewOf } from '../lib/camera';
import { type Colormap, type ColorScale, colorScale } from '../lib/colormap';
import type { Numbers } from '../lib/numbers';
import { cameraFrom, ZERO } from '../lib/origin';
import type { Placed } from '../lib/section-grid';
import { type ClassesOf, classesWith, type Emphasis, type Paint, paintOf } from './color/category-colors';
import { type Layer, NO_LAYER } from './color/layer';
import { type Cells, cellsWhere, packedIn, type Scope, scopeOf } from './color/scope';
import { columnsOf, placedCells, type Sections } from './layout/layout';
import {
  type Draft,
  type How,
  type Region,
  type Selection,
  type Tool,
  visibleTest,
} from './selection/selection';
import { INITIAL, merged, orientationOf, type ViewState } from './view-state';

export type Status =
  | { kind: 'loading'; label: string; done: number; total: number }
  | { kind: 'ready' }
  | { kind: 'error'; error: Error };

export interface Hover {
  cell: number;
  /** Whether the pointer is in the second view. */
  beside?: boolean;
  /** CSS pixels in the stage. */
  x: number;
  y: number;
}

/** Progress of a read during which the tissue stays usable. */
export interface Task {
  label: string;
  done: number;
  total: number;
}

export interface RegionNote {
  text: string;
  /** Whether something failed or is incomplete. */
  problem?: boolean;
  /** Whether to offer undo. */
  undo?: boolean;
}

/** State observed by the panels and the renderer. Written only by actions and the loader. */
export interface Model {
  readonly state: Signal<ViewState>;
  readonly status: Signal<Status>;
  readonly bundle: Signal<Bundle | null>;
  /** Positions of the cells in the tissue. */
  readonly tissue: Signal<Positions | null>;
  /** Embeddings loaded so far, by name. */
  readonly embeddings: Signal<ReadonlyMap<string, Positions>>;
  /** Sections; null until a layout or the user needs them. */
  readonly sections: Signal<Sections | null>;
  /** Positions of the cells in the current layout. */
  readonly positions: ReadonlySignal<Positions | null>;
  /** Number of columns in the grid of sections. */
  readonly gridColumns: ReadonlySignal<number>;
  /** Cells with coordinates in the current layout of sections; null if all have. */
  readonly scope: ReadonlySignal<Scope | null>;
  /** Visible cells: with coordinates and not in a hidden category; null if all are visible. */
  readonly shown: ReadonlySignal<Cells | null>;
  /** Values of the layer within the scope, and their summary; null if the layer has no numeric values. */
  readonly here: ReadonlySignal<{ values: Numbers; summary: Summary } | null>;
  /** Names and positions of sections that are laid out side by side. */
  readonly titles: ReadonlySignal<readonly Placed[]>;
  readonly columns: Signal<readonly ColumnInfo[]>;
  /** Columns whose values are loaded, for the tooltip and the summaries by category. */
  readonly loaded: Signal<ReadonlyMap<string, ColumnValues>>;
  readonly cellNames: Signal<CellNames | null>;
  readonly image: Signal<TissueImage | null>;
  /** Whether loading the image has finished, successfully or not. */
  readonly imageRead: Signal<boolean>;
  readonly preview: Signal<Blob | null>;
  readonly layer: Signal<Layer>;
  readonly task: Signal<Task | null>;
  /** Why the last color could not be loaded. */
  readonly problem: Signal<Error | null>;
  /** Failures that leave the tissue usable, such as a missing image; shown until dismissed. */
  readonly notices: Signal<readonly Error[]>;
  /** Message for the user why nothing can be loaded at the moment. */
  readonly waiting: Signal<string | null>;
  readonly recentGenes: Signal<readonly string[]>;
  /** Whether categories are compared by distributions of their values rather than by means. */
  readonly spread: Signal<boolean>;
  /** Order of genes in the search list. */
  readonly geneOrder: Signal<GeneOrder>;
  readonly hover: Signal<Hover | null>;
  /** Position of the pointer, in coordinate units relative to the origin of the positions. */
  readonly pointer: Signal<readonly [number, number] | null>;
  /** Category under the pointer in a legend. */
  readonly emphasis: Signal<Emphasis | null>;
  readonly viewport: Signal<Viewport>;
  readonly systemDark: Signal<boolean>;
  readonly drawn: Signal<number>;
  readonly tool: Signal<Tool>;
  /** Selection mode if no modifier key is pressed. */
  readonly how: Signal<How>;
  readonly selection: Signal<Selection | null>;
  /** Mask of the region under the pointer in the list; highlighted like a selection. */
  readonly glance: Signal<Uint8Array | null>;
  /** Whether a change of the selection or the regions can be undone. */
  readonly undoable: Signal<boolean>;
  readonly redoable: Signal<boolean>;
  readonly regions: Signal<readonly Region[]>;
  /** Outcome of the last action on regions. */
  readonly regionNote: Signal<RegionNote | null>;
  readonly draft: Signal<Draft | null>;
  /** Outline drawn to make the selection: interleaved x, y in coordinate units relative to the origin. */
  readonly outline: Signal<readonly number[] | null>;

  readonly view: ReadonlySignal<View | null>;
  readonly dark: ReadonlySignal<boolean>;
  readonly range: ReadonlySignal<readonly [number, number]>;
  /** Color map in use, with `auto` resolved. */
  readonly colormap: ReadonlySignal<Colormap>;
  readonly scale: ReadonlySignal<ColorScale>;
  readonly group: ReadonlySignal<CategoryValues | null>;
  /** Categories with their current colors; `column.categories` has those of the bundle. */
  readonly classes: ReadonlySignal<ClassesOf>;
  /** Appearance of the categories of the layer; null if it has none. */
  readonly paint: ReadonlySignal<Paint | null>;
}

export function createModel(initial: Partial<ViewState> = {}): Model {
  const state = signal<ViewState>(merged(INITIAL, initial));
  const tissue = signal<Positions | null>(null);
  const embeddings = signal<ReadonlyMap<string, Positions>>(new Map());
  const sections = signal<Sections | null>(null);
  const layout = computed(() => state.value.layout);
  const layer = signal<Layer>(NO_LAYER);
  const loaded = signal<ReadonlyMap<string, ColumnValues>>(new Map());
  const viewport = signal<Viewport>({ width: 0, height: 0 });
  const systemDark = signal(false);
  const camera = computed(() => state.value.camera);
  const turn = computed(() => state.value.turn);
  const flip = computed(() => state.value.flip);
  const orientation = computed(() => orientationOf(layout.value, { turn: turn.value, flip: flip.value }));
  // Only a grid of sections depends on the orientation: other layouts are rotated when drawn.
  const rows = computed(() => (layout.value.kind === 'sections' ? orientation.value : UPRIGHT));
  const gridColumns = computed(() => columnsOf(layout.value, sections.value, viewport.value, rows.value));
  const laidOut = computed(() => {
    const to = layout.value;
    const at = tissue.value;
    return at && placedCells(at, to, embeddings.value, sections.value, gridColumns.value, rows.value);
  });
  const positions = computed(() => laidOut.value?.positions ?? null);
  const scope = computed(() => {
    const to = layout.value;
    const at = positions.value;
    if (!at || (to.kind !== 'section' && to.kind !== 'sections')) return null;
    return scopeOf(to.kind === 'section' ? to.name : 'sections shown', at.coords);
  });
  const here = computed(() => {
    if (layer.value.kind !== 'value') return null;
    const { values, summary, color } = layer.value;
    if (!scope.value) return { values, summary };
    const packed = packedIn(values, scope.value);
    const isGene = color.kind !== 'annotation';
    return { values: packed, summary: (isGene ? summariseGene : summariseColumn)(packed) };
  });
  const theme = computed(() => state.value.theme);
  const groupBy = computed(() => state.value.groupBy);
  const limits = computed(() => state.value.range);
  const hidden = computed(() => state.value.hidden);
  const palette = computed(() => state.value.palette);
  const classColors = computed(() => state.value.classColors);
  const classes = computed(() => classesWith({ palette: palette.value, classColors: classColors.value }));
  const emphasis = signal<Emphasis | null>(null);
  const asked = computed(() => state.value.colormap);
  const colormap = computed((): Colormap => {
    if (asked.value !== 'auto') return asked.value;
    const { lower, upper } = layer.value.kind === 'value' ? layer.value.summary : { lower: 0, upper: 1 };
    return lower < 0 && upper > 0 ? 'rdbu' : 'viridis';
  });
  const reversed = computed(() => state.value.reversed);
  const log = computed(() => state.value.scale === 'log1p');
  const mapped = computed(() => ({ map: colormap.value, reversed: reversed.value, log: log.value }));
  const range = computed<readonly [number, number]>(() => {
    if (limits.value) return limits.value;
    if (layer.value.kind !== 'value') return [0, 1];
    const { lower, upper } = here.value?.summary ?? layer.value.summary;
    // For signed values, center the range at zero, even in a section without negative values: white means zero.
    if (colormap.value !== 'rdbu' || layer.value.summary.lower >= 0) return [lower, upper];
    const far = Math.max(Math.abs(lower), Math.abs(upper));
    return [-far, far];
  });
  return {
    state,
    status: signal<Status>({ kind: 'loading', label: 'Opening the bundle', done: 0, total: 0 }),
    bundle: signal<Bundle | null>(null),
    tissue,
    embeddings,
    sections,
    positions,
    gridColumns,
    scope,
    shown: computed(() => {
      const coords = layout.value.kind === 'tissue' ? undefined : positions.value?.coords;
      const visible = visibleTest(layer.value, { hidden: hidden.value });
      if (!coords && !visible) return null;
      const total = (positions.value?.coords.length ?? 0) / 2;
      return cellsWhere(
        total,
        (cell) => !Number.isNaN(coords?.[2 * cell] ?? 0) && (!visible || visible(cell)),
      );
    }),
    here,
    titles: computed(() => laidOut.value?.titles ?? []),
    columns: signal<readonly ColumnInfo[]>([]),
    loaded,
    cellNames: signal<CellNames | null>(null),
    image: signal<TissueImage | null>(null),
    imageRead: signal(false),
    preview: signal<Blob | null>(null),
    layer,
    task: signal<Task | null>(null),
    problem: signal<Error | null>(null),
    notices: signal<readonly Error[]>([]),
    waiting: signal<string | null>(null),
    recentGenes: signal<readonly string[]>([]),
    spread: signal(false),
    geneOrder: signal<GeneOrder>('file'),
    hover: signal<Hover | null>(null),
    pointer: signal<readonly [number, number] | null>(null),
    emphasis,
    viewport,
    systemDark,
    drawn: signal(0),
    tool: signal<Tool>('move'),
    how: signal<How>('replace'),
    selection: signal<Selection | null>(null),
    glance: signal<Uint8Array | null>(null),
    undoable: signal(false),
    redoable: signal(false),
    regions: signal<readonly Region[]>([]),
    regionNote: signal<RegionNote | null>(null),
    draft: signal<Draft | null>(null),
    outline: signal<readonly number[] | null>(null),
    view: computed(() => {
      const at = positions.value;
      if (!at || !camera.value || viewport.value.width === 0) return null;
      const from = cameraFrom(at.origin ?? ZERO, camera.value);
      return viewOf(from, at.extent, viewport.value, at.yAxis, orientation.value);
    }),
    dark: computed(() => (theme.value === 'auto' ? systemDark.value : theme.value === 'dark')),
    range,
    colormap,
    scale: computed(() => {
      const { map, reversed, log } = mapped.value;
      return colorScale({ map, reversed, log, range: range.value });
    }),
    group: computed(() => {
      const column = groupBy.value === null ? undefined : loaded.value.get(groupBy.value);
      return column?.kind === 'category' ? column : null;
    }),
    classes,
    paint: computed(() => {
      if (layer.value.kind !== 'category') return null;
      const { column } = layer.value;
      return paintOf(column, classes.value(column), { hidden: hidden.value }, emphasis.value);
    }),
  };
}

/** Adds a notice, replacing an earlier one with the same message. */
export function notify(model: Pick<Model, 'notices'>, error: Error): void {
  const others = model.notices.value.filter(({ message }) => message !== error.message);
  model.notices.value = [...others, error];
}
