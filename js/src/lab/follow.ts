import type { ISessionContext } from '@jupyterlab/apputils';
import { effect, type Signal, signal } from '@preact/signals';
import { type Found, listObjects, Unanswered } from './calls';
import type { Kernels, Link } from './kernels';

/** What is known of the kernel of the notebook or console in front. */
export interface Followed {
  /** Name of the notebook or console; null when there is none. */
  name: string | null;
  state: 'none' | 'starting' | 'no kernel' | 'foreign' | 'dead' | 'ready';
  /** Id of the kernel; empty when there is none. */
  kernel: string;
  objects: readonly Found[];
  /** When the list was made; null when it never was. */
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
/** A question that waits behind a long cell is asked again ever more rarely: each one waits there, too. */
const LONGEST_MS = 10 * 60_000;
const LATE_MS = 1000;

/** A notebook or console, as far as it is followed. */
export interface Document {
  /** Of now: documents are renamed. */
  readonly name: () => string;
  readonly session: ISessionContext;
}

/** Follows the document in front, and lists its objects after each execution. */
export class Follower {
  readonly now: Signal<Followed> = signal(NOTHING);
  /** The kernel that is followed, for whoever acts on a row of the list. */
  link: Link | null = null;
  /** The session's path: what relative paths in the kernel are relative to. */
  path = '';
  readonly #kernels: Kernels;
  #document: Document | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #asked = false;
  /** Whether the document had a kernel already: one without is new, or its kernel was shut down. */
  #had = false;
  /** Of kernels: what an earlier one was asked is never answered. */
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
      this.#heard(value);
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

  /** Waits, a little while, until the list of the document in front is there; what is known then. */
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

  /** Joins the document's kernel of now, which comes late and may be changed for another. */
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
    const status = (_: unknown, value: string) => this.#heard(value);
    const heard = (_: unknown, message: { header: { msg_type: string }; parent_header: object }) => {
      const parent = message.parent_header as { msg_type?: string; session?: string };
      if (parent.session === link.kernel.clientId) return;
      if (message.header.msg_type === 'execute_input') this.#wanted = true;
      // Comms are handled beside the cells: only what was executed says that the kernel is free again.
      if (message.header.msg_type === 'execute_reply') this.#patience = PATIENCE_MS;
    };
    link.kernel.statusChanged.connect(status);
    link.kernel.iopubMessage.connect(heard as never);
    this.#kernelEnds.push(() => {
      link.kernel.statusChanged.disconnect(status);
      link.kernel.iopubMessage.disconnect(heard as never);
    });
    this.refresh();
  }

  /** A status, of our connection or of the document's own: after a restart, either may miss what the other hears. */
  #heard(value: string): void {
    if (!this.link) return;
    if (value === 'restarting' || value === 'autorestarting' || value === 'starting') {
      this.#life++;
      this.#asked = false;
      this.#set({ state: 'starting', objects: [], at: null, busy: false });
    } else if (value === 'dead') this.#set({ state: 'dead', objects: [], at: null, busy: false });
    else if (!this.#asked) this.#set({ busy: value === 'busy' });
    if (value === 'idle' && (this.#wanted || this.now.value.state === 'starting')) this.refresh();
  }

  /** A question that a kernel took with it when it was restarted is asked again. */
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
      return; // once it is idle
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
        this.#wanted = true; // of the kernel that comes
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

/** Calls `listener` with each value, at once and after each change; the function that it returns ends this. */
export function watch<T>(of: Signal<T>, listener: (value: T) => void): () => void {
  return effect(() => listener(of.value));
}
