import { batch } from '@preact/signals';
import { type Bundle, openBundle, type Positions } from '../data/bundle';
import { asCategories, type ColumnInfo } from '../data/column-values';
import { asError, HostError, isAbort } from '../lib/errors';
import type { BundleSource, LiveChange } from '../source/bundle-source';
import { forgetColumn, keepColumn } from './bundle-model';
import { type ColorLoader, createColorLoader } from './color/color-loader';
import { misfitOf } from './color/groups';
import { type CompareLoader, createCompareLoader } from './compare/compare-loader';
import { closeImage, loadImage, loadPreview } from './image/image-loader';
import { lookAtCells, wholeOf } from './layout/camera';
import { createLayoutLoader, type LayoutLoader } from './layout/layout-loader';
import { createLoadContext, type MatrixLoader } from './load-context';
import type { Model } from './model';
import { createNeighborsLoader, type NeighborsLoader } from './neighbors/neighbors-loader';
import { firstColor, firstLayout, unknownNameIn, viewOfBundle } from './save/first-view';
import { isDistance } from './selection/distance-columns';
import { watchDistances } from './selection/watch-distances';
import { update } from './state-model';
import { notify } from './status';

/** Loads the data that the state refers to and stores it in the model. */
export interface Loader extends ColorLoader, LayoutLoader, CompareLoader, MatrixLoader, NeighborsLoader {
  start(): Promise<void>;
  /** Loads what can wait until the first frame is drawn: image, cell ids, further columns. */
  loadRest(): Promise<void>;
  dispose(): void;
}

/** Number of columns, and maximum number of their values, that are loaded in advance for the tooltip. */
const TOOLTIP_COLUMNS = 8;
const TOOLTIP_VALUES = 16_000_000;

export interface LoaderOptions {
  /**
   * Start with the view of the bundle, because nothing else was requested. Unless it sets a layout, show sections side
   * by side if their coordinates overlap.
   */
  useBundleView?: boolean;
  /** Load all columns in advance. */
  eager: boolean;
  /** Number of cells for which the initial view was saved. */
  cellsOfView?: number | undefined;
  /** Starts a worker that compares genes; null where the page has none. */
  createWorker?: (() => Worker | null) | undefined;
}

