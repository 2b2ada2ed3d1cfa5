import { batch } from '@preact/signals';
import { type Bundle, openBundle } from '../data/bundle';
import type { ColumnInfo, ColumnValues } from '../data/column-values';
import type { GeneValues } from '../data/gene-store';
import { summariseGeneInTurns } from '../data/summary';
import { asError, isAbort } from '../lib/errors';
import { pause } from '../lib/pause';
import type { BundleSource, ReadContext } from '../source/bundle-source';
import { lookAtCells, wholeOf } from './change';
import { mixed } from './color/blend';
import { type Layer, NO_LAYER } from './color/layer';
import { Score } from './color/score';
import { classesOf, createPlaces, type Places } from './layout/layout-loader';
import { type Model, notify } from './model';
import { firstColor, firstLayout, missingOf, viewOfBundle } from './save/first-view';
import { type Told, taskTeller } from './tasks';
import { type Color, merged, sameColor, sameLayout, type ViewState } from './view-state';

/** Loads the data that the state refers to and stores it in the model. */
export interface Loader extends Places {
  start(): Promise<void>;
  /** Loads a color. A categorical annotation also becomes the grouping, unless `keepSplit` is set. */
  load(color: Color, options?: { keepSplit?: boolean }): Promise<void>;
  /** Resolves when no load is in progress, whether it succeeded or failed. */
  settled(): Promise<void>;
  /** Loads what can wait until the first frame is drawn: image, cell ids, further columns. */
  loadRest(): Promise<void>;
  dispose(): void;
}

/** Number of columns, and maximum number of their values, that are loaded in advance for the tooltip. */
const TOOLTIP_COLUMNS = 8;
const TOOLTIP_VALUES = 16_000_000;
const RECENT_GENES = 5;
const CHECK_AFTER_MS = 300;

export interface LoaderOptions {
  /**
   * Nothing was requested: start with the initial view of the bundle, and with sections side by side if their
   * coordinates overlap.
   */
  free?: boolean;
  /** Load all columns in advance. */
  eager: boolean;
  /** Number of cells for which the initial view was saved. */
  viewOf?: number | undefined;
}

