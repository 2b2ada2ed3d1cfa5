import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Bundle, Positions, TissueImage } from '../data/bundle';
import type { CellNames } from '../data/cell-ids';
import type { CategoryValues, ColumnInfo, ColumnValues } from '../data/columns';
import type { GeneOrder } from '../data/gene-search';
import { type Summary, summariseColumn, summariseGene } from '../data/summary';
import { UPRIGHT, type View, type Viewport, viewOf } from '../lib/camera';
import { type Colormap, type ColourScale, colourScale } from '../lib/colormap';
import type { Numbers } from '../lib/numbers';
import { cameraFrom, ZERO } from '../lib/origin';
import type { Placed } from '../lib/section-grid';
import { type ClassesOf, classesWith, type Emphasis, type Paint, paintOf } from './class-colours';
import { type Layer, NO_LAYER } from './layer';
import { columnsOf, placedCells, type Sections } from './layout';
import { type Cells, cellsWhere, packedIn, type Scope, scopeOf } from './scope';
import { type Draft, type How, type Region, type Selection, type Tool, visibleTest } from './selection';
import { INITIAL, merged, orientationOf, type ViewState } from './view-state';

export type Status =
  | { kind: 'loading'; label: string; done: number; total: number }
  | { kind: 'ready' }
  | { kind: 'error'; error: Error };

export interface Hover {
  cell: number;
  /** In the embedding that is shown beside */
  beside?: boolean;
  /** CSS pixels in the stage */
  x: number;
  y: number;
}

/** A read that the user waits for while the tissue stays usable. */
export interface Task {
  label: string;
  done: number;
  total: number;
}

export interface RegionNote {
  text: string;
  /** Something was not done, or not whole. */
  problem?: boolean;
  /** It can be taken back from here. */
  undo?: boolean;
}

/** What the panels and the renderer look at. Written by actions only. */
export interface Model {
  readonly state: Signal<ViewState>;
  readonly status: Signal<Status>;
  readonly bundle: Signal<Bundle | null>;
  /** Where the cells lie in the tissue. */
  readonly tissue: Signal<Positions | null>;
  /** Embeddings that were asked for. */
  readonly embeddings: Signal<ReadonlyMap<string, Positions>>;
  /** The sections, once somebody asked for them. */
  readonly sections: Signal<Sections | null>;
  /** Where the cells stand now. */
  readonly positions: ReadonlySignal<Positions | null>;
  /** How many sections stand in a row. */
  readonly gridColumns: ReadonlySignal<number>;
  /** The cells that have a place there; null where all have. */
  readonly scope: ReadonlySignal<Scope | null>;
  /** The cells that can be seen: with a place, and in no hidden category; null where all can. */
  readonly shown: ReadonlySignal<Cells | null>;
  /** The values of the layer in the scope, with their summary; null where the layer has no values. */
  readonly here: ReadonlySignal<{ values: Numbers; summary: Summary } | null>;
  /** Names of the sections and where they stand, where they stand side by side. */
  readonly titles: ReadonlySignal<readonly Placed[]>;
  readonly columns: Signal<readonly ColumnInfo[]>;
  /** Columns whose values are here, for the tooltip and the summaries by class. */
  readonly loaded: Signal<ReadonlyMap<string, ColumnValues>>;
  readonly cellNames: Signal<CellNames | null>;
  readonly image: Signal<TissueImage | null>;
  /** Whether there is no more to wait for: the image is here, or it could not be read. */
  readonly imageRead: Signal<boolean>;
  readonly preview: Signal<Blob | null>;
  readonly layer: Signal<Layer>;
  readonly task: Signal<Task | null>;
  /** Why the last colour could not be loaded. */
  readonly problem: Signal<Error | null>;
  /** What failed beside the tissue, the image, the ids: told until the reader has read it. */
  readonly notices: Signal<readonly Error[]>;
  /** Why nothing can be loaded at the moment, in words for the reader. */
  readonly waiting: Signal<string | null>;
  readonly recentGenes: Signal<readonly string[]>;
  /** Whether classes are compared by how their values lie, not by one number. */
  readonly spread: Signal<boolean>;
  /** Of the list that one searches. */
  readonly geneOrder: Signal<GeneOrder>;
  readonly hover: Signal<Hover | null>;
  /** Where the pointer is, in coordinate units, counted from the origin of the positions. */
  readonly pointer: Signal<readonly [number, number] | null>;
  /** The class that the reader points at in a legend. */
  readonly emphasis: Signal<Emphasis | null>;
  readonly viewport: Signal<Viewport>;
  readonly systemDark: Signal<boolean>;
  readonly drawn: Signal<number>;
  readonly tool: Signal<Tool>;
  /** What becomes of the selection where no key says it. */
  readonly how: Signal<How>;
  readonly selection: Signal<Selection | null>;
  /** Of the region that the reader points at in the list: shown as if it were selected. */
  readonly glance: Signal<Uint8Array | null>;
  /** Whether there is a selection, or a list of regions, before this one. */
  readonly undoable: Signal<boolean>;
  readonly redoable: Signal<boolean>;
  readonly regions: Signal<readonly Region[]>;
  /** What came of the last thing that was done with regions. */
  readonly regionNote: Signal<RegionNote | null>;
  readonly draft: Signal<Draft | null>;
  /** The line that the selection was drawn with: interleaved x, y in coordinate units, counted from the origin. */
  readonly outline: Signal<readonly number[] | null>;

  readonly view: ReadonlySignal<View | null>;
  readonly dark: ReadonlySignal<boolean>;
  readonly range: ReadonlySignal<readonly [number, number]>;
  /** The one that the values have now. */
  readonly colormap: ReadonlySignal<Colormap>;
  readonly scale: ReadonlySignal<ColourScale>;
  readonly group: ReadonlySignal<CategoryValues | null>;
  /** Classes with the colours that they have now: those of a column itself are the bundle's. */
  readonly classes: ReadonlySignal<ClassesOf>;
  /** How the classes of the layer are drawn; null where it has none. */
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
  // Cells that are in no row stay where they are, however they are looked at.
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
    // Signed values have their zero in the middle, in a section without negative ones, too.
    if (colormap.value !== 'rdbu' || layer.value.summary.lower >= 0) return [lower, upper];
    // White is zero.
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
      return colourScale({ map, reversed, log, range: range.value });
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

/** What says the same takes the place of what said it before. */
export function notify(model: Pick<Model, 'notices'>, error: Error): void {
  const others = model.notices.value.filter(({ message }) => message !== error.message);
  model.notices.value = [...others, error];
}
