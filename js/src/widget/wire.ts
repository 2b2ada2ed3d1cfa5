import type { Hi, ToPage } from '../contract/to-page';
import { fromBase64, toBase64 } from '../lib/bytes';
import { copied, type Listener, type Model, onCustom, type Sent } from './model';

/**
 * Connection of one viewer or form to a channel. Some hosts silently drop the buffers of messages: `hello` sends a
 * buffer in both directions, and if it is lost, bytes are sent as base64 inside messages.
 */
export class Wire {
  readonly #channel: Model;
  readonly #listen: Listener;
  readonly #ends: (() => void)[] = [];
  readonly #probe = Math.random().toString(36).slice(2);
  /** Whether buffers arrive at the kernel (`up`) and here (`down`). */
  #up = true;
  #down = true;
  #onHi: (() => void) | null = null;

  /** Listens to messages over the channel and over other comms, such as the comm of a view. */
  constructor(channel: Model, others: readonly Model[], listen: Listener) {
    this.#channel = channel;
    this.#listen = listen;
    for (const model of [channel, ...others])
      this.#ends.push(
        onCustom(model, (message, buffers) => {
          if (message.type === 'hi') this.#heardHi(message, buffers);
          else this.#listen(message, bytesOf(message, buffers));
        }),
      );
  }

  /** Tests whether buffers arrive; calls `then` once when the kernel has replied. */
  hello(then: () => void): void {
    this.#onHi ??= then;
    this.#channel.send({ type: 'hello', id: this.#probe }, undefined, [new Uint8Array([1]).buffer]);
  }

  /** Sends a message. Throws if the host knows that the comm is closed. */
  send(message: Sent, buffers: readonly Uint8Array[] = []): void {
    const content = this.#down ? message : { ...message, plain: true };
    if (this.#up || buffers.length === 0)
      this.#channel.send(
        content,
        undefined,
        buffers.map((bytes) => copied(bytes).buffer),
      );
    else this.#channel.send({ ...content, base64: buffers.map(toBase64) });
  }

  dispose(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #heardHi(message: Hi, buffers: Uint8Array[]): void {
    if (message.id !== this.#probe) return;
    this.#up = message.buffers === 1;
    this.#down = buffers[0]?.length === 1;
    const then = this.#onHi;
    this.#onHi = null;
    then?.();
  }
}

function bytesOf({ base64 }: ToPage, buffers: Uint8Array[]): Uint8Array[] {
  return base64 ? base64.map(fromBase64) : buffers;
}
