import { batch } from '@preact/signals';
import type { GeneOrder } from '../data/gene-search';
import { boxCamera, boxOf, type Camera, panned, TURNS, type Viewport, zoomedAt } from '../lib/camera';
import { asError, isAbort } from '../lib/errors';
import { cameraAt, cameraFrom, ZERO } from '../lib/origin';
import { createApply, fitAll, lookAtCells } from './change';
import { type Emphasis, recolored, withoutColors } from './color/category-colors';
import { hiddenFlags } from './color/layer';
import type { Loader } from './loader';
import { type Hover, type Model, notify } from './model';
import { openedView } from './save/saved-view';
import { createSelectionActions, type SelectionActions } from './selection/selection-actions';
import {
  type ClassOrder,
  type Color,
  hiddenOf,
  INITIAL,
  type Layout,
  merged,
  orientationOf,
  type PaletteName,
  type Theme,
  type ViewState,
} from './view-state';

export interface Actions extends SelectionActions {
  /** Applies a change of the state; resolves when the values it needs are loaded. */
  setState(change: Partial<ViewState>): Promise<void>;
  /** Like `setState`, but applies the rest and then rejects if the color, the layout or the grouping is not available. */
  setStateOrRest(change: Partial<ViewState>): Promise<void>;
  /** Shows a saved view. If parts had to be left out, adds a notice and rejects at the end. */
  openView(view: unknown): Promise<void>;
  setColor(color: Color): void;
  retryColor(): void;
  /** Sets the annotation by which values are grouped. */
  setGroup(column: string): void;
  setLayout(layout: Layout): void;
  /** Sets the layout of the second view; null closes it. */
  setBeside(layout: Layout | null): void;
  /** Swaps the layouts of the main and the second view. */
  swap(): void;
  toggleClass(column: string, name: string | null): void;
  /** Shows only this category, or all categories if it is already the only one shown. */
  isolateClass(column: string, name: string | null): void;
  showAll(column: string): void;
  setPalette(palette: PaletteName): void;
  /** Sets the color of a category, `#rrggbb`. */
  recolorClass(column: string, name: string, color: string): void;
  /** Resets all categories of the column to the colors of the palette. */
  resetClassColors(column: string): void;
  /** Dims all other categories while the pointer is over this one; null ends that. */
  emphasise(emphasis: Emphasis | null): void;
  setRange(range: readonly [number, number] | null): void;
  /** Sets the order of categories in the legend. */
  setClassOrder(order: ClassOrder): void;
  /** Sets whether categories are compared by the distributions of their values. */
  setSpread(on: boolean): void;
  /** Sets the order of genes in the search list. */
  setGeneOrder(order: GeneOrder): void;
  /** Sets how values are mapped to colors. */
  setColors(change: Partial<Pick<ViewState, 'colormap' | 'reversed' | 'scale' | 'dimZeros'>>): void;
  setPointSize(factor: number): void;
  setOpacity(opacity: number): void;
  setImage(on: boolean, opacity: number): void;
  adjustImage(change: Partial<Pick<ViewState, 'imageBrightness' | 'imageContrast'>>): void;
  setTheme(theme: Theme): void;
  setCamera(camera: Camera): void;
  /** Sets the camera of the second view; null fits all cells. */
  setBesideCamera(camera: Camera | null): void;
  pan(dx: number, dy: number): void;
  /** Zooms about a pixel of the stage, or its center. */
  zoom(factor: number, at?: { x: number; y: number }): void;
  /** Zooms to the bounding box of the points, interleaved x, y in coordinate units. */
  zoomTo(points: readonly number[]): void;
  /** Rotates by 90 degrees clockwise. */
  turn(): void;
  /** Mirrors left to right. */
  mirror(): void;
  fit(): void;
  reset(): void;
  hover(hover: Hover | null): void;
  /** Sets the position of the pointer, in coordinate units relative to the origin of the positions. */
  point(place: readonly [number, number] | null): void;
  resize(viewport: Viewport): void;
  setSystemDark(dark: boolean): void;
  setWaiting(reason: string | null): void;
  frameDrawn(): void;
  /** Adds a notice about a failure that leaves the tissue usable. */
  notify(error: Error): void;
  /** Removes a notice that was dismissed or whose cause is resolved. */
  dismiss(error: Error): void;
  /** Replaces the view by an error: nothing can be shown anymore. */
  fail(error: Error): void;
}

