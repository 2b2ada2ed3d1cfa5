import { type Kernel, KernelMessage } from '@jupyterlab/services';
import type { Model } from '../widget/model';
import { onGone } from './restarts';

const ASK_AGAIN_MS = 4000;
const LONGEST_MS = 5 * 60_000;
type Handler = (...args: never[]) => void;
type Content = Record<string, unknown>;
type Send = (data: Content, buffers?: ArrayBuffer[]) => void;

/**
 * Model of one widget in a kernel, connected over its comm without a widget manager. Implements the part of the
 * ipywidgets protocol that forms and viewers need.
 */
class KernelModel implements Model {
  comm_live = true;
  readonly widget_manager: { get_model(id: string): Promise<Model> };
  readonly known: Promise<Model>;
  readonly #send: Send;
  readonly #handlers = new Map<string, Set<Handler>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: Content = {};
  #unsent: Content = {};
  #found!: (model: Model) => void;
  #lost!: (reason: Error) => void;

  constructor(send: Send, find: (id: string) => Promise<Model>) {
    this.#send = send;
    this.widget_manager = { get_model: find };
    this.known = new Promise((resolve, reject) => {
      this.#found = resolve;
      this.#lost = reject;
    });
    this.known.catch(() => {});
    // Increase the delay: a closed widget never replies, and a busy kernel queues every request.
    const ask = (wait: number) => {
      send({ method: 'request_state' });
      this.#timer = setTimeout(() => ask(Math.min(LONGEST_MS, wait * 2)), wait);
    };
    ask(ASK_AGAIN_MS);
  }

  get(name: string): unknown {
    return this.#state[name];
  }

  set(name: string, value: unknown): void {
    this.#state[name] = value;
    this.#unsent[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {
    const state = this.#unsent;
    this.#unsent = {};
    this.#send({ method: 'update', state, buffer_paths: [] });
  }

  send(content: unknown, _callbacks?: unknown, buffers?: ArrayBuffer[]): void {
    if (!this.comm_live) throw new Error('The comm is closed.');
    this.#send({ method: 'custom', content }, buffers);
  }

  on(event: string, handler: Handler): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
  }

  off(event: string, handler: Handler): void {
    this.#handlers.get(event)?.delete(handler);
  }

  receive(data: Content, buffers: readonly unknown[]): void {
    if (data.method === 'update') {
      const state = (data.state ?? {}) as Content;
      Object.assign(this.#state, state);
      // The reply has all traits; updates from threads in the meantime have only the changed one.
      if ('_model_name' in state) {
        clearTimeout(this.#timer);
        this.#found(this);
      }
      for (const name of Object.keys(state)) this.#emit(`change:${name}`);
    } else if (data.method === 'custom') this.#emit('msg:custom', data.content, buffers);
  }

  /** Marks the kernel side as gone. */
  lose(): void {
    clearTimeout(this.#timer);
    if (!this.comm_live) return;
    this.comm_live = false;
    this.#lost(new Error('The kernel has stopped or was restarted.'));
    this.#emit('comm_live_update');
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])])
      (handler as (...args: unknown[]) => void)(...args);
  }
}

/** Widgets of one kernel over a separate connection, in a subshell if the kernel supports it. */
export class KernelModels {
  readonly #kernel: Kernel.IKernelConnection;
  readonly #models = new Map<string, KernelModel>();
  #subshellReady: Promise<void> | null = null;
  #subshell: string | null = null;
  #disposed = false;
  readonly #forget: () => void;
  // A reloaded page takes over its subshell: deleting it now could drop messages that were just sent.
  readonly #onHide = () => {
    if (this.#subshell !== null) sessionStorage.setItem(this.#stored, this.#subshell);
  };

  constructor(kernel: Kernel.IKernelConnection) {
    this.#kernel = kernel;
    kernel.iopubMessage.connect(this.#onMessage, this);
    this.#forget = onGone(kernel, () => this.#loseAll());
    window.addEventListener('pagehide', this.#onHide);
  }

  /** Resolves with the model of a widget; rejects if the kernel ends before it replies. */
  get(id: string): Promise<Model> {
    let model = this.#models.get(id);
    if (!model) {
      const send = (data: Content, buffers: ArrayBuffer[] = []) => {
        this.#subshellReady ??= this.#makeSubshell();
        void this.#subshellReady.then(() => this.#post(id, data, buffers));
      };
      model = new KernelModel(send, (other) => this.get(other));
      this.#models.set(id, model);
    }
    return model.known;
  }

  dispose(): void {
    this.#disposed = true;
    window.removeEventListener('pagehide', this.#onHide);
    this.#kernel.iopubMessage.disconnect(this.#onMessage, this);
    this.#forget();
    this.#endSubshell();
    this.#loseAll();
  }

  async #makeSubshell(): Promise<void> {
    await this.#kernel.info;
    // JupyterLab before 4.4 or a kernel without subshells: messages queue behind the running cell.
    if (this.#kernel.supportsSubshells !== true || this.#kernel.isDisposed) return;
    try {
      const previous = sessionStorage.getItem(this.#stored);
      sessionStorage.removeItem(this.#stored);
      const existing =
        previous === null ? [] : (await this.#kernel.requestListSubshell({}).done).content.subshell_id;
      if (previous !== null && existing?.includes(previous)) this.#subshell = previous;
      else this.#subshell = (await this.#kernel.requestCreateSubshell({}).done).content.subshell_id ?? null;
      if (this.#disposed) this.#endSubshell();
    } catch {
      // Continue without a subshell.
    }
  }

  get #stored(): string {
    return `karospace:subshell:${this.#kernel.id}`;
  }

  #endSubshell(): void {
    const subshell = this.#subshell;
    this.#subshell = null;
    this.#subshellReady = null;
    if (subshell !== null && !this.#kernel.isDisposed && this.#kernel.status !== 'dead')
      void this.#kernel.requestDeleteSubshell({ subshell_id: subshell }).done.catch(() => {});
  }

  #post(id: string, data: Content, buffers: ArrayBuffer[]): void {
    if (this.#kernel.isDisposed || this.#kernel.status === 'dead') return;
    const message = KernelMessage.createMessage<KernelMessage.ICommMsgMsg<'shell'>>({
      msgType: 'comm_msg',
      channel: 'shell',
      username: this.#kernel.username,
      session: this.#kernel.clientId,
      content: { comm_id: id, data: data as never },
      buffers,
      ...(this.#subshell === null ? {} : { subshellId: this.#subshell }),
    });
    this.#kernel.sendShellMessage(message, false, true);
  }

  #onMessage(_: unknown, message: KernelMessage.IIOPubMessage): void {
    if (KernelMessage.isCommMsgMsg(message))
      this.#models
        .get(message.content.comm_id)
        ?.receive(message.content.data as Content, message.buffers ?? []);
    else if (KernelMessage.isCommCloseMsg(message)) {
      const id = message.content.comm_id;
      this.#models.get(id)?.lose();
      if (this.#models.delete(id) && this.#models.size === 0) this.#endSubshell();
    }
  }

  #loseAll(): void {
    this.#subshell = null;
    this.#subshellReady = null;
    for (const model of this.#models.values()) model.lose();
    this.#models.clear();
  }
}
