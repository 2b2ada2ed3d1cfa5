import type { ISessionContext } from '@jupyterlab/apputils';
import { effect, type Signal, signal } from '@preact/signals';
import { type Found, listObjects, Unanswered } from './calls';
import type { Kernels, Link } from './kernels';

/** State of the kernel of the active notebook or console. */
export interface Followed {
  /** Name of the notebook or console; null when there is none. */
  name: string | null;
  state: 'none' | 'starting' | 'no kernel' | 'foreign' | 'dead' | 'ready';
  /** Id of the kernel; empty when there is none. */
  kernel: string;
  objects: readonly Found[];
  /** When the objects were listed; null if they were not. */
  at: Date | null;
  busy: boolean;
  version: string | null;
  problem: string;
}

const NOTHING: Followed = {
  name: null,
  state: 'none',
  kernel: '',
  objects: [],
  at: null,
  busy: false,
  version: null,
  problem: '',
};
const SETTLE_MS = 250;
const PATIENCE_MS = 5000;
/** Maximum delay before repeating a request; delays increase because repeated requests queue behind a long cell. */
const LONGEST_MS = 10 * 60_000;
const LATE_MS = 1000;

/** Notebook or console to follow. */
export interface Document {
  /** Returns the current name: documents can be renamed. */
  readonly name: () => string;
  readonly session: ISessionContext;
}

