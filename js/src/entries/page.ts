import { Disposer } from '../lib/disposer';
import { mountStart } from '../panels/mount';
import type { BundleSource } from '../source/bundle-source';
import { embeddedSource } from '../source/embedded-source';
import { httpSource } from '../source/http-source';
import { scriptRunner, scriptSource } from '../source/script-source';
import { viewOfHash } from '../state/save/saved-view';
import { followAddress } from './address';
import { foreignSource } from './foreign';
import { isHosted, openHosted } from './hosted';
import { indexLinks } from './index-links';
import { answerMessages } from './messages';
import { createViewer } from './viewer';
import type { Viewer, ViewerOptions } from './viewer-api';

declare global {
  interface Window {
    /** The API for scripts and tests, available as soon as the page's script has run. */
    karospace: Viewer;
  }
}

/** Opens the page's bundle. `createWorker` starts a worker that runs the page's script. */
export function startPage(createWorker: () => Worker | null): void {
  const element = document.getElementById('viewer') ?? document.body;

  let viewer: Viewer | null = null;
  let open: (viewer: Viewer) => void = () => {};
  const opened = new Promise<Viewer>((resolve) => {
    open = resolve;
  });
  const firstReady = opened.then(({ ready }) => ready);
  firstReady.catch(() => {});
  /** Connections between the viewer and its page: messages and address. */
  const connections = new Disposer();
  /** Handlers that were registered before the viewer was created. */
  const early = new Set<(opened: Viewer) => void>();

  const shown = (): Viewer => {
    if (!viewer) throw new Error('No bundle is open yet. Wait for karospace.ready.');
    return viewer;
  };

  window.karospace = {
    get ready() {
      return viewer?.ready ?? firstReady;
    },
    getState: () => shown().getState(),
    async setState(change, options) {
      await (await opened).setState(change, options);
    },
    on(event, handler) {
      if (viewer) return viewer.on(event, handler);
      let off = () => {};
      const attach = (opened: Viewer) => {
        off = opened.on(event, handler);
      };
      early.add(attach);
      return () => {
        early.delete(attach);
        off();
      };
    },
    get cells() {
      return viewer?.cells ?? 0;
    },
    setSystemDark: (dark) => shown().setSystemDark(dark),
    setWaiting: (reason) => shown().setWaiting(reason),
    project: (cell) => viewer?.project(cell) ?? null,
    valueAt: (cell) => viewer?.valueAt(cell) ?? null,
    get selection() {
      return viewer?.selection ?? null;
    },
    select: (mask) => shown().select(mask),
    get regions() {
      return viewer?.regions ?? [];
    },
    setRegions: (regions) => shown().setRegions(regions),
    getView: (options) => shown().getView(options),
    async setView(view) {
      await (await opened).setView(view);
    },
    async snapshot() {
      return (await opened).snapshot();
    },
    async picture(options) {
      return (await opened).picture(options);
    },
    async table() {
      return (await opened).table();
    },
    get embedOrigins() {
      return viewer?.embedOrigins ?? [];
    },
    get liveObjects() {
      return viewer?.liveObjects ?? 0;
    },
    dispose() {
      connections.dispose();
      viewer?.dispose();
    },
  };

  function show(source: BundleSource, options: ViewerOptions = {}): Viewer {
    const embed = new URLSearchParams(location.search).get('embed') === '1';
    viewer = createViewer(element, source, { keys: 'page', embed, createWorker, ...options });
    for (const attach of early) attach(viewer);
    early.clear();
    open(viewer);
    return viewer;
  }

  // Before anything asynchronous: the embedding page may send messages as soon as this page has loaded.
  if (window.parent !== window && !isHosted()) connections.add(answerMessages(opened));

  /** Opens the bundle from wherever the page can read it; asks the user for the folder if it cannot. */
  async function main(): Promise<void> {
    const embedded = embeddedSource(document);
    if (!embedded && isHosted()) return openHosted(show);
    const view = await viewOfHash(location.hash);
    const showView = (source: BundleSource) => {
      const index = window.parent === window ? indexLinks() : undefined;
      const shown = show(source, { view, index });
      if (/^https?:$/.test(location.protocol)) connections.add(followAddress(shown));
    };
    const foreign = foreignSource();
    if (foreign) return showView(foreign);
    if (embedded) return showView(embedded);
    if (location.protocol === 'file:') {
      const scripts = await scriptSource(scriptRunner(document));
      return scripts ? showView(scripts) : mountStart(element, showView);
    }
    const source = httpSource(new URL('.', location.href).href);
    // A sandboxed page has an opaque origin, whose requests hosts refuse.
    if (self.origin === 'null') {
      try {
        await source.read('manifest.json', { signal: new AbortController().signal });
      } catch {
        source.dispose();
        return mountStart(element, showView);
      }
    }
    showView(source);
  }

  // Wait for the DOM: embedded files may follow this script in the page.
  if (document.readyState === 'loading')
    document.addEventListener('DOMContentLoaded', () => void main(), { once: true });
  else void main();
}
