import type { Opened, Part, ToPage } from '../contract/to-page';
import { joined } from '../lib/bytes';
import { copied, type Model, type Sent } from './model';
import { Requests } from './requests';
import { Wire } from './wire';

/** What to do with the answer to a request. */
interface Asked {
  /** Called for each part on arrival; otherwise, the parts are joined. */
  part?: (message: Part, bytes: Uint8Array<ArrayBuffer>) => void;
  done?: (bytes: Uint8Array) => void;
  refused: (tag: string, message: string) => void;
}

interface Pending extends Asked {
  parts: (Uint8Array | undefined)[];
}

interface Listener {
  /** Called when the kernel stops answering, and when it answers again. */
  waiting(waiting: boolean): void;
  opened(message: Opened): void;
  /** Called for messages that answer no request. */
  changed(message: ToPage, buffers: Uint8Array[]): void;
  /** Called when the comm turns out to be closed. */
  closed(): void;
}

/** Prefix of the IDs of the viewer's reads. */
const READ = 'r';

/** Requests of one frame to the kernel. */
export class KernelRequests {
  readonly #frame: string;
  readonly #listener: Listener;
  readonly #wire: Wire;
  readonly #requests: Requests<Pending>;
  #stopped = false;
  #loads = 0;

  constructor(frame: string, view: Model, channel: Model, listener: Listener) {
    this.#frame = frame;
    this.#listener = listener;
    this.#requests = new Requests((waiting) => listener.waiting(waiting));
    this.#wire = new Wire(channel, view === channel ? [] : [view], (message, buffers) => {
      if (message.view === undefined || message.view === frame) this.#receive(message, buffers);
    });
  }

  /** Sends a message that needs no answer. */
  tell(message: Sent, buffers: Uint8Array[] = []): void {
    if (this.#stopped) return;
    try {
      this.#wire.send({ ...message, view: this.#frame }, buffers);
    } catch {
      // A closed comm throws.
      this.#listener.closed();
    }
  }

  /** Waits for the kernel, then calls `then`. */
  hello(then: () => void, refused: Asked['refused']): void {
    this.#requests.add('hello', { refused, parts: [] }, () => {
      try {
        this.#wire.hello(() => {
          this.#requests.close('hello');
          then();
        });
      } catch {
        this.#listener.closed();
      }
    });
  }

  open(refused: Asked['refused']): void {
    this.#requests.add('open', { refused, parts: [] }, () => this.tell({ type: 'open', id: 'open' }));
  }

  /** Reads the page of the viewer. */
  readPage(asked: Asked): void {
    this.#read('page', 'index.html', asked);
  }

  /** Reads a file for the viewer. */
  read(number: number, path: string, asked: Asked, body?: Uint8Array): void {
    this.#read(this.#idOf(number), path, asked, body);
  }

  abort(number: number): void {
    this.#requests.close(this.#idOf(number));
  }

  /** Aborts all reads of the viewer because it was loaded again. */
  restart(): void {
    for (const id of this.#requests.ids()) if (id.startsWith(READ)) this.#requests.close(id);
    this.#loads++;
  }

  /** Rejects all requests: the kernel is lost. */
  stop(reason: string): void {
    this.#stopped = true;
    for (const id of this.#requests.ids()) this.#refuse(id, 'failed', reason);
  }

  dispose(): void {
    this.#wire.dispose();
    this.#requests.dispose();
  }

  /** The viewer counts its reads from 1 after each load; answers to those of an earlier load may still arrive. */
  #idOf(number: number): string {
    return `${READ}${this.#loads}-${number}`;
  }

  #read(id: string, path: string, asked: Asked, body?: Uint8Array): void {
    this.#requests.add(id, { ...asked, parts: [] }, () =>
      this.tell({ type: 'read', id, path }, body ? [body] : []),
    );
  }

  #receive(message: ToPage, buffers: Uint8Array[]): void {
    if (message.type === 'part') this.#onPart(message, copied(buffers[0] ?? new Uint8Array(0)));
    else if (message.type === 'refused') this.#refuse(message.id ?? '', message.tag, message.message);
    else if (message.type === 'opened') {
      this.#requests.close('open');
      this.#listener.opened(message);
    } else this.#listener.changed(message, buffers);
  }

  #onPart(message: Part, bytes: Uint8Array<ArrayBuffer>): void {
    const asked = this.#requests.heard(message.id);
    if (!asked) return;
    asked.parts[message.index] = asked.part ? new Uint8Array(0) : bytes;
    asked.part?.(message, bytes);
    if (asked.parts.filter((part) => part !== undefined).length < message.count) return;
    this.#requests.close(message.id);
    asked.done?.(joined(asked.parts));
  }

  #refuse(id: string, tag: string, message: string): void {
    const asked = this.#requests.heard(id);
    this.#requests.close(id);
    asked?.refused(tag, message);
  }
}
