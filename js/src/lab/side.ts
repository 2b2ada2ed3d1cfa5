import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { IStateDB } from '@jupyterlab/statedb';
import { signal } from '@preact/signals';
import { type Model, modelOf } from '../widget/model';
import { call, type Found } from './calls';
import { type Exported, folderOf, storedExports, withExport } from './exports';
import type { Follower } from './follow';
import type { Kernels, Link } from './kernels';
import type { ExportAction, OpenForm, PanelModel, Say } from './panel';
import type { Tabs } from './tabs';

const STORED = 'karospace:exports';
const OPEN = 'karospace:form';

/** First values of each form, from the settings. */
export interface Defaults {
  outdir: string;
  genes_mode: string;
}

interface Parts {
  app: JupyterFrontEnd;
  kernels: Kernels;
  follower: Follower;
  tabs: Tabs;
  state: IStateDB | null;
  say: Say;
  defaults: () => Defaults;
  version: string;
}

/** What a form is of. */
interface About {
  label: string;
  /** Of the kernel's session: relative paths in the kernel are relative to its folder. */
  path: string;
  /** Whether viewers speak to the kernel; else they read the bundle's files, which are there when it is not. */
  live: boolean;
}

const textOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** What the side panel does: forms of objects and files, and the exports of this session. */
export class Side implements PanelModel {
  readonly form = signal<OpenForm | null>(null);
  readonly opening = signal('');
  readonly problem = signal('');
  readonly exports = signal<readonly Exported[]>([]);
  readonly version: string;
  readonly #parts: Parts;
  #end: (() => void) | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.version = parts.version;
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

  open(found: Found): void {
    const { follower, kernels } = this.#parts;
    if (!follower.link) return;
    const link = kernels.hold(follower.link.kernel.model);
    const request = { do: 'form', where: found.where };
    void this.#show(link, { label: found.label, path: follower.path, live: true }, request);
  }

  /** The form of an `.h5ad`, in a kernel of its own that ends with the form. */
  async openFile(path: string): Promise<void> {
    const { app, kernels, say } = this.#parts;
    const name = path.split('/').pop() ?? path;
    this.opening.value = name;
    try {
      const { sessions, kernelspecs } = app.serviceManager;
      await kernelspecs.ready;
      const wanted = {
        path,
        name: say('KaroSpace: %1', name),
        type: 'karospace',
        kernel: { name: kernelspecs.specs?.default ?? 'python3' },
      };
      // A connection that handles comms closes those whose target it does not know: the form's.
      const session = await sessions.startNew(wanted, { kernelConnectionOptions: { handleComms: false } });
      if (!session.kernel) throw new Error(say('No kernel could be started.'));
      const link = kernels.hold(session.kernel.model);
      session.dispose(); // the connection, not the kernel
      await this.#show(link, { label: name, path, live: false }, { do: 'file', path: name });
    } catch (thrown) {
      this.opening.value = '';
      this.problem.value = say('%1 cannot be opened: %2', name, textOf(thrown));
    }
  }

  closeForm(): void {
    const form = this.form.value;
    this.form.value = null;
    const end = this.#end;
    this.#end = null;
    if (!form) return;
    void this.#parts.state?.remove(OPEN);
    modelOf(form.model, form.model.get('_channel'))
      .then((channel) => channel.send({ type: 'close' }))
      .catch(() => {})
      // After the message is on its way.
      .finally(() => setTimeout(() => end?.(), 500));
  }

