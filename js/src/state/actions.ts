import { batch } from '@preact/signals';
import {
  boxCamera,
  boxOf,
  type Camera,
  fitCamera,
  type Orientation,
  panned,
  TURNS,
  type Viewport,
  zoomedAt,
} from '../lib/camera';
import { asError, isAbort, UnknownNameError } from '../lib/errors';
import { arrangementOf } from './arrangement';
import { type Emphasis, recoloured, withoutColours } from './class-colours';
import { hiddenFlags } from './layer';
import { sectionsLayout } from './layout';
import type { Loader } from './loader';
import type { Hover, Model } from './model';
import { createSelectionActions, type SelectionActions } from './selection-actions';
import {
  type Color,
  hiddenOf,
  INITIAL,
  type Layout,
  merged,
  orientationOf,
  type PaletteName,
  sameColor,
  sameLayout,
  type Theme,
  type ViewState,
} from './view-state';

export interface Actions extends SelectionActions {
  /** Applies what is asked; resolves when the values it needs are loaded. */
  setState(change: Partial<ViewState>): Promise<void>;
  /** The same; where the colour, the space or the split is not there, the rest still holds, and the promise rejects. */
  setStateOrRest(change: Partial<ViewState>): Promise<void>;
  setColor(color: Color): void;
  retryColor(): void;
  /** The annotation that splits what is told of values. */
  setGroup(column: string): void;
  setLayout(layout: Layout): void;
  /** What stands beside; null closes it. */
  setBeside(layout: Layout | null): void;
  /** What stands beside comes to the front, and the other way round. */
  swap(): void;
  toggleClass(column: string, name: string | null): void;
  /** Shows only this class, or all again if it already stands alone. */
  isolateClass(column: string, name: string | null): void;
  showAll(column: string): void;
  setPalette(palette: PaletteName): void;
  /** Gives a class a colour, `#rrggbb`. */
  recolorClass(column: string, name: string, color: string): void;
  /** All classes of the column have the colours of the palette again. */
  resetClassColors(column: string): void;
  /** The others step back for this class while the reader points at it; null ends that. */
  emphasise(emphasis: Emphasis | null): void;
  setRange(range: readonly [number, number] | null): void;
  /** How values become colours. */
  setColours(change: Partial<Pick<ViewState, 'colormap' | 'reversed' | 'scale' | 'dimZeros'>>): void;
  setPointSize(factor: number): void;
  setOpacity(opacity: number): void;
  setImage(on: boolean, opacity: number): void;
  adjustImage(change: Partial<Pick<ViewState, 'imageBrightness' | 'imageContrast'>>): void;
  setTheme(theme: Theme): void;
  setCamera(camera: Camera): void;
  pan(dx: number, dy: number): void;
  /** Zooms about a pixel of the stage, or its middle. */
  zoom(factor: number, at?: { x: number; y: number }): void;
  /** Shows the box around these points, interleaved x, y in coordinate units. */
  zoomTo(points: readonly number[]): void;
  /** By a quarter, clockwise. */
  turn(): void;
  /** Left to right. */
  mirror(): void;
  fit(): void;
  reset(): void;
  hover(hover: Hover | null): void;
  /** Where the pointer is, in coordinate units. */
  point(place: readonly [number, number] | null): void;
  resize(viewport: Viewport): void;
  setSystemDark(dark: boolean): void;
  setWaiting(reason: string | null): void;
  frameDrawn(): void;
  /** Nothing can be shown any more. */
  fail(error: Error): void;
}

