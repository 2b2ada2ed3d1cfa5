import { unproject } from '../lib/camera';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import type { Draft, SelectionMode } from '../state/selection/selection';

export interface Point {
  x: number;
  y: number;
}

/** Minimum distance between points of a lasso, in CSS pixels. */
const STEP = 3;
/** A drag shorter than this, in CSS pixels, is a click. */
const LEAST = 4;

/** A lasso or rectangle being drawn. Stored in coordinates, because the tissue may move meanwhile. */
export interface Drawing {
  /** False once canceled, by Escape or a second finger. */
  readonly alive: boolean;
  to(point: Point): void;
  /** Returns the finished outline; null for a click. */
  done(): Draft | null;
  cancel(): void;
}

export function beginDrawing(
  model: Model,
  actions: Actions,
  kind: Draft['kind'],
  mode: SelectionMode,
  start: Point,
): Drawing {
  const place = ({ x, y }: Point): readonly [number, number] => {
    const view = model.view.value;
    return view ? unproject(view, x, y) : [0, 0];
  };
  const first = place(start);
  let points: number[] = [...first];
  let last = start;
  let farthest = 0;
  const show = () => actions.draw({ kind, mode, points: points.slice() });
  show();
  return {
    get alive() {
      return model.draft.value !== null;
    },
    to(point) {
      farthest = Math.max(farthest, Math.hypot(point.x - start.x, point.y - start.y));
      const [x, y] = place(point);
      if (kind === 'rect') points = [first[0], first[1], x, first[1], x, y, first[0], y];
      else if (Math.hypot(point.x - last.x, point.y - last.y) < STEP) return;
      else points.push(x, y);
      last = point;
      show();
    },
    done() {
      const draft = model.draft.value;
      actions.draw(null);
      return draft && farthest >= LEAST && draft.points.length >= 6 ? draft : null;
    },
    cancel: () => actions.draw(null),
  };
}
