import type { View } from '../lib/camera';

const DURATION_MS = 250;

/** Transition of the cells from one layout to the next. */
export class Transition {
  #from: { view: View; size: number; since: number } | null = null;

  get active(): boolean {
    return this.#from !== null;
  }

  /** Starts from a view in which a cell has a diameter of `size` CSS pixels. */
  start(view: View, size: number): void {
    this.#from = { view, size, since: performance.now() };
  }

  /** Restarts the clock, once the positions are on the GPU. */
  restart(): void {
    if (this.#from) this.#from.since = performance.now();
  }

  end(): void {
    this.#from = null;
  }

  /** Progress from 0 to 1, slow at both ends; 1 without a transition. */
  get share(): number {
    const t = this.#from ? Math.min(1, (performance.now() - this.#from.since) / DURATION_MS) : 1;
    return t * t * (3 - 2 * t);
  }

  /** Returns the values of a frame, given the diameter of a cell after the transition. */
  frame(size: number): { share: number; pointSize: number; passage: { view: View; share: number } | null } {
    const { share } = this;
    const from = this.#from;
    if (!from) return { share, pointSize: size, passage: null };
    return { share, pointSize: from.size + (size - from.size) * share, passage: { view: from.view, share } };
  }
}
