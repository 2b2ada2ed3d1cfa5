import { effect, untracked } from '@preact/signals';
import { ascending } from '../lib/bits';
import { Disposer } from '../lib/disposer';
import { asError, isAbort, MaskError } from '../lib/errors';
import { mountPanels } from '../panels/mount';
import { paletteOf } from '../picture/palette';
import { createPictures, imageSettled, type PictureOptions } from '../picture/pictures';
import { createStage, type Stage } from '../render/stage';
import type { BundleSource } from '../source/bundle-source';
import { createActions } from '../state/actions';
import { valueAt } from '../state/color/layer';
import { createLoader } from '../state/loader';
import { createModel } from '../state/model';
import { openedView, type SavedView, savedView, stateIn } from '../state/save/saved-view';
import { cellsOf, maskOf, type Region } from '../state/selection/selection';
import { cellCount, type NewRegion } from '../state/selection/selection-actions';
import { refusedFields, type ViewState } from '../state/view-state';
import { joinBeside } from './beside';

export type { PictureOptions };

export interface ViewerEvents {
  /** The first frame is drawn, also after a retry. */
  ready: undefined;
  state: ViewState;
  /** The cell under the pointer, or null. */
  hover: { cell: number; id: string } | null;
  error: Error;
  selection: { mask: Uint8Array | null; count: number };
  regions: ShownRegion[];
  /** A full frame of the current state is drawn. */
  drawn: undefined;
}

export interface ShownRegion {
  name: string;
  color: string;
  count: number;
  /** Indices of its cells, ascending; a copy. */
  cells: Uint32Array;
  /** A flag for every cell of the bundle, computed on access. */
  readonly mask: Uint8Array;
}

/** Defined by cell indices or by a flag for every cell of the bundle. A missing color is assigned. */
export type GivenRegion = { name: string; color?: string } & ({ cells: Uint32Array } | { mask: Uint8Array });

export interface ViewerOptions {
  state?: Partial<ViewState>;
  /** A saved view. Replaces `state` and the bundle's initial view. */
  view?: unknown;
  /** Show only the tissue and a small legend. */
  embed?: boolean;
  /** Where keyboard shortcuts work: in the whole page, or only in the viewer's element (the default). */
  keys?: 'page' | 'element';
  /** Load all columns right away: the source may become unavailable later, such as a stopped kernel. */
  eager?: boolean;
  /** Whether the surrounding page is dark. Default: the system's color scheme. */
  dark?: boolean;
}

export interface Viewer {
  /** Resolves when the first frame is drawn; after a retry, the promise of the last attempt. */
  readonly ready: Promise<void>;
  getState(): ViewState;
  /** Resolves when the change is drawn. `orRest`: applies what the bundle supports, then rejects for the rest. */
  setState(change: Partial<ViewState>, options?: { orRest?: boolean }): Promise<void>;
  on<K extends keyof ViewerEvents>(event: K, handler: (detail: ViewerEvents[K]) => void): () => void;
  /** Position of a cell in CSS pixels of the page. */
  project(cell: number): { x: number; y: number } | null;
  /** The displayed category or value of the cell, or null. */
  valueAt(cell: number): string | number | null;
  /** A copy of the mask, 1 for each selected cell; null when nothing is selected. */
  readonly selection: Uint8Array | null;
  /** Selects the cells with a flag other than zero, one for each cell of the bundle; null clears. */
  select(mask: Uint8Array | null): void;
  readonly regions: ShownRegion[];
  /** Replaces all regions. */
  setRegions(regions: readonly GivenRegion[]): void;
  /** The state and the regions, for a file or a link. */
  getView(): SavedView;
  /** Shows a saved view; resolves when drawn. Skips what the bundle lacks, shows a notice, and rejects at the end. */
  setView(view: unknown): Promise<void>;
  /** The tissue as drawn now, on the background color, as PNG. */
  snapshot(): Promise<Blob>;
  /** The current view, redrawn at `scale` times its size, with legend, scale bar and title. */
  picture(options?: PictureOptions): Promise<Blob>;
  /** The visible cells in view (with a selection, the selected ones) as CSV: ID, coordinates, displayed values. */
  table(): Promise<string>;
  /** Number of cells; 0 before they are loaded. */
  readonly cells: number;
  /** Sets whether the surrounding page is dark, which the theme “auto” follows. */
  setSystemDark(dark: boolean): void;
  /** Shows why nothing can be loaded at the moment; null clears the message. */
  setWaiting(reason: string | null): void;
  /** Other origins whose pages may send messages, as allowed at export; `*` for all. */
  readonly embedOrigins: readonly string[];
  /** Number of live GL objects; 0 after `dispose`. */
  readonly liveObjects: number;
  dispose(): void;
}

