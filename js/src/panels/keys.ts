import type { ReadonlySignal } from '@preact/signals';
import type { Disposer } from '../lib/disposer';
import { labeledColumn } from '../picture/labels';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import type { Chrome, Second } from './app';
import { neighborSection, partnerOf } from './layout/layouts';
import { nextTheme } from './theme';

const STEP = 60;
const ZOOM = 1.4;

type Bound = Record<string, () => void>;
type Pane = Pick<Second['pane'], 'model' | 'actions'>;

/** Returns the history action of a key event, or null. */
function historyActionOf(event: KeyboardEvent): 'undo' | 'redo' | null {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  if (key === 'z') return event.shiftKey ? 'redo' : 'undo';
  return key === 'y' && event.ctrlKey && !event.shiftKey ? 'redo' : null;
}

/** Keys that act on one view: the main one or the second one. */
function viewKeys({ model, actions }: Pane): Bound {
  const step = (by: 1 | -1) => () => {
    const next = neighborSection(model, by);
    if (next) actions.setLayout(next);
    else if (model.bundle.value?.manifest.sections) actions.hint('An embedding has no sections');
    else actions.hint('No sections in this bundle');
  };
  return {
    '+': () => actions.zoom(ZOOM),
    '=': () => actions.zoom(ZOOM),
    '-': () => actions.zoom(1 / ZOOM),
    '0': () => actions.fit(),
    '[': step(-1),
    ']': step(1),
    // For keyboard layouts on which brackets are hard to reach.
    ',': step(-1),
    '.': step(1),
  };
}

function arrowKeys({ actions }: Pane): Bound {
  return {
    ArrowLeft: () => actions.pan(STEP, 0),
    ArrowRight: () => actions.pan(-STEP, 0),
    ArrowUp: () => actions.pan(0, STEP),
    ArrowDown: () => actions.pan(0, -STEP),
  };
}

/** Keys that need something to act on; if it is missing, they show a hint. */
function objectKeys(model: Model, actions: Actions): Bound {
  const state = () => model.state.value;
  /** Only the tissue can be rotated, in either view. */
  const onTissue = (act: () => void) => () => {
    const { layout, beside } = state();
    if (layout.kind !== 'embedding' || (beside && beside.kind !== 'embedding')) act();
    else actions.hint('Embeddings are not rotated or flipped');
  };
  return {
    q: onTissue(() => actions.turn()),
    f: onTissue(() => actions.mirror()),
    i: () => {
      if (model.bundle.value?.hasImage) actions.toggleImage();
      else actions.hint('No tissue image in this bundle');
    },
    n: () => {
      if (labeledColumn(model)) actions.setLabels(!state().labels);
      else actions.hint('No categories to label: color by an annotation');
    },
    b: () => {
      const partner = partnerOf(model);
      if (state().beside) actions.setSecondLayout(null);
      else if (partner) actions.setSecondLayout(partner);
      else actions.hint('No second layout in this bundle');
    },
    x: () => {
      if (state().beside) actions.swap();
      else actions.hint('No second view to swap with');
    },
  };
}

/** Keys of the panels and tools, which an embedded viewer does not show. */
function chromeKeys(chrome: Chrome, model: Model, actions: Actions): Bound {
  return {
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
      if (model.bundle.value?.genes.count === 0) return actions.hint('No genes in this bundle');
      chrome.panelOpen.value = true;
      chrome.findGene.value = true;
    },
    v: () => actions.setTool('move'),
    l: () => actions.setTool('lasso'),
    m: () => actions.setTool('rect'),
    z: () => actions.setTool('zoom'),
  };
}

/** Returns which keys the focused control handles itself: text fields all, lists all but Escape, others the arrows. */
function ownKeys(on: Element | null): 'all' | 'list' | 'arrows' | null {
  const control = on?.closest('input, select, textarea');
  if (control instanceof HTMLSelectElement) return 'list';
  if (control instanceof HTMLTextAreaElement) return 'all';
  if (control instanceof HTMLInputElement)
    return ['range', 'radio', 'checkbox', 'color'].includes(control.type) ? 'arrows' : 'all';
  // The arrow keys scroll the panel.
  return on?.closest('.ks-panel, .ks-composition, .ks-dot-plot') ? 'arrows' : null;
}

/** Normalizes the key of an event; null if the combination is left to the browser. */
function keyOf(event: KeyboardEvent): string | null {
  const { key } = event;
  // On many keyboard layouts brackets need Alt or AltGr.
  if (key === '[' || key === ']') return event.metaKey ? null : key;
  // Escape must also cancel a line that is drawn with Alt held.
  if (event.ctrlKey || event.metaKey || (event.altKey && key !== 'Escape')) return null;
  // Uppercase without Shift comes from Caps Lock.
  return !event.shiftKey && /^[A-Z]$/.test(key) ? key.toLowerCase() : key;
}

/** Attaches the keyboard shortcuts, which are inactive while the user types. */
export function attachKeys(
  target: EventTarget,
  model: Model,
  actions: Actions,
  around: { chrome: Chrome; second: ReadonlySignal<Second | null> },
  disposer: Disposer,
): void {
  const { chrome, second } = around;
  const bound: Bound = {
    ...objectKeys(model, actions),
    r: () => actions.reset(),
    t: () => actions.setTheme(nextTheme(model.state.value.theme, model.systemDark.value)),
    // Closes one thing at a time, the innermost first.
    Escape: () => {
      const drawing = [model, second.value?.pane.model].some((view) => view?.draft.value);
      if (chrome.saveOpen.value) chrome.saveOpen.value = false;
      else if (chrome.shareOpen.value) chrome.shareOpen.value = false;
      else if (drawing) {
        actions.draw(null);
        second.value?.pane.actions.draw(null);
      } else if (model.pinned.value) actions.pin(null);
      else if (model.dotGenes.value) actions.showDots(null);
      else if (model.neighborhoods.value) actions.showNeighborhoods(false);
      else if (model.comparison.value) actions.closeComparison();
      else actions.clearSelection();
    },
    ...(chrome.embed ? {} : chromeKeys(chrome, model, actions)),
  };
  disposer.listen<KeyboardEvent>(target, 'keydown', (event) => {
    if (event.defaultPrevented) return;
    // The help dialog is modal and scrolls with its own keys.
    if (chrome.helpOpen.value && event.key !== '?') return;
    const on = event.target instanceof Element ? event.target : null;
    const own = ownKeys(on);
    if (own === 'all') return;
    const historyAction = historyActionOf(event);
    if (historyAction) {
      event.preventDefault();
      return actions[historyAction]();
    }
    const key = keyOf(event);
    if (key === null || (own === 'list' && key !== 'Escape')) return;
    // The browser closes its own popovers.
    if (key === 'Escape' && document.querySelector(':popover-open')) return;
    const secondView = second.value;
    const pane = secondView && on?.closest('.ks-beside') ? secondView.pane : { model, actions };
    const all = { ...bound, ...viewKeys(pane), ...(own === null ? arrowKeys(pane) : {}) };
    const act = Object.hasOwn(all, key) ? all[key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  });
}
