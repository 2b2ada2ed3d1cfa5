import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { Disposer } from '../lib/disposer';
import type { Pictures } from '../picture/pictures';
import type { BundleSource } from '../source/bundle-source';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import { App, type Chrome, type Second } from './app';
import base from './base.css';
import legend from './color/legend.css';
import compare from './compare/compare.css';
import { Panels } from './context';
import type { IndexLinks } from './index-nav';
import { attachKeys } from './keys';
import layouts from './layout/layouts.css';
import narrow from './narrow.css';
import panel from './panel.css';
import { downloads } from './save/download';
import save from './save/save.css';
import selection from './selection/selection.css';
import stage from './stage.css';
import { Start } from './start';
import states from './states.css';
import touch from './touch.css';

/** Order matters: `narrow` overrides the others and stays last. */
const CSS = [base, stage, layouts, panel, legend, states, selection, compare, save, touch, narrow].join('');

export interface MountOptions {
  keys: 'page' | 'element';
  retry: () => void;
  /** Show only the tissue and a small legend. */
  embed?: boolean | undefined;
  pictures: Pictures;
  /** The index from which the bundle was opened; null if there is none. */
  index?: Promise<IndexLinks | null> | undefined;
  /** Whether the surrounding page is dark. Default: the system's color scheme. */
  dark?: boolean | undefined;
}

function frame(element: HTMLElement, disposer: Disposer): HTMLElement {
  const style = document.createElement('style');
  style.textContent = CSS;
  const root = document.createElement('div');
  root.className = 'ks-root';
  element.append(style, root);
  disposer.add(() => {
    render(null, root);
    root.remove();
    style.remove();
  });
  return root;
}

const prefersDark = () => matchMedia('(prefers-color-scheme: dark)');

/** Mounts the panels into `element` and returns the canvas for the renderer. */
export function mountPanels(
  element: HTMLElement,
  model: Model,
  actions: Actions,
  options: MountOptions,
): { canvas: HTMLCanvasElement; setSecond: (second: Second | null) => void; dispose: () => void } {
  const disposer = new Disposer();
  const root = frame(element, disposer);
  const system = prefersDark();
  actions.setSystemDark(options.dark ?? system.matches);
  if (options.dark === undefined) {
    disposer.listen(system, 'change', () => actions.setSystemDark(system.matches));
  }
  disposer.add(
    effect(() => {
      root.dataset.theme = model.dark.value ? 'dark' : 'light';
    }),
  );
  const chrome: Chrome = {
    panelOpen: signal(true),
    helpOpen: signal(false),
    saveOpen: signal(false),
    shareOpen: signal(false),
    index: signal(null),
    findGene: signal(false),
    embed: options.embed ?? false,
  };
  // A bundle is complete without its index, so a missing index is not an error.
  options.index?.then(
    (links) => {
      chrome.index.value = links;
    },
    () => {},
  );
  // Notebooks size the viewer a frame late: until the user hides or shows the panel, the width decides.
  let decided = true;
  const fits = () => {
    if (root.clientWidth === 0 || chrome.panelOpen.value !== decided) return;
    decided = root.clientWidth >= 700;
    chrome.panelOpen.value = decided;
  };
  fits();
  const width = new ResizeObserver(fits);
  width.observe(root);
  disposer.add(() => width.disconnect());
  // Created here, not by a component, so that no render can replace the canvas.
  const canvas = document.createElement('canvas');
  canvas.className = 'ks-canvas';
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'Tissue. Arrow keys pan, plus and minus zoom, 0 shows all cells.');
  const second = signal<Second | null>(null);
  const { pictures, retry } = options;
  const context = { model, actions, pictures, retry, download: downloads(disposer) };
  render(
    <Panels.Provider value={context}>
      <App canvas={canvas} chrome={chrome} second={second} />
    </Panels.Provider>,
    root,
  );
  attachKeys(options.keys === 'page' ? document : root, model, actions, { chrome, second }, disposer);
  return {
    canvas,
    setSecond(next) {
      second.value = next;
    },
    dispose: () => disposer.dispose(),
  };
}

/** Mounts the page that asks for the bundle's folder, for browsers that do not let the page read it. */
export function mountStart(element: HTMLElement, open: (source: BundleSource) => void): void {
  const disposer = new Disposer();
  const root = frame(element, disposer);
  root.dataset.theme = prefersDark().matches ? 'dark' : 'light';
  const chosen = (source: BundleSource) => {
    disposer.dispose();
    open(source);
  };
  render(<Start onChosen={chosen} />, root);
}