/** The state of a saved view, empty if invalid: `putRegions` reports the error once the tissue is drawn. */
function validState(view: unknown): Partial<ViewState> {
  try {
    return stateIn(view, null);
  } catch {
    return {};
  }
}

const IMAGE_FIELDS: readonly (keyof ViewState)[] = [
  'imageOn',
  'imageOpacity',
  'imageBrightness',
  'imageContrast',
];

const cellsSaved = (view: unknown): number | undefined =>
  (view as Partial<SavedView> | null | undefined)?.n_cells;

function publicRegion({ name, color, cells }: Region, total: number): ShownRegion {
  const region = { name, color, count: cells.length, cells: cells.slice() };
  // Not enumerable: a message to another page would make and copy the flags of all regions.
  return Object.defineProperty(region, 'mask', { get: () => maskOf(cells, total) }) as ShownRegion;
}

/** Copies cell indices, ascending and unique. Throws on values that are not cell indices. */
function copiedCells(given: Uint32Array, name: string): Uint32Array {
  const cells = Uint32Array.from(given);
  const wrong = cells.findIndex((cell, at) => cell !== given[at]);
  if (wrong >= 0)
    throw new Error(`The region “${name}” contains ${given[wrong]}; its cells must be cell indices.`);
  return ascending(cells);
}

function newRegionOf(region: GivenRegion, total: number): NewRegion {
  const { name, color } = region;
  if (typeof name !== 'string' || name === '') throw new Error('A region needs a name (a non-empty string).');
  const rest = color === undefined ? { name } : { name, color };
  if ('cells' in region) return { ...rest, cells: copiedCells(region.cells, name) };
  if (region.mask?.length !== total) throw new MaskError(`the region “${name}”`, region.mask?.length, total);
  return { ...rest, cells: cellsOf(region.mask) };
}

