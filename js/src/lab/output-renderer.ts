import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime';
import type { Contents, Kernel, KernelMessage } from '@jupyterlab/services';
import { Panel, Widget } from '@lumino/widgets';
import { effect, type Signal, signal } from '@preact/signals';
import type { Output, Tissue } from '../contract/output';
import { type Manager, managerOf, onModels } from '../widget/alive';
import { type Model, onChange, RECONNECT } from '../widget/model';
import type { Say } from '../widget/translate';
import { findFolder } from './bundle-location';
import { readerOf, viewOnDisk } from './jupyter-files';
import { MIME_TYPE, outputIn, withExport } from './output-data';
import type { Place } from './output-place';
import { type PreviewModel, renderPreview } from './output-preview';

interface Parts {
  find: (output: Output) => Place | null;
  contents: Contents.IManager;
  /** Loads the page of the viewer. */
  page: () => Promise<Uint8Array>;
  say: Say;
}

/** Model of a widget in the widget manager of the notebook. */
type Live = Model & { comm_live?: boolean };

/** Whether the kernel has run no cell since it started; null if unknown. All outputs of a notebook share the signal. */
const freshness = new WeakMap<ISessionContext, Signal<boolean | null>>();

function freshnessOf(session: ISessionContext | undefined): Signal<boolean | null> {
  const known = (session && freshness.get(session)) ?? signal(null);
  if (session) freshness.set(session, known);
  return known;
}

const LOST: readonly Kernel.Status[] = ['dead', 'restarting', 'autorestarting'];

/**
 * Shows a view, a grid or a form in the output of a cell: the widget if its model exists, else its preview, from which
 * the cell can be run again and, if the bundle is on disk, the whole viewer can be opened.
 */
export class OutputRenderer extends Panel implements IRenderMime.IRenderer {
  readonly #parts: Parts;
  #output: Output | null = null;
  #place: Place | null = null;
  #mimeModel: IRenderMime.IMimeModel | null = null;
  #state: PreviewModel['state'] = signal('connecting');
  #fresh = freshnessOf(undefined);
  #preview: Widget | null = null;
  #view: Widget | null = null;
  /** Whether to ask the kernel for the widget when it is idle. Cleared by each request, which also ends with idle. */
  #unsure = true;
  readonly #ends: (() => void)[] = [];

  constructor(parts: Parts) {
    super();
    this.#parts = parts;
    this.addClass('ko-renderer');
  }

  async renderModel(mimeModel: IRenderMime.IMimeModel): Promise<void> {
    const output = outputIn(mimeModel.data[MIME_TYPE]);
    this.#mimeModel = mimeModel;
    // Applications render again whenever anything in the output changes.
    if (!output || this.#output?.model === output.model) return;
    this.#leave();
    this.#output = output;
    this.#place = this.#parts.find(output);
    this.#fresh = freshnessOf(this.#place?.session);
    this.#showPreview();
    // The code of widgets comes from the kernel: run it only in notebooks that the user trusts.
    if (mimeModel.trusted) {
      const ids = idsOf(output);
      this.#ends.push(onModels((id) => ids.includes(id) && void this.#connect()));
      await this.#connect();
      if (this.#place) return;
    }
    this.#state.value = 'disconnected';
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#leave();
    super.dispose();
  }

  #leave(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#view?.dispose();
    this.#preview?.dispose();
    this.#view = this.#preview = this.#output = null;
    this.show();
  }

  #showPreview(): void {
    const { say } = this.#parts;
    const output = this.#output as Output;
    const place = this.#place;
    this.#state = signal('connecting');
    const folders = signal<ReadonlyMap<string, string>>(new Map());
    const opened = signal<ReadonlyMap<string, Model>>(new Map());
    const problem = signal('');
    const preview = new Widget();
    const run = (above: boolean) => {
      problem.value = '';
      place?.run?.(above).then(
        (ran) => {
          if (ran) return;
          // The cells above are still missing.
          this.#fresh.value = true;
          problem.value = say('The cells above did not finish, so this cell was not run.');
        },
        (thrown) => {
          problem.value = say('The cell could not be run: %1', String(thrown));
        },
      );
    };
    const model: PreviewModel = {
      output,
      state: this.#state,
      folders,
      opened,
      problem,
      fresh: this.#fresh,
      hasAbove: () => place?.hasAbove() ?? false,
      canRun: place?.run != null,
      run,
      open: (tissue) => {
        const folder = folders.value.get(tissue.model);
        if (folder === undefined) return;
        const { contents, page } = this.#parts;
        const view = viewOnDisk(folder, tissue.title, readerOf(contents), page);
        view.set('height', output.height);
        opened.value = new Map(opened.value).set(tissue.model, view);
      },
    };
    const end = renderPreview(model, preview.node, say);
    preview.disposed.connect(end);
    this.#preview = preview;
    this.addWidget(preview);
    this.#followKernel();
    // A connected widget needs no files, so look for them on the server only if it is disconnected.
    const state = this.#state;
    this.#ends.push(
      effect(() => {
        if (state.value === 'disconnected') void this.#findFolders(output.tissues, folders);
      }),
    );
    // A viewer that has lost its kernel requests that its cell be run again.
    const onReconnect = (event: Event) => {
      if (!place?.run) return;
      event.stopPropagation();
      run(this.#fresh.value !== false);
    };
    this.node.addEventListener(RECONNECT, onReconnect);
    if (place?.run) this.node.dataset.karospaceReconnect = '';
    this.#ends.push(() => this.node.removeEventListener(RECONNECT, onReconnect));
  }

