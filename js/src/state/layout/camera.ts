import type { Positions } from '../../data/bundle';
import {
  boxCamera,
  boxOf,
  type Camera,
  fitCamera,
  panned,
  sees,
  type Viewport,
  zoomedAt,
} from '../../lib/camera';
import { cameraAt, cameraFrom, ZERO } from '../../lib/origin';
import { type StateModel, update } from '../state-model';
import type { PaneModel } from './layout-model';

/** Moves the camera of one view, the main or the second. */
export interface CameraActions {
  pan(dx: number, dy: number): void;
  /** Zooms about a pixel of the stage, or its center. */
  zoom(factor: number, at?: { x: number; y: number }): void;
  /** Zooms to the bounding box of the points, interleaved x, y in coordinate units. */
  zoomTo(points: readonly number[]): void;
}

export function createCameraActions(
  pane: PaneModel,
  cameraNow: () => Camera | null,
  setCamera: (camera: Camera) => void,
): CameraActions {
  return {
    pan(dx, dy) {
      const camera = cameraNow();
      const view = pane.view.value;
      if (camera && view) setCamera(panned(camera, view, dx, dy));
    },
    zoom(factor, at) {
      const camera = cameraNow();
      const view = pane.view.value;
      if (!camera || !view) return;
      const { x = view.width / 2, y = view.height / 2 } = at ?? {};
      const origin = pane.positions.value?.origin ?? ZERO;
      setCamera(cameraAt(origin, zoomedAt(cameraFrom(origin, camera), view, factor, x, y)));
    },
    zoomTo(points) {
      const positions = pane.positions.value;
      const fit = pane.fit.value;
      if (!positions || !fit) return;
      const { extent, yAxis } = positions;
      const box = boxOf(points);
      const camera = boxCamera(box, extent, pane.viewport.value, yAxis, pane.orientation.value, fit);
      setCamera(cameraAt(positions.origin ?? ZERO, camera));
    },
  };
}

/** Returns the camera that fits all cells. */
export function wholeOf({ extent, origin = ZERO }: Pick<Positions, 'extent' | 'origin'>): Camera {
  return cameraAt(origin, fitCamera(extent));
}

export function fitAll(model: StateModel & Pick<PaneModel, 'positions'>): void {
  const positions = model.positions.value;
  if (positions) update(model, { camera: wholeOf(positions) });
}

/** Fits all cells if none is in view, as can happen with a camera saved for another tissue. */
export function lookAtCells(model: StateModel & Pick<PaneModel, 'positions' | 'view'>): void {
  const [view, positions] = [model.view.value, model.positions.value];
  if (view && positions && !sees(view, positions.extent)) fitAll(model);
}

/** Returns the viewport after a change; the same object if nothing differs. */
export function resized(before: Viewport, change: Partial<Viewport>): Viewport {
  const now = { ...before, ...change };
  return JSON.stringify(now) === JSON.stringify(before) ? before : now;
}
