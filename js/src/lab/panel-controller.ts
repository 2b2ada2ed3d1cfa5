import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { IStateDB } from '@jupyterlab/statedb';
import { signal } from '@preact/signals';
import type { OpenForm as FormOf, OpenFile } from '../contract/panel-requests';
import type { Model } from '../widget/model';
import type { Say } from '../widget/translate';
import type { Follower } from './active-kernel';
import { findFolder } from './bundle-location';
import { Answered, call, type Found, listObjects, sameVersion, Unanswered } from './calls';
import { type Exported, storedExports, withExport } from './exports';
import type { Kernels, Link } from './kernels';
import type { ExportAction, OpenForm, Opening, PanelModel } from './panel';
import { startPython } from './start';
import type { Tab, Tabs } from './tabs';
import { closeWidget, type Windows } from './windows';

const STORED = 'karospace:exports';
const OPEN = 'karospace:form';

/** Initial values of forms, from the settings. */
export interface Defaults {
  outdir: string;
  genes_mode: string;
}

interface Parts {
  app: JupyterFrontEnd;
  kernels: Kernels;
  follower: Follower;
  tabs: Tabs;
  windows: Windows;
  state: IStateDB | null;
  files: IFileBrowserFactory | null;
  say: Say;
  defaults: () => Defaults;
  version: string;
}

/** Description of an open form, stored to restore it when the page is reloaded. */
interface About {
  label: string;
  /** Notebook, console or file to which it belongs. */
  of: string;
  /** Path of the kernel's session, whose folder is the kernel's working directory. */
  path: string;
  /** Whether viewers connect to the kernel; otherwise they read the files of the bundle, which outlive it. */
  live: boolean;
  /** Key of the tab that shows the last export. */
  tab?: string;
}

/** Called when a form is closed; `alone` tells whether no other page shows it. */
type End = (alone: boolean) => void;

const textOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** Controller of the side panel: forms of objects and files, and the list of exports. */
export class Side implements PanelModel {
  readonly form = signal<OpenForm | null>(null);
  readonly opening = signal<Opening | null>(null);
  readonly problem = signal('');
  readonly exportProblem = signal('');
  readonly exports = signal<readonly Exported[]>([]);
  left = '';
  readonly version: string;
  readonly canReveal: boolean;
  readonly #parts: Parts;
  #open: { about: About; id: string; link: Link; end: End } | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.version = parts.version;
    this.canReveal = 'layoutModified' in parts.app.shell;
    void parts.state?.fetch(STORED).then((value) => {
      this.exports.value = storedExports((value as { list?: unknown } | undefined)?.list);
    });
    void parts.state?.fetch(OPEN).then((value) => this.#restore(value));
  }

  get followed() {
    return this.#parts.follower.now;
  }

  refresh(): void {
    this.#parts.follower.refresh();
  }

  async open(found: Found): Promise<void> {
    const { follower, kernels } = this.#parts;
    if (!follower.link || !(await this.leaveForm())) return;
    const link = kernels.hold(follower.link.kernel.model);
    const of = this.followed.value.name ?? '';
    const about = { label: found.label, of, path: follower.path, live: true };
    await this.#show(link, about, { do: 'form', where: found.where });
  }

