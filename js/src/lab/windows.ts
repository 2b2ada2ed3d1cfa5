import { modelOf } from '../widget/model';
import type { Link } from './kernels';

const WAIT_MS = 200;

/**
 * Which widgets of kernels this page shows, and whether another page of this browser shows one of them, too: a
 * duplicated window has the same tabs and the same form, and closing it must not end the other's.
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

  /** This page shows `id`, until the function that it returns is called. */
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

  /** Whether it is shown elsewhere. */
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
 * Ends a widget in its kernel, unless another page shows it, and then lets the kernel go; `then` may do more than that.
 * It should be called when this page does not hold the widget any more, or is about not to.
 */
export function closeWidget(
  link: Link,
  id: string,
  windows: Windows,
  then: (alone: boolean) => void = () => link.release(),
): void {
  const end = async () => {
    if (await windows.others(id)) return false;
    const model = await link.models.get(id);
    const channel = await modelOf(model, model.get('_channel'));
    channel.send({ type: 'close' });
    // Until the message is on its way.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return true;
  };
  end().then(then, () => then(true));
}
