import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, ToolbarButton, WidgetTracker } from '@jupyterlab/apputils';
import { closeIcon } from '@jupyterlab/ui-components';
import { modelOf } from '../widget/model';
import type { Say } from '../widget/translate';
import { call, Unanswered } from './calls';
import { inFolder } from './exports';
import { tissueIcon } from './icon';
import { readerOf, viewOnDisk } from './jupyter-files';
import type { Kernels } from './kernels';
import { type Shown, ViewTab } from './view-tab';
import { closeWidget, type Windows } from './windows';

/** Returns whether the main area of the application has tabs, like JupyterLab. */
export const hasTabs = (app: JupyterFrontEnd): boolean => 'layoutModified' in app.shell;

export type Tab = MainAreaWidget<ViewTab>;

interface Parts {
  app: JupyterFrontEnd;
  kernels: Kernels;
  windows: Windows;
  /** Loads the page of the viewer. */
  page: () => Promise<Uint8Array>;
  say: Say;
}

interface How {
  mode?: 'tab-after' | 'split-right';
  /** Whether the tab is restored after a reload: then it is neither activated nor refreshed. */
  restored?: boolean;
}

/** Viewers in the main area, which are restored when the page is reloaded. */
export class Tabs {
  readonly tracker = new WidgetTracker<Tab>({ namespace: 'karospace-view' });
  readonly #parts: Parts;
  #count = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  restore(restorer: ILayoutRestorer, command: string): void {
    void restorer.restore(this.tracker, {
      command,
      args: ({ content: { key, shown } }) => ({ ...shown, key }),
      name: ({ content }) => content.key,
    });
  }

  /** Returns the tab with this key. */
  byKey(key: string): Tab | undefined {
    return this.tracker.find(({ content }) => content.key === key);
  }

  /**
   * Opens a viewer, or activates the tab that already shows it. Returns the tab immediately and fills it later, because
   * the application waits for restored tabs on startup.
   */
  open(shown: Shown, { mode = 'tab-after', restored = false }: How = {}): Tab {
    const existing = this.tracker.find(
      ({ content }) =>
        (shown.view !== undefined && content.shown.view === shown.view) ||
        (shown.view === undefined &&
          content.shown.view === undefined &&
          content.shown.folder === shown.folder),
    );
    const tab = existing ?? this.#add(shown, mode, !restored);
    if (!restored) this.#parts.app.shell.activateById(tab.id);
    if (!existing) void this.fill(tab, shown);
    else if (!restored && shown.view === undefined) void this.#renew(tab, shown);
    return tab;
  }

  /** Shows a view in a tab: from the kernel if it still exists there, else from the bundle on disk. */
  async fill(tab: Tab, shown: Shown): Promise<void> {
    const { app, page, say } = this.#parts;
    const { content } = tab;
    tab.title.label = shown.title;
    const turn = content.nextTurn();
    try {
      if (await this.#fillLive(tab, shown, turn)) {
        void this.tracker.save(tab);
        return;
      }
      if (content.isDisposed || content.turn !== turn) return;
      if (shown.folder === undefined) {
        content.say(
          say(
            'The kernel of %1 has stopped or was restarted. Export it again or open its bundle.',
            shown.title,
          ),
        );
        return;
      }
      const { contents } = app.serviceManager;
      const path = inFolder(shown.folder, 'manifest.json');
      const { last_modified: modified } = await contents.get(path, { content: false });
      if (content.isDisposed || content.turn !== turn) return;
      const disk = viewOnDisk(shown.folder, shown.title, readerOf(contents), page);
      content.showOnDisk({ title: shown.title, folder: shown.folder }, disk, modified);
    } catch (thrown) {
      if (content.isDisposed || content.turn !== turn) return;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      content.say(say('%1 cannot be shown: %2', shown.title, reason));
    }
    void this.tracker.save(tab);
  }

  /** Reloads the tab if the bundle on disk has changed. */
  async #renew(tab: Tab, shown: Shown): Promise<void> {
    const { contents } = this.#parts.app.serviceManager;
    const found = await contents
      .get(inFolder(shown.folder ?? '', 'manifest.json'), { content: false })
      .catch(() => null);
    if (!tab.isDisposed && found?.last_modified !== tab.content.modified) await this.fill(tab, shown);
  }

  async #fillLive(tab: Tab, shown: Shown, turn: number): Promise<boolean> {
    const { kernels, say, windows } = this.#parts;
    const { content } = tab;
    const { kernel, view: id } = shown;
    if (kernel === undefined || id === undefined) return false;
    const link = await kernels.find(kernel);
    if (!link) return false;
    try {
      content.say(say('Waiting for the kernel…'));
      const { known } = await call(link.kernel, { do: 'known', model: id });
      if (!known) {
        link.release();
        return false;
      }
      const view = await link.models.get(id);
      const channel = await modelOf(view, view.get('_channel'));
      if (content.isDisposed || content.turn !== turn) {
        // The tab was closed or refilled in the meantime: close the view in the kernel as well.
        closeWidget(link, id, windows);
        return true;
      }
      const lost = () => {
        // A view that was replaced by a newer one is also lost; ignore that.
        if (content.turn !== turn || content.isDisposed) return;
        if (view.comm_live === false && shown.folder !== undefined)
          void this.fill(tab, { title: shown.title, folder: shown.folder });
      };
      view.on('comm_live_update', lost);
      content.showLive(shown, view, channel, link, windows);
      return true;
    } catch (thrown) {
      link.release();
      if (thrown instanceof Unanswered) return false;
      throw thrown;
    }
  }

  #add(shown: Shown, mode: 'tab-after' | 'split-right', activate: boolean): Tab {
    const { app, say } = this.#parts;
    const tab: Tab = new MainAreaWidget({ content: new ViewTab(shown) });
    tab.id = `karospace-view-${Date.now().toString(36)}-${++this.#count}`;
    tab.title.icon = tissueIcon;
    tab.title.label = shown.title;
    tab.title.closable = true;
    if (hasTabs(app)) {
      tab.toolbar.hide();
      app.shell.add(tab, 'main', { mode, activate });
    } else {
      // Notebook 7 has a single document in its main area. Show the viewer in the right area, with a close button.
      const close = new ToolbarButton({
        icon: closeIcon,
        tooltip: say('Close viewer'),
        onClick: () => tab.dispose(),
      });
      tab.toolbar.addItem('close', close);
      app.shell.add(tab, 'right', { rank: 600 });
    }
    void this.tracker.add(tab);
    return tab;
  }
}
