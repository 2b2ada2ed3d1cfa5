import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { boxCamera, boxOf, panned, UPRIGHT, type Viewport, viewOf, zoomedAt } from '../../lib/camera';
import { cameraAt, cameraFrom, ZERO } from '../../lib/origin';
import type { Actions } from '../actions';
import { wholeOf } from '../change';
import type { Model } from '../model';
import { type Layout, orientationOf, type ViewState } from '../view-state';
import { columnsOf, placedCells } from './layout';

const TISSUE: Layout = { kind: 'tissue' };

/**
 * Creates the second view of the model. It has its own layout and camera (`beside` and `besideCamera` of the state) and
 * shares colors, selection and hovered cell.
 */
export function besidePane(
  model: Model,
  actions: Actions,
): { model: Model; actions: Actions; dispose(): void } {
  const camera = computed(() => model.state.value.besideCamera);
  const viewport = signal<Viewport>({ width: 0, height: 0 });
  let shown = model.state.value.beside ?? TISSUE;
  const layout = computed(() => {
    shown = model.state.value.beside ?? shown; // keep the last layout while the view closes
    return shown;
  });
  const turn = computed(() => model.state.value.turn);
  const flip = computed(() => model.state.value.flip);
  const orientation = computed(() => orientationOf(layout.value, { turn: turn.value, flip: flip.value }));
  const rows = computed(() => (layout.value.kind === 'sections' ? orientation.value : UPRIGHT));
  const gridColumns = computed(() =>
    columnsOf(layout.value, model.sections.value, viewport.value, rows.value),
  );
  const laidOut = computed(() => {
    const to = layout.value;
    const at = model.tissue.value;
    const { embeddings, sections } = model;
    return at && placedCells(at, to, embeddings.value, sections.value, gridColumns.value, rows.value);
  });
  const positions = computed(() => laidOut.value?.positions ?? null);
  const view = computed(() => {
    const at = positions.value;
    if (!at || viewport.value.width === 0) return null;
    const from = camera.value ?? wholeOf(at);
    return viewOf(
      cameraFrom(at.origin ?? ZERO, from),
      at.extent,
      viewport.value,
      at.yAxis,
      orientation.value,
    );
  });
  let kept: ViewState | null = null;
  const state = computed((): ViewState => {
    const next: ViewState = {
      ...model.state.value,
      camera: camera.value,
      layout: layout.value,
      beside: null,
    };
    // Ignore changes of the main camera: otherwise each frame of the main view would redraw all cells here.
    const last = kept;
    const same = last && (Object.keys(next) as (keyof ViewState)[]).every((key) => last[key] === next[key]);
    if (!same) kept = next;
    return kept ?? next;
  });
  // Another number of columns moves the sections, so reset the camera; the number is known once the view has a size.
  let before: { at: Layout; columns: number } | null = null;
  const forget = effect(() => {
    const now = { at: layout.value, columns: gridColumns.value };
    if (viewport.value.width === 0) return;
    const others = before?.at === now.at && before.columns !== now.columns;
    before = now;
    untracked(() => {
      if (others && camera.value) actions.setBesideCamera(null);
    });
  });
  const now = () => camera.value ?? (positions.value && wholeOf(positions.value));
  const pane: Model = {
    ...model,
    // Read-only here: only the actions of the model write the state.
    state: state as unknown as Model['state'],
    positions,
    gridColumns,
    titles: computed(() => laidOut.value?.titles ?? []) as ReadonlySignal<Model['titles']['value']>,
    viewport,
    view,
    drawn: signal(0),
    draft: signal(null),
    outline: signal(null),
    pointer: signal(null),
  };
  return {
    model: pane,
    actions: {
      ...actions,
      pan(dx, dy) {
        const at = now();
        if (at && view.value) actions.setBesideCamera(panned(at, view.value, dx, dy));
      },
      zoom(factor, at) {
        const from = now();
        const seen = view.value;
        if (!from || !seen) return;
        const { x = seen.width / 2, y = seen.height / 2 } = at ?? {};
        const origin = positions.value?.origin ?? ZERO;
        actions.setBesideCamera(cameraAt(origin, zoomedAt(cameraFrom(origin, from), seen, factor, x, y)));
      },
      zoomTo(points) {
        const at = positions.value;
        if (!at) return;
        const to = boxCamera(boxOf(points), at.extent, viewport.value, orientation.value);
        actions.setBesideCamera(cameraAt(at.origin ?? ZERO, to));
      },
      fit() {
        actions.setBesideCamera(null);
      },
      resize(next) {
        const before = viewport.value;
        if (before.width !== next.width || before.height !== next.height) viewport.value = next;
      },
      hover: (hover) => actions.hover(hover && { ...hover, beside: true }),
      setLayout: (next) => actions.setBeside(next),
      point(place) {
        pane.pointer.value = place;
      },
      draw(draft) {
        pane.draft.value = draft;
      },
      // Drop the outline: it belongs to this layout, not to the main view.
      select: (cells, how) => actions.select(cells, how),
      frameDrawn() {
        pane.drawn.value++;
      },
    },
    dispose: forget,
  };
}
