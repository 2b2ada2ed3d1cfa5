import type { Disposer } from '../lib/disposer';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import type { Chrome } from './app';
import { neighbour, partnerOf } from './layouts';
import { nextTheme } from './theme';

const STEP = 60;
const ZOOM = 1.4;

const isUndo = (event: KeyboardEvent) =>
  event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;

/** Keys of the viewer; silent while the reader types or moves a slider. */
export function attachKeys(
  target: EventTarget,
  model: Model,
  actions: Actions,
  chrome: Chrome,
  disposer: Disposer,
): void {
  const step = (by: 1 | -1) => {
    const next = neighbour(model, by);
    if (next) actions.setLayout(next);
  };
  const bound: Record<string, () => void> = {
    ArrowLeft: () => actions.pan(STEP, 0),
    ArrowRight: () => actions.pan(-STEP, 0),
    ArrowUp: () => actions.pan(0, STEP),
    ArrowDown: () => actions.pan(0, -STEP),
    '+': () => actions.zoom(ZOOM),
    '=': () => actions.zoom(ZOOM),
    '-': () => actions.zoom(1 / ZOOM),
    '0': () => actions.fit(),
    q: () => actions.turn(),
    f: () => actions.mirror(),
    r: () => actions.reset(),
    t: () => actions.setTheme(nextTheme(model.state.value.theme, model.systemDark.value)),
    p: () => {
      chrome.panelOpen.value = !chrome.panelOpen.value;
    },
    s: () => {
      chrome.saveOpen.value = !chrome.saveOpen.value;
    },
    '?': () => {
      chrome.helpOpen.value = !chrome.helpOpen.value;
    },
    '/': () => {
      chrome.panelOpen.value = true;
      chrome.findGene.value = true;
    },
    b: () => actions.setBeside(model.state.value.beside ? null : partnerOf(model)),
    x: () => actions.swap(),
    '[': () => step(-1),
    ']': () => step(1),
    v: () => actions.setTool('move'),
    l: () => actions.setTool('lasso'),
    m: () => actions.setTool('rect'),
    z: () => actions.setTool('zoom'),
    // One thing at a time, the innermost first.
    Escape: () => {
      if (chrome.helpOpen.value) chrome.helpOpen.value = false;
      else if (chrome.saveOpen.value) chrome.saveOpen.value = false;
      else if (model.draft.value) actions.draw(null);
      else actions.clearSelection();
    },
  };
  disposer.listen<KeyboardEvent>(target, 'keydown', (event) => {
    if (event.defaultPrevented) return;
    const on = event.target instanceof Element ? event.target : null;
    const typing = on?.closest('input, select, textarea, [role="slider"], [role="radiogroup"]');
    if (typing) return;
    if (isUndo(event)) {
      event.preventDefault();
      return actions.undoSelection();
    }
    // A line that is drawn with Alt held is given up all the same.
    if (event.ctrlKey || event.metaKey || (event.altKey && event.key !== 'Escape')) return;
    const act = Object.hasOwn(bound, event.key) ? bound[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