export function createViewer(
  element: HTMLElement,
  source: BundleSource,
  options: ViewerOptions = {},
): Viewer {
  const disposer = new Disposer();
  const handlers = new Map<string, Set<(detail: never) => void>>();
  const state = options.view ? validState(options.view) : options.state;
  const free = Object.keys(state ?? {}).length === 0;
  const model = createModel(state);
  if (options.embed) model.viewport.value = { ...model.viewport.value, bare: true };
  const loader = createLoader(model, source, {
    eager: options.eager ?? false,
    free,
    viewOf: cellsSaved(options.view),
  });
  const actions = createActions(model, loader);
  let stage: Stage | null = null;
  let latest: Promise<void> = Promise.resolve();

  const emit = <K extends keyof ViewerEvents>(event: K, detail: ViewerEvents[K]) => {
    for (const handler of [...(handlers.get(event) ?? [])]) {
      try {
        // Signals that a handler reads are not tracked, and its errors are not the viewer's.
        untracked(() => (handler as (detail: ViewerEvents[K]) => void)(detail));
      } catch (thrown) {
        reportError(thrown);
      }
    }
  };

  const open = async () => {
    // Load the first bytes while the browser sets up WebGL.
    const started = loader.start();
    started.catch(() => {});
    try {
      stage ??= createStage(panels.canvas, model, actions, actions.fail, { timed: true });
      await started;
      await stage.nextFrame();
    } catch (thrown) {
      await started.catch(() => {});
      if (!isAbort(thrown) && model.status.value.kind !== 'error') actions.fail(asError(thrown));
      throw thrown;
    }
    putRegions();
    void loader.loadRest();
  };
  let first: unknown = options.view ?? (free ? undefined : null);
  /** Sets the regions of the initial view, once the cells are loaded. */
  const putRegions = () => {
    const manifest = model.bundle.value?.manifest;
    const view = first === undefined ? manifest?.view : first;
    first = null;
    if (!view || !manifest) return;
    try {
      const opened = openedView(view, manifest.n_cells);
      if (opened.regions?.length) actions.setRegions(opened.regions);
      if (opened.leftOut) actions.notify(opened.leftOut);
    } catch (thrown) {
      actions.notify(asError(thrown));
    }
  };
  const begin = () => {
    latest = open();
    latest.then(
      () => emit('ready', undefined),
      // Already shown in the panels, and `ready` rejects.
      () => {},
    );
    return latest;
  };

  const closed = new AbortController();
  disposer.add(() => closed.abort(new DOMException('The viewer was closed.', 'AbortError')));
  /** Resolves when the state is drawn. The image loads after the first frame: `withImage` waits for it. */
  const drawn = async (withImage: boolean) => {
    if (withImage) await imageSettled(model, closed.signal);
    await stage?.nextFrame();
  };
  const shown = (): Stage => {
    if (!stage) throw new DOMException('The viewer was closed.', 'AbortError');
    return stage;
  };
  const pictures = createPictures(model, {
    windows: () => [
      { model, paint: (...at) => shown().paintTissue(...at), idle: () => shown().idle() },
      ...[beside.current()].flatMap((other) => other ?? []),
    ],
    palette: () => paletteOf(panels.canvas),
  });
  disposer.add(pictures.dispose);
  const panels = mountPanels(element, model, actions, {
    pictures,
    keys: options.keys ?? 'element',
    retry: begin,
    dark: options.dark,
    embed: options.embed,
  });
  const beside = joinBeside(model, actions, panels.setSecond);
  disposer.add(beside.dispose);
  disposer.add(() => source.dispose());
  disposer.add(() => loader.dispose());
  disposer.add(() => panels.dispose());
  disposer.add(() => stage?.dispose());
  void begin();

  disposer.add(effect(() => emit('state', model.state.value)));
  disposer.add(
    effect(() => {
      const hover = model.hover.value;
      const names = model.cellNames.value;
      emit('hover', hover ? { cell: hover.cell, id: names?.(hover.cell) ?? '' } : null);
    }),
  );
  disposer.add(
    effect(() => {
      const status = model.status.value;
      if (status.kind === 'error') emit('error', status.error);
    }),
  );
  disposer.add(
    effect(() => {
      if (model.problem.value) emit('error', model.problem.value);
    }),
  );
  const reported = new WeakSet<Error>();
  disposer.add(
    effect(() => {
      for (const error of model.notices.value) {
        if (reported.has(error)) continue;
        reported.add(error);
        emit('error', error);
      }
    }),
  );
  disposer.add(
    effect(() => {
      const selection = model.selection.value;
      // Copy the mask (one byte per cell) only if there are listeners.
      if (!handlers.get('selection')?.size) return;
      emit('selection', { mask: selection?.mask.slice() ?? null, count: selection?.count ?? 0 });
    }),
  );
  disposer.add(
    effect(() => {
      const regions = model.regions.value;
      if (handlers.get('regions')?.size)
        emit(
          'regions',
          regions.map((region) => publicRegion(region, cellCount(model))),
        );
    }),
  );
  disposer.add(
    effect(() => {
      if (model.drawn.value > 0) emit('drawn', undefined);
    }),
  );

  return {
    get ready() {
      return latest;
    },
    getState: () => structuredClone(model.state.value),
    async setState(change, { orRest = false } = {}) {
      await latest;
      const refused = refusedFields(change);
      await (orRest ? actions.setStateOrRest(change) : actions.setState(change));
      await drawn(IMAGE_FIELDS.some((field) => Object.hasOwn(change, field)));
      if (refused.length > 0) throw new Error(`${refused.join(', ')}: invalid value, left unchanged`);
    },
    on(event, handler) {
      const held = handlers.get(event) ?? new Set();
      handlers.set(event, held.add(handler));
      return () => held.delete(handler);
    },
    project: (cell) => stage?.project(cell) ?? null,
    valueAt: (cell) => valueAt(model.layer.value, cell),
    get selection() {
      return model.selection.value?.mask.slice() ?? null;
    },
    select: (mask) => actions.setSelection(mask),
    get regions() {
      return model.regions.value.map((region) => publicRegion(region, cellCount(model)));
    },
    setRegions: (regions) =>
      actions.setRegions(regions.map((region) => newRegionOf(region, cellCount(model)))),
    getView: () => savedView(model),
    async setView(view) {
      await latest;
      await actions.openView(view);
      await drawn(true);
    },
    async snapshot() {
      await latest;
      await imageSettled(model, closed.signal);
      return shown().snapshot();
    },
    async picture(picture) {
      await latest;
      return pictures.picture(picture);
    },
    async table() {
      await latest;
      return (await pictures.table()).text();
    },
    get cells() {
      return (model.positions.value?.coords.length ?? 0) / 2;
    },
    setSystemDark: (dark) => actions.setSystemDark(dark),
    setWaiting: (reason) => actions.setWaiting(reason),
    get embedOrigins() {
      const stated = model.bundle.value?.manifest.embed_origins;
      return Array.isArray(stated) ? stated : [];
    },
    get liveObjects() {
      return stage?.liveObjects ?? 0;
    },
    dispose: () => disposer.dispose(),
  };
}
