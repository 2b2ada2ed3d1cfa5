import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { type ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { Follower } from '../lab/active-kernel';
import { addCommands } from '../lab/commands';
import { tissueIcon } from '../lab/icon';
import { Kernels } from '../lab/kernels';
import css from '../lab/lab.css';
import outputCss from '../lab/output.css';
import { MIME_TYPE } from '../lab/output-data';
import { placeOf } from '../lab/output-place';
import { OutputRenderer } from '../lab/output-renderer';
import { renderPanel } from '../lab/panel';
import { type Defaults, Side } from '../lab/panel-controller';
import { hasTabs, Tabs } from '../lab/tabs';
import { Windows } from '../lab/windows';
import { plainly, type Say, translateWith } from '../widget/translate';

declare const __VERSION__: string;

const NAME = 'karospace-jupyter';
const OPEN_VIEW = 'karospace:open-view';

/** Lower than the rank of widgets, -10, and therefore preferred. */
const OUTPUT_RANK = -20;

const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:panel`,
  description: 'Exports the AnnData objects of a kernel to static viewers.',
  autoStart: true,
  // Notebook 7 lacks some of these; without a token, its feature is omitted.
  optional: [
    INotebookTracker,
    IConsoleTracker,
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    IFileBrowserFactory,
    ISettingRegistry,
    IStateDB,
    ITranslator,
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    files: IFileBrowserFactory | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    translator: ITranslator | null,
  ) => {
    const say = sayWith(translator);
    translateWith(say);
    const defaults: Defaults = { outdir: '{name}_karospace', genes_mode: 'hvgs:500' };
    const kernels = new Kernels(app.serviceManager.kernels);
    const follower = new Follower(kernels);
    const windows = new Windows();
    const tabs = new Tabs({ app, kernels, windows, page: viewerPage, say });
    const side = new Side({
      app,
      kernels,
      follower,
      tabs,
      windows,
      state,
      files,
      say,
      defaults: () => ({ ...defaults }),
      version: __VERSION__,
    });

    addStyle(css);
    const panel = new SidePanel();
    panel.id = 'karospace-panel';
    panel.addClass('kl-side');
    panel.toggleClass('kl-wide', hasTabs(app));
    panel.title.icon = tissueIcon;
    panel.title.caption = 'KaroSpace';
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', 'KaroSpace');
    renderPanel(side, panel.node, say);
    app.shell.add(panel, 'left', { rank: 600, type: 'KaroSpace' });
    restorer?.add(panel, NAME);

    let last: NotebookPanel | ConsolePanel | null = null;
    const front = () => {
      const widget = app.shell.currentWidget;
      const notebook = notebooks?.currentWidget ?? null;
      const console = consoles?.currentWidget ?? null;
      // The current notebook or console; while another widget is current, the last one.
      const shown = [console, notebook].find((one) => one !== null && one === widget);
      if (last && !notebooks?.has(last) && !consoles?.has(last)) last = null; // closed
      last = shown ?? last ?? notebook ?? console;
      const chosen = last;
      follower.follow(chosen ? { name: () => chosen.title.label, session: chosen.sessionContext } : null);
    };
    notebooks?.currentChanged.connect(front);
    consoles?.currentChanged.connect(front);
    app.shell.currentChanged?.connect(front);
    void app.restored.then(front);

    addCommands({
      app,
      side,
      tabs,
      follower,
      panel,
      palette,
      launcher,
      files,
      notebooks,
      say,
      openView: OPEN_VIEW,
    });
    if (restorer) tabs.restore(restorer, OPEN_VIEW);
    void settings?.load(panelPlugin.id).then((loaded) => {
      const take = () => {
        defaults.outdir = String(loaded.composite.folder ?? defaults.outdir);
        defaults.genes_mode = String(loaded.composite.genes ?? defaults.genes_mode);
      };
      take();
      loaded.changed.connect(take);
    }, console.warn);
  },
};

/** Moves the focus into the panel when it is activated. */
class SidePanel extends Widget {
  protected override onActivateRequest(): void {
    if (this.node.contains(document.activeElement)) return;
    this.node.querySelector<HTMLElement>('button:not(:disabled), input, select')?.focus();
  }
}

const outputPlugin: JupyterFrontEndPlugin<void> = {
  id: `${NAME}:output`,
  description: 'Shows views in the outputs of cells, also without their kernel.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker, IConsoleTracker, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    translator: ITranslator | null,
  ) => {
    addStyle(outputCss);
    const say = sayWith(translator);
    const { contents } = app.serviceManager;
    rendermime.addFactory(
      {
        // Renders untrusted data as text and pictures; widgets only in trusted notebooks.
        safe: true,
        mimeTypes: [MIME_TYPE],
        createRenderer: ({ resolver }) =>
          new OutputRenderer({
            find: (output) => placeOf(resolver, output, { app, notebooks, consoles }),
            contents,
            page: viewerPage,
            say,
          }),
      },
      OUTPUT_RANK,
    );
  },
};

function sayWith(translator: ITranslator | null): Say {
  const bundle = translator?.load('karospace_jupyter');
  return bundle ? (text, ...values) => bundle.__(text, ...values) : plainly;
}

function addStyle(text: string): void {
  const style = document.createElement('style');
  style.textContent = text;
  document.head.append(style);
}

let viewer: Promise<Uint8Array> | undefined;

/** Returns the viewer's page; after a failure, the next call tries again. */
function viewerPage(): Promise<Uint8Array> {
  viewer ??= fetchViewerPage().catch((thrown) => {
    viewer = undefined;
    throw thrown;
  });
  return viewer;
}

/** Fetches the viewer's page, which is installed next to this script. */
async function fetchViewerPage(): Promise<Uint8Array> {
  const base = PageConfig.getOption('fullLabextensionsUrl');
  const answer = await fetch(URLExt.join(base, NAME, 'static', `viewer.html?v=${__VERSION__}`));
  if (!answer.ok) throw new Error(`the viewer's page could not be loaded (HTTP status ${answer.status})`);
  return new Uint8Array(await answer.arrayBuffer());
}

export default [panelPlugin, outputPlugin];
