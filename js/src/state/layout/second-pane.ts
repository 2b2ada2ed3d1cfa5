import { computed, effect, signal, untracked } from '@preact/signals';
import type { Actions } from '../actions';
import type { Model } from '../model';
import type { Layout, ViewState } from '../view-state';
import { createCameraActions, resized, wholeOf } from './camera';
import { createPaneModel } from './layout-model';

const TISSUE: Layout = { kind: 'tissue' };

/**
 * Creates the second view of the model. It has its own layout and camera (`beside` and `besideCamera` of the state) and
 * shares colors, selection and hovered cell.
 */
export function secondPane(
  model: Model,
  actions: Actions,
): { model: Model; actions: Actions; dispose(): void } {
  const camera = computed(() => model.state.value.besideCamera);
  let lastLayout = model.state.value.beside ?? TISSUE;
  const layout = computed(() => {
    lastLayout = model.state.value.beside ?? lastLayout; // keep the last layout while the view closes
    return lastLayout;
  });
  const pane = createPaneModel(model, layout, (positions) => camera.value ?? wholeOf(positions));
  const { positions, gridColumns, viewport } = pane;
  let lastState: ViewState | null = null;
  const state = computed((): ViewState => {
    const next: ViewState = {
      ...model.state.value,
      camera: camera.value,
      layout: layout.value,
      beside: null,
    };
    // Ignore changes of the main camera: otherwise each frame of the main view would redraw all cells here.
    const last = lastState;
    const same = last && (Object.keys(next) as (keyof ViewState)[]).every((key) => last[key] === next[key]);
    if (!same) lastState = next;
    return lastState ?? next;
  });
  // Another number of columns moves the sections, so reset the camera; the number is known once the view has a size.
  let lastGrid: { layout: Layout; columns: number } | null = null;
  const stopFitting = effect(() => {
    const grid = { layout: layout.value, columns: gridColumns.value };
    if (viewport.value.width === 0) return;
    const columnsChanged = lastGrid?.layout === grid.layout && lastGrid.columns !== grid.columns;
    lastGrid = grid;
    untracked(() => {
      if (columnsChanged && camera.value) actions.setSecondCamera(null);
    });
  });
  const paneModel: Model = {
    ...model,
    ...pane,
    // Read-only here: only the actions of the model write the state.
    state: state as unknown as Model['state'],
    drawn: signal(0),
    draft: signal(null),
    outline: signal(null),
    edgesOmitted: signal(false),
    pointer: signal(null),
  };
  const cameraNow = () => camera.value ?? (positions.value && wholeOf(positions.value));
  return {
    model: paneModel,
    actions: {
      ...actions,
      ...createCameraActions(pane, cameraNow, actions.setSecondCamera),
      fit: () => actions.setSecondCamera(null),
      resize(change) {
        viewport.value = resized(viewport.value, change);
      },
      hover: (hover) => actions.hover(hover && { ...hover, inSecondView: true }),
      pin: (pinned) => actions.pin(pinned && { ...pinned, inSecondView: true }),
      setLayout: actions.setSecondLayout,
      point(position) {
        paneModel.pointer.value = position;
      },
      draw(draft) {
        paneModel.draft.value = draft;
      },
      // Drop the outline: it belongs to this layout, not to the main view.
      select: (cells, mode) => actions.select(cells, mode),
      frameDrawn() {
        paneModel.drawn.value++;
      },
    },
    dispose: stopFitting,
  };
}
