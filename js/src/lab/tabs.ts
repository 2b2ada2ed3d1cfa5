import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { modelOf } from '../widget/model';
import { call } from './calls';
import { readerOf, viewOnDisk } from './disk';
import { tissueIcon } from './icon';
import type { Kernels } from './kernels';
import type { Say } from './panel';
import { type Shown, ViewTab } from './view-tab';

/** Whether the application's main area holds tabs, as JupyterLab's does. */
export const hasTabs = (app: JupyterFrontEnd): boolean => 'layoutModified' in app.shell;

type Tab = MainAreaWidget<ViewTab>;

/** The viewers in the main area, and what is remembered of them when the page is loaded again. */
export class Tabs {
  readonly tracker = new WidgetTracker<Tab>({ namespace: 'karospace-view' });
  readonly #app: JupyterFrontEnd;
  readonly #kernels: Kernels;
  readonly #page: () => Promise<Uint8Array>;
  readonly #say: Say;
  #count = 0;

  constructor(app: JupyterFrontEnd, kernels: Kernels, page: () => Promise<Uint8Array>, say: Say) {
    this.#app = app;
    this.#kernels = kernels;
    this.#page = page;
    this.#say = say;
  }

  restore(restorer: ILayoutRestorer, command: string): void {
    void restorer.restore(this.tracker, {
      command,
      args: ({ content: { key, shown } }) => ({ ...shown, key }),
      name: ({ content }) => content.key,
    });
  }

  /** Opens what was remembered, or what someone asks for; a tab that shows it already is brought to the front. */
  async open(shown: Shown, mode: 'tab-after' | 'split-right' = 'tab-after'): Promise<Tab> {
    const there = this.tracker.find(
      ({ content }) =>
        (shown.view !== undefined && content.shown.view === shown.view) ||
        (shown.view === undefined &&
          content.shown.view === undefined &&
          content.shown.folder === shown.folder),
    );
    const tab = there ?? this.#add(shown, mode);
    this.#app.shell.activateById(tab.id);
    if (!there) await this.fill(tab, shown);
    return tab;
  }

  /** Puts a view into a tab: the kernel's where it is still there, else the bundle on disk. */
  async fill(tab: Tab, shown: Shown): Promise<void> {
    const { content } = tab;
    tab.title.label = shown.title;
    try {
      if (await this.#fillLive(content, shown)) {
        void this.tracker.save(tab);
        return;
      }
      if (shown.folder === undefined) {
        content.say(
          this.#say(
            'The kernel that showed %1 has stopped or was restarted. Export it again, or open its bundle.',
            shown.title,
          ),
        );
        return;
      }
      const { contents } = this.#app.serviceManager;
      await contents.get(`${shown.folder}/manifest.json`, { content: false });
      if (content.isDisposed) return;
      const disk = viewOnDisk(shown.folder, shown.title, readerOf(contents), this.#page);
      content.showOnDisk({ title: shown.title, folder: shown.folder }, disk);
    } catch (thrown) {
      if (content.isDisposed) return;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      content.say(this.#say('%1 cannot be shown: %2', shown.title, reason));
    }
    void this.tracker.save(tab);
  }

  async #fillLive(content: ViewTab, shown: Shown): Promise<boolean> {
    if (shown.kernel === undefined || shown.view === undefined) return false;
    const link = await this.#kernels.find(shown.kernel);
    if (!link) return false;
    try {
      content.say(this.#say('Waiting for the kernel…'));
      const { known } = await call(link.kernel, { do: 'known', model: shown.view });
      if (!known) throw new Error('gone');
      const view = await link.models.get(shown.view);
      const channel = await modelOf(view, view.get('_channel'));
      if (content.isDisposed) throw new Error('closed');
      content.showLive(shown, view, channel, link);
      return true;
    } catch {
      link.release();
      return content.isDisposed;
    }
  }

  #add(shown: Shown, mode: 'tab-after' | 'split-right'): Tab {
    const tab: Tab = new MainAreaWidget({ content: new ViewTab(shown) });
    tab.id = `karospace-view-${Date.now().toString(36)}-${++this.#count}`;
    tab.title.icon = tissueIcon;
    tab.title.label = shown.title;
    tab.title.closable = true;
    tab.toolbar.hide();
    // Notebook 7 has one document in its main area: the viewer stands beside it.
    if (hasTabs(this.#app)) this.#app.shell.add(tab, 'main', { mode });
    else this.#app.shell.add(tab, 'right', { rank: 600 });
    void this.tracker.add(tab);
    return tab;
  }
}