/** Follows the active document and lists the objects of its kernel after each execution. */
export class Follower {
  readonly now: Signal<Followed> = signal(NOTHING);
  /** Connection to the followed kernel, for actions on listed objects. */
  link: Link | null = null;
  /** Path of the session, whose folder is the kernel's working directory. */
  path = '';
  readonly #kernels: Kernels;
  #document: Document | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #asked = false;
  /** Whether the document had a kernel before; distinguishes a shut-down kernel from a new document. */
  #had = false;
  /** Counts restarts and changes of the kernel: requests to an earlier one are never answered. */
  #life = 0;
  #wanted = false;
  #patience = PATIENCE_MS;
  #ends: (() => void)[] = [];
  #kernelEnds: (() => void)[] = [];

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  follow(document: Document | null): void {
    if (document && document.session === this.#document?.session) return;
    this.#leave();
    this.#document = document;
    this.#had = false;
    if (!document) {
      this.now.value = NOTHING;
      return;
    }
    const { session } = document;
    const changed = () => this.#connect();
    session.kernelChanged.connect(changed);
    session.propertyChanged.connect(changed);
    const status = (_: unknown, value: string) => {
      this.#connect();
      this.#onStatus(value);
    };
    session.statusChanged.connect(status);
    this.#ends.push(() => {
      session.kernelChanged.disconnect(changed);
      session.propertyChanged.disconnect(changed);
      session.statusChanged.disconnect(status);
    });
    this.now.value = { ...NOTHING, name: document.name(), state: 'starting' };
    this.#connect();
  }

  /** Waits up to `PATIENCE_MS` for the list of the active document; returns the state known then. */
  async listed(): Promise<Followed> {
    const end = Date.now() + PATIENCE_MS;
    const known = () => !this.#asked && !this.#wanted && this.now.value.state !== 'starting';
    while (!known() && !this.now.value.busy && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return this.now.value;
  }

  refresh(): void {
    this.#wanted = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#list(), SETTLE_MS);
  }

  dispose(): void {
    this.#leave();
  }

  #set(part: Partial<Followed>): void {
    this.now.value = { ...this.now.value, ...part };
  }

  /** Connects to the current kernel of the document, which may start late and change. */
  #connect(): void {
    const document = this.#document;
    if (!document) return;
    const kernel = document.session.session?.kernel;
    this.path = document.session.session?.path ?? '';
    if (!kernel || kernel.status === 'dead') {
      this.#unlink();
      const none = document.session.hasNoKernel && !this.#had && !kernel;
      const state = kernel || this.#had ? 'dead' : none ? 'no kernel' : 'starting';
      this.#set({
        name: document.name(),
        state,
        kernel: '',
        objects: [],
        at: null,
        busy: false,
        problem: '',
      });
      return;
    }
    this.#set({ name: document.name() });
    if (this.link?.kernel.id === kernel.id) return;
    this.#unlink();
    const link = this.#kernels.hold(kernel.model);
    this.link = link;
    this.#had = true;
    this.#patience = PATIENCE_MS;
    this.#set({ state: 'starting', kernel: kernel.id, objects: [], at: null, problem: '' });
    const status = (_: unknown, value: string) => this.#onStatus(value);
    const onMessage = (_: unknown, message: { header: { msg_type: string }; parent_header: object }) => {
      const parent = message.parent_header as { msg_type?: string; session?: string };
      if (parent.session === link.kernel.clientId) return;
      if (message.header.msg_type === 'execute_input') this.#wanted = true;
      // Comm messages may be handled while a cell runs; only an execute reply shows that the kernel is free again.
      if (message.header.msg_type === 'execute_reply') this.#patience = PATIENCE_MS;
    };
    link.kernel.statusChanged.connect(status);
    link.kernel.iopubMessage.connect(onMessage as never);
    this.#kernelEnds.push(() => {
      link.kernel.statusChanged.disconnect(status);
      link.kernel.iopubMessage.disconnect(onMessage as never);
    });
    this.refresh();
  }

  /** Handles a status from either connection, ours or the document's: after a restart, either may miss one. */
  #onStatus(value: string): void {
    if (!this.link) return;
    if (value === 'restarting' || value === 'autorestarting' || value === 'starting') {
      this.#life++;
      this.#asked = false;
      this.#set({ state: 'starting', objects: [], at: null, busy: false });
    } else if (value === 'dead') this.#set({ state: 'dead', objects: [], at: null, busy: false });
    else if (!this.#asked) this.#set({ busy: value === 'busy' });
    if (value === 'idle' && (this.#wanted || this.now.value.state === 'starting')) this.refresh();
  }

  /** Repeats a request that was lost in a restart of the kernel. */
  #askAgain(life: number): void {
    if (life !== this.#life || !this.#asked) return;
    this.#patience = Math.min(LONGEST_MS, this.#patience * 2);
    if (this.#status() === 'busy') this.#watchdog = setTimeout(() => this.#askAgain(life), this.#patience);
    else {
      this.#life++;
      this.#asked = false;
      this.refresh();
    }
  }

  #status(): string | undefined {
    return this.#document?.session.session?.kernel?.status ?? this.link?.kernel.status;
  }

  async #list(): Promise<void> {
    const link = this.link;
    if (!link || this.#asked) return;
    if (this.#status() === 'busy') {
      this.#set({ busy: true });
      return; // lists when the kernel is idle
    }
    this.#asked = true;
    this.#wanted = false;
    const life = this.#life;
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#askAgain(life), this.#patience);
    const stale = () => link !== this.link || life !== this.#life;
    const late = setTimeout(() => !stale() && this.#set({ busy: true }), LATE_MS);
    try {
      const { language_info: language } = await link.kernel.info;
      if (stale()) return;
      if (language.name !== 'python') {
        this.#set({ state: 'foreign', objects: [], busy: false });
        return;
      }
      const { objects, version } = await listObjects(link.kernel);
      if (stale()) return;
      this.#patience = PATIENCE_MS;
      this.#set({ state: 'ready', objects, version, at: new Date(), busy: false, problem: '' });
    } catch (thrown) {
      if (stale()) return;
      if (thrown instanceof Unanswered) {
        this.#wanted = true; // list the objects of the next kernel
        return;
      }
      const problem = thrown instanceof Error ? thrown.message : String(thrown);
      this.#set({ state: 'ready', objects: [], problem });
    } finally {
      clearTimeout(late);
      if (life === this.#life) this.#asked = false;
      if (this.#wanted && this.link) this.refresh();
    }
  }

  #unlink(): void {
    for (const end of this.#kernelEnds.splice(0)) end();
    this.#life++;
    this.#asked = false;
    this.link?.release();
    this.link = null;
  }

  #leave(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    for (const end of this.#ends.splice(0)) end();
    this.#unlink();
    this.#wanted = false;
  }
}

/** Calls `listener` with the current value and after each change. Returns a function that stops it. */
export function watch<T>(of: Signal<T>, listener: (value: T) => void): () => void {
  return effect(() => listener(of.value));
}
