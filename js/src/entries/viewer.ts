import { effect } from '@preact/signals';
import { Disposer } from '../lib/disposer';
import { asError, isAbort } from '../lib/errors';
import { mountPanels } from '../panels/mount';
import { paletteOf } from '../picture/palette';
import { createPictures, imageSettled } from '../picture/pictures';
import { createStage, type Stage } from '../render/stage';
import type { BundleSource } from '../source/bundle-source';
import { createActions } from '../state/actions';
import { valueAt } from '../state/color/layer';
import { createLoader } from '../state/loader';
import { createModel } from '../state/model';
import { openedView, type SavedView, savedView, stateIn } from '../state/save/saved-view';
import { cellCount } from '../state/selection/selection-actions';
import { refusedFields, type ViewState } from '../state/view-state';
import { newRegionOf, publicRegion } from './public-regions';
import { connectSecondView } from './second-view';
import type { Viewer, ViewerOptions } from './viewer-api';
import { createListeners, emitChanges } from './viewer-events';

/** Returns the state of a saved view; empty if invalid: `applyPendingView` reports the error after the first frame. */
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

const cellsOfView = (view: unknown): number | undefined =>
  (view as Partial<SavedView> | null | undefined)?.n_cells;

export function createViewer(
  element: HTMLElement,
  source: BundleSource,
  options: ViewerOptions = {},
): Viewer {
  const disposer = new Disposer();
  const listeners = createListeners();
  const state = options.view ? validState(options.view) : options.state;
  const nothingRequested = Object.keys(state ?? {}).length === 0;
  const model = createModel(state);
  const loader = createLoader(model, source, {
    eager: options.eager ?? false,
    useBundleView: nothingRequested,
    cellsOfView: cellsOfView(options.view),
    createWorker: options.createWorker,
  });
  const actions = createActions(model, loader);
  let stage: Stage | null = null;
  /** The latest attempt to open the bundle. */
  let opening: Promise<void> = Promise.resolve();

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
    applyPendingView();
    void loader.loadRest();
  };
  /** View whose regions and gene sets are still to be set: null for none, undefined for that of the bundle. */
  let pendingView: unknown = options.view ?? (nothingRequested ? undefined : null);
  /** Sets the regions and gene sets of the initial view, once the bundle is loaded. */
  const applyPendingView = () => {
    const manifest = model.bundle.value?.manifest;
    const view = pendingView === undefined ? manifest?.view : pendingView;
    pendingView = null;
    if (!view || !manifest) return;
    try {
      const opened = openedView(view, manifest.n_cells, model.noun.value, model.geneSets.value);
      if (opened.geneSets) actions.setGeneSets(opened.geneSets);
      if (opened.regions?.length) actions.setRegions(opened.regions);
      if (opened.leftOut) actions.notify(opened.leftOut);
    } catch (thrown) {
      actions.notify(asError(thrown));
    }
  };
  const begin = () => {
    opening = open();
    opening.then(
      () => listeners.emit('ready', undefined),
      // Already shown in the panels, and `ready` rejects.
      () => {},
    );
    return opening;
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
      ...[secondView.current()].flatMap((window) => window ?? []),
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
    index: options.index,
  });
  const secondView = connectSecondView(model, actions, panels.setSecond);
  disposer.add(secondView.dispose);
  disposer.add(() => source.dispose());
  disposer.add(() => loader.dispose());
  disposer.add(() => panels.dispose());
  disposer.add(() => stage?.dispose());
  void begin();

  emitChanges(model, listeners, disposer);
  if (options.keys === 'page') {
    disposer.add(
      effect(() => {
        if (model.title.value) document.title = model.title.value;
      }),
    );
  }

  return {
    get ready() {
      return opening;
    },
    getState: () => structuredClone(model.state.value),
    async setState(change, { orRest = false } = {}) {
      await opening;
      const refused = refusedFields(change);
      await (orRest ? actions.setStateOrRest(change) : actions.setState(change));
      await drawn(IMAGE_FIELDS.some((field) => Object.hasOwn(change, field)));
      if (refused.length > 0) throw new Error(`${refused.join(', ')}: invalid value, left unchanged`);
    },
    on: listeners.on,
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
    getView: (options) => savedView(model, options),
    async setView(view) {
      await opening;
      await actions.openView(view);
      await drawn(true);
    },
    async snapshot() {
      await opening;
      await imageSettled(model, closed.signal);
      return shown().snapshot();
    },
    async picture(pictureOptions) {
      await opening;
      return pictures.picture(pictureOptions);
    },
    async table() {
      await opening;
      return (await pictures.table()).text();
    },
    get cells() {
      return (model.positions.value?.coords.length ?? 0) / 2;
    },
    setSystemDark: (dark) => actions.setSystemDark(dark),
    setWaiting: (reason) => actions.setWaiting(reason),
    get embedOrigins() {
      const origins = model.bundle.value?.manifest.embed_origins;
      return Array.isArray(origins) ? origins : [];
    },
    get liveObjects() {
      return stage?.liveObjects ?? 0;
    },
    dispose: () => disposer.dispose(),
  };
}
