import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Positions } from '../../data/bundle';
import {
  type Camera,
  type Fit,
  fitOf,
  type Orientation,
  UPRIGHT,
  type View,
  type Viewport,
  viewOf,
} from '../../lib/camera';
import { cameraFrom, ZERO } from '../../lib/origin';
import { pointSizeOf } from '../../lib/point-size';
import type { Placed } from '../../lib/section-grid';
import type { StateModel } from '../state-model';
import { type Layout, orientationOf } from '../view-state';
import { columnsOf, placedCells, type Sections } from './layout';

/** Loaded coordinates, shared by the main and the second view. */
export interface CoordinateModel {
  /** Positions of the cells in the tissue. */
  readonly tissue: Signal<Positions | null>;
  /** Embeddings loaded so far, by name. */
  readonly embeddings: Signal<ReadonlyMap<string, Positions>>;
  /** Sections; null until a layout or the user needs them. */
  readonly sections: Signal<Sections | null>;
}

/** Arrangement of the cells in one view, the main or the second. */
export interface PaneModel {
  readonly viewport: Signal<Viewport>;
  readonly orientation: ReadonlySignal<Orientation>;
  /** Positions of the cells in the current layout. */
  readonly positions: ReadonlySignal<Positions | null>;
  /** Number of columns in the grid of sections. */
  readonly gridColumns: ReadonlySignal<number>;
  /** Names and positions of sections that are laid out side by side. */
  readonly titles: ReadonlySignal<readonly Placed[]>;
  /** Scale and offset at which all cells fit into the window. */
  readonly fit: ReadonlySignal<Fit | null>;
  readonly view: ReadonlySignal<View | null>;
  /** µm per coordinate unit: as set in the view, else as stated in the bundle; null for embeddings, or if unknown. */
  readonly unitUm: ReadonlySignal<number | null>;
}

export type LayoutModel = CoordinateModel & PaneModel;

export function createLayoutModel({ state }: StateModel): LayoutModel {
  const coordinates: CoordinateModel = {
    tissue: signal<Positions | null>(null),
    embeddings: signal<ReadonlyMap<string, Positions>>(new Map()),
    sections: signal<Sections | null>(null),
  };
  const layout = computed(() => state.value.layout);
  const camera = computed(() => state.value.camera);
  return { ...coordinates, ...createPaneModel({ state, ...coordinates }, layout, () => camera.value) };
}

/** Derives the signals of one view; `cameraOn` returns its camera, null while there is none. */
export function createPaneModel(
  { state, tissue, embeddings, sections }: StateModel & CoordinateModel,
  layout: ReadonlySignal<Layout>,
  cameraOn: (positions: Positions) => Camera | null,
): PaneModel {
  const viewport = signal<Viewport>({ width: 0, height: 0 });
  const turn = computed(() => state.value.turn);
  const flip = computed(() => state.value.flip);
  const orientation = computed(() => orientationOf(layout.value, { turn: turn.value, flip: flip.value }));
  // Only a grid of sections depends on the orientation: other layouts are rotated when drawn.
  const gridOrientation = computed(() => (layout.value.kind === 'sections' ? orientation.value : UPRIGHT));
  const gridColumns = computed(() =>
    columnsOf(layout.value, sections.value, viewport.value, gridOrientation.value),
  );
  const laidOut = computed(() => {
    const cells = tissue.value;
    if (!cells) return null;
    const [columns, rotation] = [gridColumns.value, gridOrientation.value];
    return placedCells(cells, layout.value, embeddings.value, sections.value, columns, rotation);
  });
  const onTissue = computed(() => layout.value.kind !== 'embedding');
  const umPerUnit = computed(() => state.value.umPerUnit);
  const positions = computed(() => laidOut.value?.positions ?? null);
  const size = computed(() => positions.value && pointSizeOf(positions.value));
  // Independent of the camera, because fitting the cells between the cards takes many attempts.
  const fit = computed(
    () =>
      size.value &&
      positions.value &&
      fitOf(positions.value.extent, viewport.value, orientation.value, size.value),
  );
  return {
    viewport,
    orientation,
    positions,
    fit,
    gridColumns,
    unitUm: computed(() => (onTissue.value ? (umPerUnit.value ?? tissue.value?.unitUm ?? null) : null)),
    titles: computed(() => laidOut.value?.titles ?? []),
    view: computed(() => {
      const cells = positions.value;
      const camera = cells && cameraOn(cells);
      if (!camera || !fit.value || viewport.value.width === 0) return null;
      const from = cameraFrom(cells.origin ?? ZERO, camera);
      return viewOf(from, cells.extent, viewport.value, cells.yAxis, orientation.value, fit.value);
    }),
  };
}
