import type { JupyterFrontEnd } from '@jupyterlab/application';
import { type ICommandPalette, InputDialog, ToolbarButton } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { INotebookModel, INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import type { Widget } from '@lumino/widgets';
import type { Say } from '../widget/translate';
import type { Follower } from './active-kernel';
import { folderFrom, inFolder } from './exports';
import { tissueIcon } from './icon';
import type { Side } from './panel-controller';
import type { Tabs } from './tabs';
import type { Shown } from './view-tab';

interface Parts {
  app: JupyterFrontEnd;
  side: Side;
  tabs: Tabs;
  follower: Follower;
  panel: Widget;
  palette: ICommandPalette | null;
  launcher: ILauncher | null;
  files: IFileBrowserFactory | null;
  notebooks: INotebookTracker | null;
  say: Say;
  openView: string;
}

const FILE = '.jp-DirListing-item[data-isdir="false"]';
const category = 'KaroSpace';

/** Adds the commands to the palette, the launcher, the file browser and the notebook toolbar. */
export function addCommands(parts: Parts): void {
  const { app, side, tabs, follower, panel, palette, launcher, files, notebooks, say, openView } = parts;
  const { commands } = app;
  const selected = () => {
    const items = [...(files?.tracker.currentWidget?.selectedItems() ?? [])];
    return items.length === 1 ? items[0] : undefined;
  };
  const showPanel = () => app.shell.activateById(panel.id);
  const failed = (thrown: unknown) => {
    side.problem.value = thrown instanceof Error ? thrown.message : String(thrown);
    showPanel();
  };
  /** Opens a bundle, given its folder, manifest or page. */
  const openBundle = async (path: string) => {
    const folder = folderFrom(path, PageConfig.getOption('serverRoot'));
    const { contents } = app.serviceManager;
    const manifest = inFolder(folder, 'manifest.json');
    try {
      await contents.get(manifest, { content: false });
    } catch {
      throw new Error(
        say(
          '%1 is not a bundle: the file browser has no %2. Enter the folder that contains manifest.json.',
          path || '/',
          manifest,
        ),
      );
    }
    tabs.open({ title: folder.split('/').pop() || say('Bundle'), folder });
  };

  commands.addCommand(openView, {
    label: say('KaroSpace: Restore a viewer'),
    // Only used when the page is reloaded.
    execute: (args) => tabs.open(args as unknown as Shown, { restored: true }),
  });
  commands.addCommand('karospace:panel', {
    label: (args) =>
      args.isPalette
        ? say('KaroSpace: List AnnData objects to view or export')
        : say('Export AnnData to KaroSpace'),
    caption: say('List the AnnData objects of the active notebook'),
    icon: (args) => (args.isPalette ? undefined : tissueIcon),
    execute: showPanel,
  });
  commands.addCommand('karospace:open-bundle', {
    label: (args) => (args.isMenu ? say('Open in KaroSpace') : say('KaroSpace: Open a bundle…')),
    icon: tissueIcon,
    isVisible: (args) => !args.isMenu || selected()?.name === 'manifest.json',
    execute: async (args) => {
      let path = args.isMenu ? selected()?.path : (args.path as string | undefined);
      if (path === undefined) {
        const folder = files?.tracker.currentWidget?.model.path ?? '';
        const answer = await InputDialog.getText({
          title: say('Open a KaroSpace bundle'),
          label: say('Folder of the bundle (path in the file browser)'),
          text: folder,
        });
        if (!answer.button.accept || answer.value === null) return;
        path = answer.value;
      }
      await openBundle(path).catch(failed);
    },
  });
  commands.addCommand('karospace:export-file', {
    label: say('Export to KaroSpace…'),
    icon: tissueIcon,
    isVisible: () => /\.h5ad$/i.test(selected()?.name ?? ''),
    execute: async (args) => {
      const path = (args.path as string | undefined) ?? selected()?.path;
      if (path === undefined) return;
      showPanel();
      await side.openFile(path);
    },
  });
  commands.addCommand('karospace:new-view', {
    label: say('KaroSpace: New view of an AnnData object'),
    caption: say('Show an AnnData object of this notebook in a tab next to it'),
    icon: tissueIcon,
    execute: async () => {
      if (side.opening.value) {
        showPanel();
        return;
      }
      const { objects, name, state, at, busy, version } = await follower.listed();
      const [first] = objects;
      if (!first || version === null) {
        // The panel itself explains why there is no list or that the package is missing.
        if (!first && (name === null || (at && !busy)))
          side.problem.value = name
            ? say('%1 has no AnnData object yet. Run the cell that loads one.', name)
            : say('Open a notebook with an AnnData object.');
        else if (!first && busy && state !== 'dead')
          side.problem.value = say(
            'The kernel of %1 is busy. Its objects are listed when it is idle.',
            name ?? '',
          );
        showPanel();
        return;
      }
      let found = first;
      if (objects.length > 1) {
        const answer = await InputDialog.getItem({
          title: say('New view'),
          label: say('AnnData object'),
          items: objects.map(({ label }) => label),
        });
        if (!answer.button.accept) return;
        found = objects.find(({ label }) => label === answer.value) ?? first;
      }
      await side.newView(found).catch(failed);
    },
  });

  for (const command of ['karospace:panel', 'karospace:new-view', 'karospace:open-bundle'])
    palette?.addItem({ command, category, args: { isPalette: true } });
  launcher?.add({ command: 'karospace:panel', category: 'Other', rank: 50 });
  app.contextMenu.addItem({
    command: 'karospace:open-bundle',
    selector: FILE,
    rank: 3,
    args: { isMenu: true },
  });
  app.contextMenu.addItem({ command: 'karospace:export-file', selector: FILE, rank: 3 });
  if (notebooks) app.docRegistry.addWidgetExtension('Notebook', new ViewButton(app, say));
}

/** Adds a button to the toolbar of each notebook. */
class ViewButton implements DocumentRegistry.IWidgetExtension<NotebookPanel, INotebookModel> {
  readonly #app: JupyterFrontEnd;
  readonly #say: Say;

  constructor(app: JupyterFrontEnd, say: Say) {
    this.#app = app;
    this.#say = say;
  }

  createNew(notebook: NotebookPanel): IDisposable {
    const button = new ToolbarButton({
      icon: tissueIcon,
      tooltip: this.#say('New view of an AnnData object (KaroSpace)'),
      onClick: () => {
        this.#app.shell.activateById(notebook.id);
        void this.#app.commands.execute('karospace:new-view');
      },
    });
    notebook.toolbar.insertItem(10, 'karospace', button);
    return new DisposableDelegate(() => button.dispose());
  }
}
