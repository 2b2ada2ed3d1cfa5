import { batch } from '@preact/signals';
import { type Camera, TURNS, type Viewport } from '../../lib/camera';
import type { Apply } from '../change';
import { type StateModel, update } from '../state-model';
import type { Layout, ViewState } from '../view-state';
import { type CameraActions, createCameraActions, fitAll, resized } from './camera';
import type { PaneModel } from './layout-model';

export interface LayoutActions extends CameraActions {
  setLayout(layout: Layout): void;
  /** Sets the layout of the second view; null closes it. */
  setSecondLayout(layout: Layout | null): void;
  /** Swaps the layouts of the main and the second view. */
  swap(): void;
  setCamera(camera: Camera): void;
  /** Sets the camera of the second view; null fits all cells. */
  setSecondCamera(camera: Camera | null): void;
  /** Rotates by 90 degrees clockwise. */
  turn(): void;
  /** Mirrors left to right. */
  mirror(): void;
  /** Sets the µm per coordinate unit of the tissue; null for the unit that the bundle states. */
  setUmPerUnit(um: number | null): void;
  fit(): void;
  resize(change: Partial<Viewport>): void;
}

export function createLayoutActions(
  model: StateModel & PaneModel,
  apply: Apply,
  applyOrNotify: (change: Partial<ViewState>) => void,
): LayoutActions {
  const setCamera = (camera: Camera) => update(model, { camera });
  return {
    ...createCameraActions(model, () => model.state.value.camera, setCamera),
    setLayout: (layout) => applyOrNotify({ layout }),
    setSecondLayout: (beside) => applyOrNotify({ beside }),
    swap() {
      const { layout, beside } = model.state.value;
      if (beside) apply({ layout: beside, beside: layout }).catch(() => {});
    },
    setCamera,
    setSecondCamera: (besideCamera) => update(model, { besideCamera }),
    turn() {
      const { turn } = model.state.value;
      applyOrNotify({ turn: TURNS[(TURNS.indexOf(turn) + 1) % TURNS.length] ?? 0 });
    },
    mirror: () => applyOrNotify({ flip: !model.state.value.flip }),
    setUmPerUnit: (umPerUnit) => update(model, { umPerUnit }),
    fit: () => fitAll(model),
    resize(change) {
      batch(() => {
        const columns = model.gridColumns.value;
        model.viewport.value = resized(model.viewport.value, change);
        // Another number of columns moves the sections.
        if (columns !== model.gridColumns.value) fitAll(model);
      });
    },
  };
}
