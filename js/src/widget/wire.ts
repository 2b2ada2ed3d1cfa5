import { fromBase64, toBase64 } from '../lib/bytes';
import { type Custom, copied, type Model, onCustom } from './model';

type Listener = (message: Custom, buffers: Uint8Array[]) => void;

/**
 * A channel as one viewer or form uses it. Some hosts drop the buffers of messages without a word: `hello` carries one
 * there and back, and where it is lost bytes travel as base64 inside the message.
 */
export class Wire {
  readonly #channel: Model;
  readonly #listen: Listener;
  readonly #ends: (() => void)[] = [];
  readonly #probe = Math.random().toString(36).slice(2);
  /** Whether bytes arrive: at the kernel, and here. */
  #up = true;
  #down = true;
  #onHi: (() => void) | null = null;

  /** Hears what comes over the channel, and over `beside`: the comm of a view. */
  constructor(channel: Model, beside: readonly Model[], listen: Listener) {
    this.#channel = channel;
    this.#listen = listen;
    for (const model of [channel, ...beside])
      this.#ends.push(
        onCustom(model, (message, buffers) => {
          if (message.type === 'hi') this.#heardHi(message, buffers);
          else this.#listen(message, bytesOf(message, buffers));
        }),
      );
  }

  /** Asks how bytes travel; `then` is called once, when the kernel has said it. */
  hello(then: () => void): void {
    this.#onHi ??= then;
    this.#channel.send({ type: 'hello', id: this.#probe }, undefined, [new Uint8Array([1]).buffer]);
  }

  /** Throws where the host knows that the comm is closed. */
  send(message: Custom, buffers: readonly Uint8Array[] = []): void {
    const said = this.#down ? message : { ...message, plain: true };
    if (this.#up || buffers.length === 0)
      this.#channel.send(
        said,
        undefined,
        buffers.map((bytes) => copied(bytes).buffer),
      );
    else this.#channel.send({ ...said, base64: buffers.map(toBase64) });
  }

  dispose(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #heardHi(message: Custom, buffers: Uint8Array[]): void {
    if (message.id !== this.#probe) return;
    this.#up = message.buffers === 1;
    this.#down = buffers[0]?.length === 1;
    const then = this.#onHi;
    this.#onHi = null;
    then?.();
  }
}

function bytesOf(message: Custom, buffers: Uint8Array[]): Uint8Array[] {
  return Array.isArray(message.base64) ? message.base64.map((text) => fromBase64(String(text))) : buffers;
}