  /** Opens the form of an `.h5ad` file in a new kernel, which ends with the form. */
  async openFile(given: string): Promise<void> {
    const { app, kernels, say } = this.#parts;
    // Strip the drive prefix that some servers add.
    const path = app.serviceManager.contents.localPath(given);
    const name = path.split('/').pop() ?? path;
    if (this.form.value && this.#open?.about.of === path) return;
    if (!(await this.leaveForm())) return;
    const opening = this.#begin(name, '');
    try {
      const model = await startPython(app.serviceManager, path, say('KaroSpace: %1', name));
      const link = kernels.hold(model);
      const about = { label: name, of: path, path, live: false };
      if (opening.stop.signal.aborted) {
        this.#endOf(link, about)(true);
        return;
      }
      try {
        const { version } = await listObjects(link.kernel, opening.stop.signal);
        const problem = this.#mismatch(version);
        if (problem) throw new Error(problem);
      } catch (thrown) {
        this.#endOf(link, about)(true);
        throw thrown;
      }
      await this.#show(link, about, { do: 'file', path: name });
    } catch (thrown) {
      if (!opening.stop.signal.aborted)
        this.problem.value = say('%1 cannot be opened: %2', name, textOf(thrown));
    } finally {
      if (this.opening.value === opening) this.opening.value = null;
    }
  }

  /** Returns what must be installed in the kernel's environment; empty if the versions match. */
  #mismatch(version: string | null): string {
    const { say, version: mine } = this.#parts;
    if (version !== null && sameVersion(version, mine)) return '';
    const what =
      version === null
        ? say('karospace-jupyter is not installed in the kernel’s environment.')
        : say('This panel has version %1, but the kernel has %2.', mine, version);
    return `${what} ${say('Run this in the kernel’s environment: %1', `pip install karospace-jupyter==${mine}`)}`;
  }