  async #findFolders(tissues: readonly Tissue[], folders: PreviewModel['folders']): Promise<void> {
    for (const { model, bundle } of tissues) {
      if (!bundle) continue;
      const { places, folder: path, created } = bundle;
      const at = this.#place?.path ?? '';
      const folder = await findFolder(this.#parts.contents, { places, path, created }, at);
      if (folder !== null) folders.value = new Map(folders.value).set(model, folder);
    }
  }

  /** Looks for the widget in the kernel of the notebook, again after each change of the kernel. */
  #followKernel(): void {
    const session = this.#place?.session;
    if (!session) return;
    const look = () => void this.#look();
    const onStatus = (_: unknown, status: Kernel.Status) => {
      if (LOST.includes(status)) void this.#lose();
      else if (status === 'idle' && this.#unsure) look();
    };
    const onKernel = (_: unknown, { oldValue }: { oldValue: unknown }) => {
      if (oldValue) void this.#lose();
      look();
    };
    // Kernels report this only for the code of cells, not for the requests of extensions.
    const onMessage = (_: unknown, { header }: KernelMessage.IMessage) => {
      if (header.msg_type === 'execute_input') this.#fresh.value = false;
    };
    session.iopubMessage.connect(onMessage);
    session.statusChanged.connect(onStatus);
    session.kernelChanged.connect(onKernel);
    this.#ends.push(() => {
      session.iopubMessage.disconnect(onMessage);
      session.statusChanged.disconnect(onStatus);
      session.kernelChanged.disconnect(onKernel);
    });
    look();
  }

  async #look(): Promise<void> {
    const output = this.#output;
    const session = this.#place?.session;
    if (!output || !session || this.#view) return;
    this.#unsure = false;
    await session.ready;
    const kernel = session.session?.kernel;
    const known = kernel ? await hasComm(kernel, output.model) : false;
    const fresh = kernel && this.#fresh.value === null ? await isFresh(kernel) : null;
    if (this.#output !== output || known === undefined) return;
    // A cell may have run in the meantime.
    this.#fresh.value ??= fresh;
    this.#state.value = known ? 'connecting' : 'disconnected';
  }

  /** Tells the viewers that their kernel is gone, which widget managers do only if it was restarted from this page. */
  async #lose(): Promise<void> {
    const output = this.#output;
    if (!output) return;
    this.#state.value = 'disconnected';
    this.#unsure = true;
    this.#fresh.value = null;
    for (const id of idsOf(output)) {
      const manager = managerOf(id);
      const model = manager && ((await manager.get_model(id).catch(() => null)) as Live | null);
      if (!manager || !model?.comm_live) continue;
      model.comm_live = false;
      const channel = String(model.get('_channel')).replace('IPY_MODEL_', '');
      const wire = (await manager.get_model(channel).catch(() => null)) as Live | null;
      if (wire) wire.comm_live = false;
    }
  }

  /** Stores each export of a form in the output, so that the notebook shows it when it is opened again. */
  #keepExports(form: Live): void {
    const keep = () => {
      const data = this.#mimeModel && withExport(this.#mimeModel.data, form.get('_kept'));
      if (data) this.#mimeModel?.setData({ data });
    };
    keep();
    this.#ends.push(onChange(form, '_kept', keep));
  }

  /** Replaces the preview with the widget, if its model exists and is connected. */
  async #connect(): Promise<void> {
    const output = this.#output;
    if (!output || this.#view) return;
    const managers = idsOf(output).map(managerOf);
    const manager = managers.find((one): one is Manager => Boolean(one));
    if (!manager) {
      // Closed in Python: there is nothing to show.
      if (managers.some((one) => one === null)) this.hide();
      return;
    }
    try {
      const model = (await manager.get_model(output.model)) as Live;
      if (model.comm_live === false) {
        this.#state.value = 'disconnected';
        return;
      }
      const view = (await manager.create_view(model)) as { luminoWidget?: Widget; pWidget?: Widget };
      const widget = view.luminoWidget ?? view.pWidget;
      if (!widget) return;
      if (this.#output !== output || this.#view || this.isDisposed) {
        widget.dispose();
        return;
      }
      this.#preview?.dispose();
      this.#preview = null;
      this.#view = widget;
      this.addWidget(widget);
      if (output.kind === 'form') this.#keepExports(model);
      widget.disposed.connect(() => {
        if (this.#view !== widget) return;
        this.#view = null;
        this.hide();
      });
    } catch (thrown) {
      // The widget was closed while it was being created.
      if (idsOf(output).every((id) => managerOf(id) === null)) this.hide();
      else console.error(thrown);
    }
  }
}

const idsOf = (output: Output): string[] => [output.model, ...output.tissues.map(({ model }) => model)];

/** Returns whether a widget exists in a kernel; undefined if the kernel ends before it replies. */
async function hasComm(kernel: Kernel.IKernelConnection, id: string): Promise<boolean | undefined> {
  try {
    const { content } = await kernel.requestCommInfo({ target_name: 'jupyter.widget' });
    return content.status === 'ok' && id in content.comms;
  } catch {
    return undefined;
  }
}

/** Returns whether a kernel has run no cell since it started; null if it ends before it replies. */
async function isFresh(kernel: Kernel.IKernelConnection): Promise<boolean | null> {
  try {
    const { content } = await kernel.requestHistory({
      hist_access_type: 'range',
      session: 0, // the current one
      start: 1,
      stop: 2,
      raw: true,
      output: false,
    });
    return content.status === 'ok' && content.history.length === 0;
  } catch {
    return null;
  }
}