export function createActions(model: Model, loader: Loader): Actions {
  const change = (part: Partial<ViewState>) => {
    model.state.value = merged(model.state.value, part);
  };

  const apply = async (part: Partial<ViewState>): Promise<void> => {
    const before = model.state.value.color;
    if (part.color) check(model, part.color);
    const state = merged(model.state.value, part);
    const now = model.state.value;
    const moves =
      !sameLayout(state.layout, now.layout) || (state.layout.kind === 'sections' && lie(state) !== lie(now));
    if (moves || !sameLayout(state.beside, model.state.value.beside)) await loader.prepare(state);
    if (part.groupBy) await loader.group(part.groupBy);
    batch(() => {
      change(part);
      // Another space has other coordinates; so have sections that are turned where they stand.
      if (moves && !part.camera) fitAll();
    });
    const { color } = model.state.value;
    const retry = part.color !== undefined && model.problem.value !== null;
    if (!sameColor(before, color) || retry) await loader.load(color);
    else await loader.settled();
  };

  /** What fails beside the tissue is told in a notice. */
  const quietly = (part: Partial<ViewState>) => {
    apply(part).catch((thrown) => {
      if (!isAbort(thrown)) model.notice.value = asError(thrown);
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
    change({ camera: zoomedAt(camera, view, factor, at?.x ?? view.width / 2, at?.y ?? view.height / 2) });
  };

  const fitAll = () => {
    const positions = model.positions.value;
    if (positions) change({ camera: fitCamera(positions.extent) });
  };

  /** A change of how the tissue lies; rows of sections fill the window anew. */
  const lying = (orientation: Orientation): Partial<ViewState> => {
    const { layout } = model.state.value;
    const sections = model.sections.value;
    if (layout.kind !== 'sections' || !sections) return orientation;
    const { viewport } = model;
    return {
      ...orientation,
      layout: sectionsLayout(sections, viewport.value, arrangementOf(layout), orientation),
    };
  };

  return {
    ...createSelectionActions(model),
    setState: apply,
    async setStateOrRest(part) {
      try {
        await apply(part);
      } catch (thrown) {
        const { color: _, layout: __, beside: ___, groupBy: ____, ...rest } = part;
        if (!isAbort(thrown)) await apply(rest);
        throw thrown;
      }
    },
    setColor(color) {
      // The problem signal already tells the user why it failed.
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
      change({ classColors: recoloured(model.state.value, column, name, color) }),
    resetClassColors: (column) => change({ classColors: withoutColours(model.state.value, column) }),
    emphasise(emphasis) {
      model.emphasis.value = emphasis;
    },
    setRange: (range) => change({ range }),
    setColours: change,
    setPointSize: (pointSize) => change({ pointSize }),
    setOpacity: (opacity) => change({ opacity }),
    adjustImage: change,
    setImage: (imageOn, imageOpacity) => change({ imageOn, imageOpacity }),
    setTheme: (theme) => change({ theme }),
    setCamera: (camera) => change({ camera }),
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
        change({ camera: boxCamera(boxOf(points), positions.extent, viewport.value, orientation) });
      }
    },
    turn() {
      const { turn, flip } = model.state.value;
      quietly(lying({ turn: TURNS[(TURNS.indexOf(turn) + 1) % TURNS.length] ?? 0, flip }));
    },
    mirror() {
      const { turn, flip } = model.state.value;
      quietly(lying({ turn, flip: !flip }));
    },
    fit: fitAll,
    reset() {
      const { pointSize, opacity, imageOpacity, imageOn, imageBrightness, imageContrast } = INITIAL;
      batch(() => {
        const upright = lying({ turn: INITIAL.turn, flip: INITIAL.flip });
        const image = { imageOpacity, imageOn, imageBrightness, imageContrast };
        change({ pointSize, opacity, ...image, range: null, hidden: {}, ...upright });
        fitAll();
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
      if (before.width !== viewport.width || before.height !== viewport.height)
        model.viewport.value = viewport;
    },
    setSystemDark(dark) {
      model.systemDark.value = dark;
    },
    setWaiting(reason) {
      model.waiting.value = reason;
    },
    fail(error) {
      model.status.value = { kind: 'error', error };
    },
    frameDrawn() {
      model.drawn.value++;
    },
  };
}

const lie = ({ turn, flip }: Orientation) => `${turn} ${flip}`;

function check(model: Model, color: Color): void {
  const bundle = model.bundle.value;
  if (!bundle) return;
  const genes = color.kind === 'gene' ? [color.gene] : 'genes' in color ? color.genes : [];
  const unknown = genes.find((gene) => !bundle.genes.has(gene));
  if (unknown !== undefined) throw new UnknownNameError('gene', unknown);
  if (color.kind === 'annotation' && !model.columns.value.some(({ name }) => name === color.column)) {
    throw new UnknownNameError('column', color.column);
  }
}
