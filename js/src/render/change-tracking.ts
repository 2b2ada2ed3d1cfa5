import { effect, untracked } from '@preact/signals';
import type { Positions } from '../data/bundle';
import type { Disposer } from '../lib/disposer';
import type { Model } from '../state/model';
import type { ViewState } from '../state/view-state';
import type { Renderer } from './renderer';

/** Receives the changes of a model. */
export interface Follower {
  /** Wraps a function so that its errors are reported. */
  guarded<T extends unknown[]>(work: (...args: T) => void): (...args: T) => void;
  /** The positions changed, or the cells themselves. */
  place(positions: Positions | null): void;
  /** Queues an upload to the GPU; replaces a pending one of the same name. */
  upload(what: string, work: (renderer: Renderer) => void): void;
  /** Requests a frame. */
  request(): void;
  /** The camera moved. */
  moved(): void;
}

/** Fields that need no frame of their own. A color, for example, is drawn once its values are loaded. */
const NOT_DRAWN: ReadonlySet<string> = new Set<keyof ViewState>([
  'color',
  'groupBy',
  'beside',
  'besideCamera',
  'classOrder',
  'labels',
  'umPerUnit',
  'title',
  'panelWidth',
]);
const drawn = (state: ViewState) =>
  Object.entries(state).flatMap(([field, value]) => (NOT_DRAWN.has(field) ? [] : [value]));

/** Forwards changes of the model to the renderer. */
export function follow(model: Model, to: Follower, disposer: Disposer): void {
  disposer.add(
    effect(
      to.guarded(() => {
        const positions = model.positions.value;
        untracked(() => to.place(positions));
      }),
    ),
  );
  disposer.add(
    effect(
      to.guarded(() => {
        const layer = model.layer.value;
        // Blends depend on the theme: colors are mixed with its background.
        if (layer.kind === 'blend') void model.dark.value;
        untracked(() => {
          to.upload('layer', (renderer) => {
            renderer.setLayer(layer, model.dark.value);
            paintWith(model, renderer);
          });
        });
      }),
    ),
  );
  disposer.add(
    effect(
      to.guarded(() => {
        void model.paint.value;
        untracked(() => to.upload('colors', (renderer) => paintWith(model, renderer)));
      }),
    ),
  );
  let map = model.colormap.value;
  let { reversed } = model.state.value;
  let camera = model.state.value.camera;
  let seen: readonly unknown[] = [];
  disposer.add(
    effect(
      to.guarded(() => {
        const state = model.state.value;
        const before = seen;
        const colormap = model.colormap.value;
        seen = [...drawn(state), colormap, model.range.value, model.dark.value, model.view.value];
        if (seen.every((part, at) => part === before[at])) return;
        untracked(() => {
          if (colormap !== map || state.reversed !== reversed) {
            map = colormap;
            ({ reversed } = state);
            to.upload('ramp', (renderer) => renderer.setRamp(colormap, state.reversed));
          }
          if (state.camera !== camera) {
            const isFirst = camera === null;
            camera = state.camera;
            if (!isFirst) return to.moved();
          }
          to.request();
        });
      }),
    ),
  );
  disposer.add(
    effect(
      to.guarded(() => {
        void model.graph.value;
        untracked(() => to.request());
      }),
    ),
  );
  disposer.add(
    effect(
      to.guarded(() => {
        const image = model.image.value;
        untracked(() => {
          to.upload('image', (renderer) => renderer.setImage(image));
        });
      }),
    ),
  );

  disposer.add(
    effect(
      to.guarded(() => {
        const mask = shownMask(model);
        untracked(() => {
          to.upload('selection', (renderer) => renderer.setSelected(mask));
        });
      }),
    ),
  );
}

/** Returns the highlighted cells: those of the region that is pointed at, or the selection. The others are dimmed. */
export function shownMask(model: Model): Uint8Array | null {
  return model.glance.value ?? model.selection.value?.mask ?? null;
}

export function paintWith(model: Model, renderer: Renderer): void {
  const paint = model.paint.value;
  if (paint) renderer.setPaint(paint);
}