  /** Closes the form, after confirmation if an export is running. Returns whether it is closed. */
  async leaveForm(): Promise<boolean> {
    const { say, state, windows } = this.#parts;
    const form = this.form.value;
    const open = this.#open;
    if (!form || !open) return true;
    if (form.model.get('status') === 'running' && form.model.comm_live !== false) {
      const answer = await showDialog({
        title: say('An export is running'),
        body: say(
          'Leaving this form cancels the export of %1. An existing bundle is not changed.',
          form.label,
        ),
        buttons: [
          Dialog.cancelButton({ label: say('Stay') }),
          Dialog.warnButton({ label: say('Cancel export') }),
        ],
      });
      if (!answer.button.accept) return false;
    }
    if (this.#open !== open) return this.form.value === null;
    this.left = form.label;
    this.form.value = this.#open = null;
    await state?.remove(OPEN);
    closeWidget(open.link, open.id, windows, open.end);
    return true;
  }

  act(what: ExportAction, one: Exported): void {
    const { exportProblem } = this;
    exportProblem.value = '';
    this.#do(what, one).catch((thrown) => {
      exportProblem.value = textOf(thrown);
    });
  }

  view(found: Found): void {
    this.newView(found).catch((thrown) => {
      this.problem.value = this.#parts.say('%1: %2', found.label, textOf(thrown));
      this.refresh();
    });
  }

  /** Opens a view of an object without exporting it to disk. */
  async newView(found: Found): Promise<void> {
    const { follower, kernels, tabs } = this.#parts;
    if (!follower.link || this.opening.value) return;
    const link = kernels.hold(follower.link.kernel.model);
    const opening = this.#begin(found.label, link.kernel.id);
    try {
      const { model } = await call(link.kernel, { do: 'new_view', where: found.where }, opening.stop.signal);
      tabs.open({ title: found.label, kernel: link.kernel.id, view: model }, { mode: 'split-right' });
    } catch (thrown) {
      if (!opening.stop.signal.aborted) throw thrown;
    } finally {
      if (this.opening.value === opening) this.opening.value = null;
      link.release();
    }
  }

  /** Starts opening something; cancels what was being opened before. */
  #begin(label: string, kernel: string): Opening {
    this.opening.value?.stop.abort();
    this.problem.value = '';
    const opening = { label, kernel, stop: new AbortController() };
    opening.stop.signal.addEventListener('abort', () => {
      if (this.opening.value === opening) this.opening.value = null;
    });
    this.opening.value = opening;
    return opening;
  }

  /** Creates a form in the kernel and shows it. */
  async #show(
    link: Link,
    about: About,
    request: Omit<FormOf, 'options'> | Omit<OpenFile, 'options'>,
  ): Promise<void> {
    const { defaults, say, state, windows } = this.#parts;
    const { label } = about;
    const opening = this.#begin(label, link.kernel.id);
    const end = this.#endOf(link, about);
    const gone = () => this.opening.value !== opening;
    // Store the kernel at once: if the page were closed now, a kernel started for this form would be left running.
    if (!about.live) void state?.save(OPEN, { ...about, kernel: link.kernel.id, model: '' });
    // Not aborted by the signal: once created in the kernel, the form must be closed there.
    const asked = call(link.kernel, { ...request, options: { ...defaults() } });
    try {
      const { model: id } = await Promise.race([asked, stopped(opening.stop.signal)]);
      const model = await Promise.race([link.models.get(id), stopped(opening.stop.signal)]);
      if (gone()) throw new Unanswered('');
      this.#put(link, about, id, model, end);
    } catch (thrown) {
      if (!gone()) {
        this.problem.value = say('%1: %2', label, textOf(thrown));
        this.refresh();
      }
      asked.then(
        (made) => closeWidget(link, made.model, windows, end),
        () => end(true),
      );
    } finally {
      if (!gone()) this.opening.value = null;
    }
  }

  /** Restores the form after a reload of the page if its kernel still has it. */
  async #restore(stored: unknown): Promise<void> {
    const { kernel, model, label, of, path, live, tab } = (stored ?? {}) as Record<string, unknown>;
    if (typeof kernel !== 'string' || typeof model !== 'string') return;
    const link = await this.#parts.kernels.find(kernel);
    if (!link) return;
    const about: About = { label: String(label), of: String(of), path: String(path), live: live === true };
    if (typeof tab === 'string') about.tab = tab;
    const end = this.#endOf(link, about);
    try {
      const { known } = model === '' ? { known: false } : await call(link.kernel, { do: 'known', model });
      if (!known) end(true);
      else if (this.form.value) link.release();
      else this.#put(link, about, model, await link.models.get(model), end);
    } catch {
      link.release();
    }
  }

  #put(link: Link, about: About, id: string, model: Model, end: End): void {
    const { app, tabs, windows, state } = this.#parts;
    const { label, of, path: sessionPath, live } = about;
    const kernel = link.kernel.id;
    const held = windows.hold(id);
    const mine = { ...about };
    const remember = () => void state?.save(OPEN, { ...mine, kernel, model: id });
    // A repeated export replaces the earlier one in its tab.
    let tab: Tab | undefined = about.tab === undefined ? undefined : tabs.byKey(about.tab);
    const show: OpenForm['place']['show'] = async ({ view, title, path, bytes, ...written }) => {
      const folder =
        path === ''
          ? null
          : await findFolder(app.serviceManager.contents, { ...written, path: written.folder }, sessionPath);
      const shown = { title, ...(view && { kernel, view }), ...(folder === null ? {} : { folder }) };
      if (path !== '')
        this.#remember({ title, path, folder: folder ?? '', kernel, bytes, at: Date.now(), checked: '' });
      if (!tab && mine.tab !== undefined) tab = tabs.byKey(mine.tab);
      if (tab && !tab.isDisposed) {
        void tabs.fill(tab, shown);
        app.shell.activateById(tab.id);
      } else tab = tabs.open(shown);
      mine.tab = tab.content.key;
      if (this.#open?.id === id) remember();
    };
    const ended: End = (alone) => {
      held();
      end(alone);
    };
    this.#open = { about: mine, id, link, end: ended };
    remember();
    const others = () => windows.others(id);
    this.form.value = { label, of: of.split('/').pop() ?? of, model, place: { live, show, others } };
  }

  /** Returns the function to call when a form is closed; it shuts down a kernel that was started for the form. */
  #endOf(link: Link, { live }: About): End {
    const { kernels } = this.#parts.app.serviceManager;
    return (alone) => {
      const { id } = link.kernel;
      link.release();
      if (alone && !live) void kernels.shutdown(id).catch(() => {});
    };
  }

  async #do(what: ExportAction, one: Exported): Promise<void> {
    const { app, say, tabs } = this.#parts;
    if (what === 'copy') {
      Clipboard.copyToSystem(one.path);
      return;
    }
    if (what === 'forget') {
      this.#keep(this.exports.value.filter(({ path }) => path !== one.path));
      return;
    }
    if (what === 'reveal') {
      await app.commands.execute('filebrowser:go-to-path', { path: one.folder });
      return;
    }
    if (what === 'open' && one.folder !== '') {
      tabs.open({ title: one.title, folder: one.folder });
      return;
    }
    if (what === 'delete') {
      const answer = await showDialog({
        title: say('Delete this bundle?'),
        body: say('%1 and all its contents will be deleted. This cannot be undone.', one.path),
        buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: say('Delete') })],
      });
      if (!answer.button.accept) return;
    }
    await this.#withKernel(
      one,
      async (link) => {
        if (what === 'open') {
          const { model } = await call(link.kernel, { do: 'view_of', path: one.path });
          tabs.open({ title: one.title, kernel: link.kernel.id, view: model });
        } else if (what === 'verify') await this.#verify(link, one);
        else {
          await this.#leaveFolder(one.folder);
          await call(link.kernel, { do: 'delete', path: one.path });
          this.#keep(this.exports.value.filter(({ path }) => path !== one.path));
        }
      },
      what === 'open',
    );
  }

  /** Moves file browsers out of a folder that will be deleted: JupyterLab would report it as missing. */
  async #leaveFolder(folder: string): Promise<void> {
    if (folder === '') return;
    const leaving: Promise<unknown>[] = [];
    this.#parts.files?.tracker.forEach(({ model }) => {
      const shown = this.#parts.app.serviceManager.contents.localPath(model.path);
      if (shown === folder || shown.startsWith(`${folder}/`))
        leaving.push(model.cd(`/${folder.split('/').slice(0, -1).join('/')}`));
    });
    await Promise.all(leaving);
  }

  async #verify(link: Link, one: Exported): Promise<void> {
    const { say } = this.#parts;
    this.#change(one, { checked: say('verifying…') });
    try {
      const { files } = await call(link.kernel, { do: 'verify', path: one.path });
      const checked = files === 1 ? say('1 file verified') : say('%1 files verified', String(files));
      this.#change(one, { checked });
    } catch (thrown) {
      // Mark the bundle as damaged only if its files are the cause of the error.
      this.#change(one, { checked: thrown instanceof Answered && thrown.damaged ? say('damaged') : '' });
      throw thrown;
    }
  }

  /** Runs work in the kernel that made an export, or in a temporary kernel if that one has stopped. */
  async #withKernel(one: Exported, work: (link: Link) => Promise<void>, stays: boolean): Promise<void> {
    const { app, kernels, say } = this.#parts;
    const link = await kernels.find(one.kernel);
    if (link) {
      await work(link).finally(() => link.release());
      return;
    }
    if (stays)
      throw new Error(
        say('The kernel that exported %1 has stopped. Open the bundle from the file browser.', one.path),
      );
    const model = await startPython(app.serviceManager, one.folder, say('KaroSpace: %1', one.title));
    const own = kernels.hold(model);
    await work(own).finally(() => {
      own.release();
      void app.serviceManager.kernels.shutdown(model.id).catch(() => {});
    });
  }

  #remember(one: Exported): void {
    this.#keep(withExport(this.exports.value, one));
  }

  #change(one: Exported, part: Partial<Exported>): void {
    this.#keep(this.exports.value.map((other) => (other.path === one.path ? { ...other, ...part } : other)));
  }

  #keep(list: readonly Exported[]): void {
    this.exports.value = list;
    void this.#parts.state?.save(STORED, { list: list.map((one) => ({ ...one })) });
  }
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Unanswered('')));
  });
}