export function createLoader(
  model: Model,
  source: BundleSource,
  { eager, free = false, viewOf }: LoaderOptions = { eager: false },
): Loader {
  const closed = new AbortController();
  let colorRead = new AbortController();
  let pending: Promise<void> = Promise.resolve();
  const ctx = () => ({ signal: closed.signal });
  /** Checks deferred until the first frame is drawn; null afterwards. */
  let unchecked: (() => void)[] | null = [];
  const startTask = taskTeller(model);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  /** Defers the check of a large file until its data is drawn; calls `damaged` if the check fails. */
  const later = (damaged: (error: Error) => void) => (check: () => Promise<void>) => {
    const run = () => {
      if (!closed.signal.aborted)
        check().catch((thrown) => closed.signal.aborted || damaged(asError(thrown)));
    };
    if (unchecked) return void unchecked.push(run);
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, CHECK_AFTER_MS);
    timers.add(timer);
  };

  const keepColumn = (column: ColumnValues) => {
    if (model.loaded.value.get(column.name) === column) return;
    model.loaded.value = new Map(model.loaded.value).set(column.name, column);
  };

  const forgetColumn = (name: string) => {
    const others = new Map(model.loaded.value);
    if (others.delete(name)) model.loaded.value = others;
  };

  const layerOf = async (
    bundle: Bundle,
    color: Color,
    signal: AbortSignal,
    later: ReadContext['later'],
    progress: Told['progress'],
  ): Promise<Layer> => {
    if (color.kind === 'none') return NO_LAYER;
    const label = labelOf(color);
    const at = { signal, later, progress };
    if (color.kind === 'blend') {
      const parts: GeneValues[] = [];
      for (const gene of color.genes) {
        parts.push(await bundle.genes.read(gene, { signal, later }));
        progress(parts.length, color.genes.length);
      }
      return { kind: 'blend', color, parts, mixed: await mixed(parts, model.dark.value) };
    }
    if (color.kind === 'score') {
      // Keep only the sum: the gene set may be larger than the cache.
      const score = new Score(bundle.manifest.n_cells);
      for (const [done, gene] of color.genes.entries()) {
        score.add(await bundle.genes.read(gene, { signal, later }));
        await pause();
        progress(done + 1, color.genes.length);
      }
      const { values, partial } = score.mean();
      await pause();
      return { kind: 'value', color, label, values, summary: await summariseGeneInTurns(values), partial };
    }
    if (color.kind === 'gene') {
      const { values, summary } = await bundle.genes.read(color.gene, at);
      return { kind: 'value', color, label, values, summary };
    }
    const column = await bundle.column(color.column, at);
    keepColumn(column);
    if (column.kind === 'category') return { kind: 'category', color, column };
    const { values } = column;
    const summary = await column.summarise();
    // Pause so that the panels count a million values in a separate task.
    await pause();
    return { kind: 'value', color, label, values, summary };
  };

  const load: Loader['load'] = (color, { keepSplit = false } = {}) => {
    colorRead.abort(new DOMException('Another color was chosen.', 'AbortError'));
    const mine = new AbortController();
    colorRead = mine;
    const signal = AbortSignal.any([mine.signal, closed.signal]);
    const refuse = (error: Error) =>
      batch(() => {
        // Do not show the old colors under the new name.
        model.layer.value = NO_LAYER;
        model.problem.value = error;
      });
    const damaged = (error: Error) => {
      if (color.kind === 'annotation') forgetColumn(color.column);
      if (sameColor(model.state.value.color, color)) return refuse(error);
      // The user saw wrong values before choosing another color, so report the failure.
      if (sameColor(model.layer.value.color, color)) model.layer.value = NO_LAYER;
      notify(model, error);
    };
    const run = async () => {
      const bundle = model.bundle.value;
      if (!bundle) return;
      model.problem.value = null;
      const task = startTask(labelOf(color));
      try {
        const layer = await layerOf(bundle, color, signal, later(damaged), task.progress);
        if (signal.aborted) throw signal.reason;
        batch(() => {
          model.layer.value = layer;
          if (layer.kind === 'category' && !keepSplit) change({ groupBy: layer.column.name });
          if (color.kind === 'gene') {
            const others = model.recentGenes.value.filter((gene) => gene !== color.gene);
            model.recentGenes.value = [color.gene, ...others].slice(0, RECENT_GENES);
          }
        });
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        refuse(asError(thrown));
        throw thrown;
      } finally {
        task.end();
      }
    };
    pending = run();
    pending.catch(() => {});
    return pending;
  };

  const places = createPlaces(model, closed.signal, keepColumn, startTask);
  const change = (part: Partial<ViewState>) => {
    model.state.value = merged(model.state.value, part);
  };
  /** Loads the initial layouts; reports those that the bundle does not have and replaces them by defaults. */
  const layOut = async (bundle: Bundle) => {
    const { layout, beside } = model.state.value;
    try {
      await places.prepare(layout);
    } catch (thrown) {
      failIfAborted(thrown, closed.signal);
      notify(model, asError(thrown));
      const rest = firstLayout(bundle.manifest);
      const there =
        !sameLayout(rest, layout) &&
        (await places.prepare(rest).then(
          () => true,
          () => false,
        ));
      change({ layout: there ? rest : { kind: 'tissue' }, camera: null });
    }
    try {
      await places.prepare(beside);
    } catch (thrown) {
      failIfAborted(thrown, closed.signal);
      notify(model, asError(thrown));
      change({ beside: null, besideCamera: null });
    }
  };

  const start = async () => {
    model.status.value = { kind: 'loading', label: 'Opening the bundle', done: 0, total: 0 };
    try {
      const bundle = model.bundle.value ?? (await openBundle(source, ctx()));
      model.bundle.value = bundle;
      const ofOthers = viewOf !== undefined && viewOf !== bundle.manifest.n_cells;
      const label = 'Loading the tissue';
      model.status.value = { kind: 'loading', label, done: 0, total: 0 };
      const preview = bundle.preview(ctx()).then(
        (blob) => {
          model.preview.value = blob;
        },
        // The preview is optional: it only bridges the wait.
        () => {},
      );
      const withProgress = {
        ...ctx(),
        // Wrong coordinates are worse than no view.
        later: later((error) => {
          model.status.value = { kind: 'error', error };
        }),
        progress: (done: number, total: number) => {
          if (model.status.value.kind === 'loading')
            model.status.value = { kind: 'loading', label, done, total };
        },
      };
      const ready = bundle.positions(withProgress);
      const columns = await bundle.columns(ctx()).catch((thrown): readonly ColumnInfo[] => {
        failIfAborted(thrown, closed.signal);
        // The tissue can be shown without annotations.
        notify(model, asError(thrown));
        return [];
      });
      model.columns.value = columns;
      if (free) change({ layout: firstLayout(bundle.manifest), ...viewOfBundle(bundle) });
      const asked = model.state.value.color;
      const missing = missingOf(bundle, columns, asked);
      if (missing) notify(model, missing);
      if (missing || asked.kind === 'none') change({ color: firstColor(columns) });
      const colored = load(model.state.value.color, { keepSplit: model.state.value.groupBy !== null });
      const laidOut = layOut(bundle);
      const [positions] = await Promise.all([
        ready,
        laidOut,
        colored.catch((error) => failIfAborted(error, closed.signal)),
      ]);
      batch(() => {
        model.tissue.value = positions;
        const whole = wholeOf(model.positions.value ?? positions);
        const camera = (ofOthers ? null : model.state.value.camera) ?? whole;
        change({ camera });
        lookAtCells(model);
        for (const remark of bundle.remarks) notify(model, remark);
        model.status.value = { kind: 'ready' };
      });
      void preview;
    } catch (thrown) {
      if (!isAbort(thrown, closed.signal)) model.status.value = { kind: 'error', error: asError(thrown) };
      throw thrown;
    }
  };

  const loadRest = async () => {
    const bundle = model.bundle.value;
    if (!bundle) return;
    for (const check of unchecked ?? []) check();
    unchecked = null;
    const quietly = async (work: Promise<void>) => {
      await work.catch((thrown) => {
        if (!isAbort(thrown, closed.signal)) notify(model, asError(thrown));
      });
    };
    await Promise.all([
      quietly(
        bundle.image(ctx()).then((image) => {
          if (closed.signal.aborted) return image?.close();
          model.image.value = image;
          for (const problem of image?.problems ?? []) notify(model, problem);
        }),
      ).then(() => {
        model.imageRead.value = true;
      }),
      quietly(
        bundle.cellNames(ctx()).then((names) => {
          model.cellNames.value = names;
        }),
      ),
    ]);
    const split = model.state.value.groupBy;
    if (split !== null) {
      const kept = bundle.column(split, ctx()).then((column) => keepColumn(classesOf(column)));
      await quietly(kept);
      if (model.group.value === null && model.state.value.groupBy === split) change({ groupBy: null });
    }
    const wanted = eager ? model.columns.value : model.columns.value.slice(0, TOOLTIP_COLUMNS);
    const classes = model.columns.value.find((column) => column.kind === 'category');
    const affordable = eager || wanted.length * bundle.manifest.n_cells <= TOOLTIP_VALUES;
    for (const column of affordable ? wanted : classes ? [classes] : []) {
      if (closed.signal.aborted) return;
      await quietly(bundle.column(column.name, ctx()).then(keepColumn));
    }
    if (model.state.value.groupBy === null && classes) change({ groupBy: classes.name });
  };

  return {
    start,
    load,
    ...places,
    settled: () => pending.catch(() => {}),
    loadRest,
    dispose() {
      const reason = new DOMException('The viewer was closed.', 'AbortError');
      for (const timer of timers) clearTimeout(timer);
      colorRead.abort(reason);
      closed.abort(reason);
      model.image.value?.close();
      model.image.value = null;
    },
  };
}

/** Returns the name of a color for progress and legend. */
export function labelOf(color: Color): string {
  if (color.kind === 'annotation') return color.column;
  if (color.kind === 'gene') return color.gene;
  if (color.kind === 'blend') return color.genes.join(', ');
  return color.kind === 'score' ? color.name : '';
}

function failIfAborted(error: unknown, signal: AbortSignal): void {
  if (isAbort(error, signal)) throw error;
}
