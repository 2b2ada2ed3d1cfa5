import { modelOf } from '../widget/model';
import type { Link } from './kernels';

/** Time for other pages to answer. */
const WAIT_MS = 200;

/**
 * Tracks which widgets this page shows and asks other pages of this browser whether they show them, too. A duplicated
 * window has the same tabs and form, and closing it must not close those of the other.
 */
export class Windows {
  readonly #channel = new BroadcastChannel('karospace');
  readonly #held = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();

  constructor() {
    this.#channel.onmessage = ({ data }) => {
      if (data?.ask && this.#held.has(data.ask)) this.#channel.postMessage({ here: data.ask });
      if (data?.here) this.#waiting.get(data.here)?.();
    };
  }

  /** Registers that this page shows `id`. Returns a function that unregisters it. */
  hold(id: string): () => void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const count = (this.#held.get(id) ?? 1) - 1;
      if (count > 0) this.#held.set(id, count);
      else this.#held.delete(id);
    };
  }

  dispose(): void {
    this.#channel.close();
  }

  /** Returns whether another page shows the widget. */
  async others(id: string): Promise<boolean> {
    const found = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), WAIT_MS);
      this.#waiting.set(id, () => {
        clearTimeout(timer);
        resolve(true);
      });
      this.#channel.postMessage({ ask: id });
    });
    this.#waiting.delete(id);
    return found;
  }
}

/**
 * Closes a widget in its kernel unless another page shows it, then calls `then`, which by default releases the kernel;
 * `alone` is false if another page shows the widget. Call it when this page no longer shows the widget or is about to
 * stop showing it.
 */
export function closeWidget(
  link: Link,
  id: string,
  windows: Windows,
  then: (alone: boolean) => void = () => link.release(),
): void {
  const closeIfAlone = async () => {
    if (await windows.others(id)) return false;
    const model = await link.models.get(id);
    const channel = await modelOf(model, model.get('_channel'));
    channel.send({ type: 'close' });
    // Give the message time to be sent before the connection is released.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return true;
  };
  closeIfAlone().then(then, () => then(true));
}
