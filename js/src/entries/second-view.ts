import { effect, untracked } from '@preact/signals';
import { asError } from '../lib/errors';
import type { Second } from '../panels/app';
import type { PictureWindow } from '../picture/pictures';
import { createStage, type Stage } from '../render/stage';
import type { Actions } from '../state/actions';
import { secondPane } from '../state/layout/second-pane';
import type { Model } from '../state/model';

/** Creates and disposes the second view as the state requests. */
export function connectSecondView(
  model: Model,
  actions: Actions,
  setSecond: (second: Second | null) => void,
): { current(): PictureWindow | null; dispose(): void } {
  let close: (() => void) | null = null;
  let shown: PictureWindow | null = null;
  const open = () => {
    const pane = secondPane(model, actions);
    const holder = document.createElement('div');
    holder.className = 'ks-canvas-holder';
    // A new canvas each time: a canvas whose WebGL context was released cannot get another one.
    const canvas = document.createElement('canvas');
    canvas.className = 'ks-canvas';
    canvas.setAttribute('role', 'img');
    canvas.tabIndex = 0;
    canvas.setAttribute(
      'aria-label',
      'The same cells in another layout. Arrow keys pan, plus and minus zoom, 0 shows all cells.',
    );
    holder.append(canvas);
    setSecond({ pane: { model: pane.model, actions: pane.actions }, holder });
    let stage: Stage | null = null;
    try {
      stage = createStage(canvas, pane.model, pane.actions, actions.notify);
      const painted = stage;
      shown = { model: pane.model, paint: (...at) => painted.paintTissue(...at), idle: () => painted.idle() };
    } catch (thrown) {
      actions.notify(asError(thrown));
    }
    close = () => {
      shown = null;
      stage?.dispose();
      pane.dispose();
      setSecond(null);
    };
  };
  const end = effect(() => {
    const wanted = model.state.value.beside !== null && model.status.value.kind === 'ready';
    untracked(() => {
      if (wanted === (close !== null)) return;
      if (wanted) open();
      else {
        close?.();
        close = null;
      }
    });
  });
  return {
    current: () => shown,
    dispose() {
      end();
      close?.();
      close = null;
    },
  };
}