export function createLoader(
  model: Model,
  source: BundleSource,
  { eager, useBundleView = false, cellsOfView, createWorker = () => null }: LoaderOptions = { eager: false },
): Loader {
  const context = createLoadContext(model);
  const { closed } = context;
  const ctx = { signal: closed };
  const color = createColorLoader(model, context);
  const layout = createLayoutLoader(model, context);
  const compare = createCompareLoader(model, context, createWorker);
  const distances = watchDistances(model, color);

  /** Reports an error of a background task, unless it is due to the lost kernel, which the viewer already shows. */
  const notifyUnlessClosed = (thrown: unknown) => {
    const known = model.lost.value && thrown instanceof HostError;
    if (!known && !isAbort(thrown, closed)) notify(model, asError(thrown));
  };

  const readTissue = (bundle: Bundle): Promise<Positions> => {
    const label = 'Loading the tissue';
    model.status.value = { kind: 'loading', label, done: 0, total: 0 };
    return bundle.positions({
      signal: closed,
      // Wrong coordinates are worse than no view.
      later: context.checkLater((error) => {
        model.status.value = { kind: 'error', error };
      }),
      progress(done, total) {
        if (model.status.value.kind === 'loading')
          model.status.value = { kind: 'loading', label, done, total };
      },
    });
  };

  const readColumns = async (bundle: Bundle): Promise<readonly ColumnInfo[]> => {
    try {
      return await bundle.columns(ctx);
    } catch (thrown) {
      if (isAbort(thrown, closed)) throw thrown;
      // The tissue can be shown without annotations.
      notify(model, asError(thrown));
      return [];
    }
  };

  /** Loads the color of the initial view, or a default; a failure is shown as `model.problem`. */
  const loadFirstColor = async (bundle: Bundle) => {
    const columns = model.columns.value;
    const wanted = model.state.value.color;
    const missing = unknownNameIn(bundle, columns, wanted);
    // Regions are set once the tissue is drawn.
    if (missing && wanted.kind === 'annotation' && isDistance(wanted.column)) distances.awaitColor();
    else if (missing) notify(model, missing);
    if (missing || wanted.kind === 'none') update(model, { color: firstColor(columns) });
    const { color: chosen, groupBy } = model.state.value;
    try {
      await color.load(chosen, { keepGroup: groupBy !== null });
    } catch (thrown) {
      if (isAbort(thrown, closed)) throw thrown;
    }
  };

  const showTissue = (bundle: Bundle, tissue: Positions) =>
    batch(() => {
      model.tissue.value = tissue;
      const madeForOtherCells = cellsOfView !== undefined && cellsOfView !== bundle.manifest.n_cells;
      const camera = madeForOtherCells ? null : model.state.value.camera;
      update(model, { camera: camera ?? wholeOf(model.positions.value ?? tissue) });
      lookAtCells(model);
      for (const remark of bundle.remarks) notify(model, remark);
      model.status.value = { kind: 'ready' };
    });

  let early: LiveChange | null = null;
  /** Whether the matrix changed while the bundle was opened. */
  let outdated = false;
  /** Shows what has changed in the live object; reads the current color and grouping again if they are affected. */
  const takeChange = ({ columns, matrix }: LiveChange) => {
    const opened = model.bundle.value;
    if (!opened) {
      early = { columns, matrix };
      return;
    }
    const now = opened.setLiveColumns(columns);
    const bundle = matrix ? opened.withLiveGenes(matrix) : opened;
    model.bundle.value = bundle;
    // Until the columns are read, there is nothing to update. The first color may already have been read.
    if (model.status.value.kind !== 'ready') {
      outdated ||= matrix !== null;
      return;
    }
    batch(() => {
      model.storedColumns.value = now.columns;
      for (const name of now.changed) forgetColumn(model, name);
    });
    void readAgain(bundle, now.changed, matrix !== null);
  };
  const readAgain = async (bundle: Bundle, changed: readonly string[], genes: boolean) => {
    const { color: shown, groupBy } = model.state.value;
    const there = new Set(model.columns.value.map(({ name }) => name));
    try {
      const gone = shown.kind === 'annotation' && !there.has(shown.column);
      if (gone) update(model, { color: firstColor(model.columns.value) });
      const affected = shown.kind === 'annotation' ? changed.includes(shown.column) : genes;
      if (gone || affected) await color.load(model.state.value.color, { keepGroup: true });
      if (groupBy === null || !changed.includes(groupBy)) return;
      if (there.has(groupBy)) await loadGroup(bundle, groupBy);
      else update(model, { groupBy: null });
    } catch (thrown) {
      // A color that cannot be read is already shown as `model.problem`.
      if (model.problem.value === null) notifyUnlessClosed(thrown);
    }
  };
  source.onLost?.((reconnect) => {
    model.lost.value = { reconnect, wanted: '' };
  });
  const endChanges = source.live?.onChange(takeChange);

  /** Returns the bundle with the matrix of the initial view, or with the first if that matrix cannot be read. */
  const withChosenMatrix = async (bundle: Bundle): Promise<Bundle> => {
    const { matrix, range } = model.state.value;
    if (matrix === null) return bundle;
    try {
      if (matrix === bundle.matrices[0]) update(model, { matrix: null, range });
      return await bundle.withMatrix(matrix, ctx);
    } catch (thrown) {
      if (isAbort(thrown, closed)) throw thrown;
      notify(model, asError(thrown));
      update(model, { matrix: null, range: null });
      return bundle;
    }
  };

  const start = async () => {
    model.status.value = { kind: 'loading', label: 'Opening the bundle', done: 0, total: 0 };
    try {
      const opened = model.bundle.value ?? (await openBundle(source, ctx));
      const { columns = null, matrix = null } = (early as LiveChange | null) ?? {};
      if (columns) opened.setLiveColumns(columns);
      const first = matrix ? opened.withLiveGenes(matrix) : opened;
      if (useBundleView) update(model, { layout: firstLayout(first.manifest), ...viewOfBundle(first) });
      const bundle = await withChosenMatrix(first);
      model.bundle.value = bundle;
      void loadPreview(model, bundle, closed);
      const tissue = readTissue(bundle);
      model.storedColumns.value = await readColumns(bundle);
      const misfit = misfitOf(model.state.value.groups, model.columns.value);
      if (misfit) notify(model, misfit);
      const [positions] = await Promise.all([tissue, loadFirstColor(bundle), layout.prepareFirst(bundle)]);
      showTissue(bundle, positions);
      if (outdated) void readAgain(model.bundle.value, [], true);
    } catch (thrown) {
      if (!isAbort(thrown, closed)) model.status.value = { kind: 'error', error: asError(thrown) };
      throw thrown;
    }
  };

  const loadCellNames = async (bundle: Bundle) => {
    model.cellNames.value = await bundle.cellNames(ctx);
  };

  const loadGroup = async (bundle: Bundle, name: string) => {
    keepColumn(model, asCategories(await bundle.column(name, ctx)));
  };

  /** Loads columns in advance: all of them, or those that the tooltip shows. */
  const loadColumns = async (bundle: Bundle) => {
    const columns = model.storedColumns.value;
    const categorical = columns.find(({ kind }) => kind === 'category');
    // The tooltip shows the shares of a pie instead of the amount of each type.
    const parts = new Set(bundle.manifest.proportions?.flatMap((one) => one.parts));
    const wanted = eager ? columns : columns.filter(({ name }) => !parts.has(name)).slice(0, TOOLTIP_COLUMNS);
    const affordable = eager || wanted.length * bundle.manifest.n_cells <= TOOLTIP_VALUES;
    for (const { name } of affordable ? wanted : categorical ? [categorical] : []) {
      if (closed.aborted) return;
      await bundle.column(name, ctx).then((column) => keepColumn(model, column), notifyUnlessClosed);
    }
    if (model.state.value.groupBy === null && categorical) update(model, { groupBy: categorical.name });
  };

  return {
    ...color,
    ...layout,
    ...compare,
    ...createNeighborsLoader(model, context),
    async matrix(name, signal) {
      const bundle = model.bundle.value;
      return bundle && context.readAsTask(name ?? '', signal, (at) => bundle.withMatrix(name, at));
    },
    start,
    async loadRest() {
      const bundle = model.bundle.value;
      if (!bundle) return;
      context.runChecks();
      await Promise.all([loadImage(model, bundle, closed), loadCellNames(bundle).catch(notifyUnlessClosed)]);
      const { groupBy } = model.state.value;
      if (groupBy !== null) {
        await loadGroup(bundle, groupBy).catch(notifyUnlessClosed);
        if (model.group.value === null && model.state.value.groupBy === groupBy)
          update(model, { groupBy: null });
      }
      await loadColumns(bundle);
    },
    dispose() {
      endChanges?.();
      distances.dispose();
      context.close();
      closeImage(model);
    },
  };
}
