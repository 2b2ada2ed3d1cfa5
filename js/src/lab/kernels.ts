import type { Kernel } from '@jupyterlab/services';
import { KernelModels } from './kernel-models';

/** Shared connection to a kernel; disposed when the last holder releases it. */
export interface Link {
  readonly kernel: Kernel.IKernelConnection;
  readonly models: KernelModels;
  release(): void;
}

interface Held {
  kernel: Kernel.IKernelConnection;
  models: KernelModels;
  holders: number;
}

/** Manages one connection per kernel. */
export class Kernels {
  readonly #manager: Kernel.IManager;
  readonly #held = new Map<string, Held>();

  constructor(manager: Kernel.IManager) {
    this.#manager = manager;
  }

  hold(model: Kernel.IModel): Link {
    let held = this.#held.get(model.id);
    if (!held || held.kernel.isDisposed) {
      // Do not handle comms: the connection would close comms of other widgets, whose targets it does not know.
      const kernel = this.#manager.connectTo({
        model: { id: model.id, name: model.name },
        handleComms: false,
      });
      held = { kernel, models: new KernelModels(kernel), holders: 0 };
      this.#held.set(model.id, held);
    }
    const mine = held;
    mine.holders++;
    let released = false;
    return {
      kernel: mine.kernel,
      models: mine.models,
      release: () => {
        if (released) return;
        released = true;
        if (--mine.holders > 0) return;
        if (this.#held.get(model.id) === mine) this.#held.delete(model.id);
        mine.models.dispose();
        mine.kernel.dispose();
      },
    };
  }

  /** Connects to a running kernel; returns null if there is none with this id. */
  async find(id: string): Promise<Link | null> {
    const model = await this.#manager.findById(id);
    return model ? this.hold(model) : null;
  }
}