export function createActions(model: Model, loader: Loader): Actions {
  const change = (part: Partial<ViewState>) => {
    model.state.value = merged(model.state.value, part);
  };

  const apply = createApply(model, loader);

  /** Applies a change and reports failures as a notice. */
  const quietly = (part: Partial<ViewState>) => {
    apply(part).catch((thrown) => {
      if (!isAbort(thrown)) notify(model, asError(thrown));
    });
  };

  const setHidden = (column: string, names: readonly (string | null)[]) => {
    const entries = Object.entries(model.state.value.hidden).filter(([other]) => other !== column);
    change({ hidden: Object.fromEntries(names.length > 0 ? [...entries, [column, names]] : entries) });
  };

  const zoomBy = (factor: number, at?: { x: number; y: number }) => {
    const { camera } = model.state.value;
    const view = model.view.value;
    if (!camera || !view) return;
    const origin = model.positions.value?.origin ?? ZERO;
    const { x = view.width / 2, y = view.height / 2 } = at ?? {};
    change({ camera: cameraAt(origin, zoomedAt(cameraFrom(origin, camera), view, factor, x, y)) });
  };

  const selections = createSelectionActions(model);

  return {
    ...selections,
    setState: (part) => apply(part),
    setStateOrRest: (part) => apply(part, { orRest: true }),
    async openView(view) {
      try {
        const { state, regions, leftOut } = openedView(view, model.bundle.value?.manifest.n_cells ?? 0);
        if (regions) selections.setRegions(regions, { undoable: true });
        await apply(state, { orRest: true });
        if (state.camera) lookAtCells(model);
        if (leftOut) throw leftOut;
      } catch (thrown) {
        if (!isAbort(thrown)) notify(model, asError(thrown));
        throw thrown;
      }
    },
    setColor(color) {
      // The failure is already reported by `model.problem`.
      apply({ color }).catch(() => {});
    },
    setGroup: (groupBy) => quietly({ groupBy }),
    setLayout: (layout) => quietly({ layout }),
    swap() {
      const { layout, beside } = model.state.value;
      if (beside) apply({ layout: beside, beside: layout }).catch(() => {});
    },
    setBeside: (beside) => quietly({ beside }),
    retryColor() {
      loader.load(model.state.value.color).catch(() => {});
    },
    toggleClass(column, name) {
      const hidden = hiddenOf(model.state.value, column);
      setHidden(column, hidden.includes(name) ? hidden.filter((other) => other !== name) : [...hidden, name]);
    },
    isolateClass(column, name) {
      const values = model.loaded.value.get(column);
      if (values?.kind !== 'category') return;
      const others = [...values.categories.map((category) => category.name), null].filter(
        (other) => other !== name,
      );
      const flags = hiddenFlags(values, hiddenOf(model.state.value, column));
      const alone =
        flags.reduce((sum, flag) => sum + flag, 0) >= others.length &&
        !hiddenOf(model.state.value, column).includes(name);
      setHidden(column, alone ? [] : others);
    },
    showAll: (column) => setHidden(column, []),
    setPalette: (palette) => change({ palette }),
    recolorClass: (column, name, color) =>
      change({ classColors: recolored(model.state.value, column, name, color) }),
    resetClassColors: (column) => change({ classColors: withoutColors(model.state.value, column) }),
    emphasise(emphasis) {
      model.emphasis.value = emphasis;
    },
    setRange: (range) => change({ range }),
    setClassOrder: (classOrder) => change({ classOrder }),
    setSpread(on) {
      model.spread.value = on;
    },
    setGeneOrder(order) {
      model.geneOrder.value = order;
    },
    setColors: change,
    setPointSize: (pointSize) => change({ pointSize }),
    setOpacity: (opacity) => change({ opacity }),
    adjustImage: change,
    setImage: (imageOn, imageOpacity) => change({ imageOn, imageOpacity }),
    setTheme: (theme) => change({ theme }),
    setCamera: (camera) => change({ camera }),
    setBesideCamera: (besideCamera) => change({ besideCamera }),
    pan(dx, dy) {
      const { camera } = model.state.value;
      const view = model.view.value;
      if (camera && view) change({ camera: panned(camera, view, dx, dy) });
    },
    zoom: zoomBy,
    zoomTo(points) {
      const positions = model.positions.value;
      if (positions) {
        const orientation = orientationOf(model.state.value.layout, model.state.value);
        const { viewport } = model;
        const to = boxCamera(boxOf(points), positions.extent, viewport.value, orientation);
        change({ camera: cameraAt(positions.origin ?? ZERO, to) });
      }
    },
    turn() {
      const { turn } = model.state.value;
      quietly({ turn: TURNS[(TURNS.indexOf(turn) + 1) % TURNS.length] ?? 0 });
    },
    mirror() {
      quietly({ flip: !model.state.value.flip });
    },
    fit: () => fitAll(model),
    reset() {
      const { pointSize, opacity, imageOpacity, imageOn, imageBrightness, imageContrast } = INITIAL;
      batch(() => {
        const image = { imageOpacity, imageOn, imageBrightness, imageContrast };
        const { turn, flip } = INITIAL;
        change({ pointSize, opacity, ...image, range: null, hidden: {}, turn, flip });
        fitAll(model);
      });
    },
    hover(hover) {
      model.hover.value = hover;
    },
    point(place) {
      model.pointer.value = place;
    },
    resize(viewport) {
      const before = model.viewport.value;
      if (before.width === viewport.width && before.height === viewport.height) return;
      batch(() => {
        const columns = model.gridColumns.value;
        model.viewport.value = { ...before, ...viewport };
        // Another number of columns moves the sections.
        if (columns !== model.gridColumns.value) fitAll(model);
      });
    },
    setSystemDark(dark) {
      model.systemDark.value = dark;
    },
    setWaiting(reason) {
      model.waiting.value = reason;
    },
    notify: (error) => notify(model, error),
    dismiss(error) {
      model.notices.value = model.notices.value.filter((other) => other !== error);
    },
    fail(error) {
      model.status.value = { kind: 'error', error };
    },
    frameDrawn() {
      model.drawn.value++;
    },
  };
}