  act(what: ExportAction, one: Exported): void {
    const { problem } = this;
    problem.value = '';
    this.#do(what, one).catch((thrown) => {
      problem.value = textOf(thrown);
    });
  }

  /** A view of an object, without an export to disk. */
  async newView(found: Found): Promise<void> {
    const { follower, kernels, tabs } = this.#parts;
    if (!follower.link) return;
    const link = kernels.hold(follower.link.kernel.model);
    try {
      const { model } = await call(link.kernel, { do: 'new_view', where: found.where });
      await tabs.open({ title: found.label, kernel: link.kernel.id, view: String(model) }, 'split-right');
    } finally {
      link.release();
    }
  }

  /** Makes a form in the kernel and shows it. */
  async #show(link: Link, about: About, request: Record<string, unknown>): Promise<void> {
    const { defaults, say, state } = this.#parts;
    const { label } = about;
    this.closeForm();
    this.problem.value = '';
    this.opening.value = label;
    try {
      const made = await call(link.kernel, { ...request, options: defaults() });
      const id = String(made.model);
      this.#put(link, about, await link.models.get(id));
      void state?.save(OPEN, { ...about, kernel: link.kernel.id, model: id });
    } catch (thrown) {
      this.problem.value = say('%1: %2', label, textOf(thrown));
      this.refresh();
      this.#endOf(link, about)();
    } finally {
      this.opening.value = '';
    }
  }

  /** The page was loaded again: the form of before stands where its kernel still has it. */
  async #restore(stored: unknown): Promise<void> {
    const { kernel, model, label, path, live } = (stored ?? {}) as Record<string, unknown>;
    if (typeof kernel !== 'string' || typeof model !== 'string') return;
    const link = await this.#parts.kernels.find(kernel);
    if (!link) return;
    try {
      const { known } = await call(link.kernel, { do: 'known', model });
      if (!known || this.form.value) throw new Error('gone');
      const about = { label: String(label), path: String(path), live: live === true };
      this.#put(link, about, await link.models.get(model));
    } catch {
      link.release();
    }
  }

  #put(link: Link, about: About, model: Model): void {
    const { app, tabs } = this.#parts;
    const { label, path: sessionPath, live } = about;
    const kernel = link.kernel.id;
    // An export again takes the place of the earlier one, in the tab that shows it.
    let tab: Awaited<ReturnType<Tabs['open']>> | null = null;
    const show: OpenForm['place']['show'] = ({ view, title, path, bytes, folder: place }) => {
      const folder = folderOf(sessionPath, place);
      const shown = { title, ...(view && { kernel, view }), ...(folder === null ? {} : { folder }) };
      if (path !== '')
        this.#remember({ title, path, folder: folder ?? '', kernel, bytes, at: Date.now(), checked: '' });
      if (tab && !tab.isDisposed) {
        void tabs.fill(tab, shown);
        app.shell.activateById(tab.id);
      } else
        void tabs.open(shown).then((opened) => {
          tab = opened;
        });
    };
    this.#end = this.#endOf(link, about);
    this.form.value = { label, model, place: { live, show } };
  }

  /** What to do when a form is closed: a kernel that was started for it ends with it. */
  #endOf(link: Link, { live }: About): () => void {
    const { kernels } = this.#parts.app.serviceManager;
    return () => {
      const { id } = link.kernel;
      link.release();
      if (!live) void kernels.shutdown(id).catch(() => {});
    };
  }

  async #do(what: ExportAction, one: Exported): Promise<void> {
    const { app, kernels, say, tabs } = this.#parts;
    if (what === 'copy') {
      Clipboard.copyToSystem(one.path);
      return;
    }
    if (what === 'reveal') {
      await app.commands.execute('filebrowser:go-to-path', { path: one.folder });
      return;
    }
    if (what === 'open' && one.folder !== '') {
      await tabs.open({ title: one.title, folder: one.folder });
      return;
    }
    if (what === 'delete') {
      const answer = await showDialog({
        title: say('Delete this bundle?'),
        body: say('%1 and everything in it is deleted. This cannot be undone.', one.path),
        buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: say('Delete') })],
      });
      if (!answer.button.accept) return;
    }
    const link = await kernels.find(one.kernel);
    if (!link)
      throw new Error(
        say(
          'The kernel that wrote %1 has stopped; its files are untouched. Open them from the file browser.',
          one.path,
        ),
      );
    try {
      const request = { open: 'view_of', verify: 'verify', delete: 'delete' }[what];
      this.#change(one, { checked: what === 'verify' ? say('verifying…') : one.checked });
      const answer = await call(link.kernel, { do: request, path: one.path });
      if (what === 'open')
        await tabs.open({ title: one.title, kernel: one.kernel, view: String(answer.model) });
      if (what === 'verify')
        this.#change(one, { checked: say('%1 files are as they were written', String(answer.files)) });
      if (what === 'delete') this.#keep(this.exports.value.filter(({ path }) => path !== one.path));
    } catch (thrown) {
      if (what === 'verify') this.#change(one, { checked: say('damaged') });
      throw thrown;
    } finally {
      link.release();
    }
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
