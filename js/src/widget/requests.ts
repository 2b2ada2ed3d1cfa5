/** Delays before a missing reply is reported to the user and before the request is repeated. */
export interface Patience {
  tellAfterMs: number;
  repeatAfterMs: number;
  longestMs: number;
}

const PATIENCE: Patience = { tellAfterMs: 1500, repeatAfterMs: 8000, longestMs: 60_000 };

interface Open<T> {
  send: (repeat: number) => void;
  context: T;
  asked: number;
  heard: number;
  repeats: number;
}

/**
 * Pending requests to a kernel that may be busy, or through a server that may silently drop messages. Repeats them with
 * increasing delays until they are answered or closed.
 */
export class Requests<T> {
  readonly #open = new Map<string, Open<T>>();
  readonly #patience: Patience;
  readonly #onWaiting: (waiting: boolean) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #waiting = false;

  constructor(onWaiting: (waiting: boolean) => void, patience: Patience = PATIENCE) {
    this.#onWaiting = onWaiting;
    this.#patience = patience;
  }

  ids(): string[] {
    return [...this.#open.keys()];
  }

  get size(): number {
    return this.#open.size;
  }

  add(id: string, context: T, send: (repeat: number) => void): void {
    const now = performance.now();
    this.#open.set(id, { send, context, asked: now, heard: now, repeats: 0 });
    this.#timer ??= setInterval(() => this.#look(), Math.min(500, this.#patience.tellAfterMs / 2));
    send(0);
  }

  /** Notes that a reply for `id` arrived; returns its context, or undefined if the request is closed. */
  heard(id: string): T | undefined {
    const request = this.#open.get(id);
    if (request) request.heard = performance.now();
    this.#report(false);
    return request?.context;
  }

  /** Closes a request that was answered or abandoned. */
  close(id: string): void {
    this.#open.delete(id);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#report(false);
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#open.clear();
  }

  #look(): void {
    const now = performance.now();
    const { tellAfterMs, repeatAfterMs, longestMs } = this.#patience;
    let silent = false;
    for (const request of this.#open.values()) {
      const quietFor = now - request.heard;
      if (quietFor >= tellAfterMs) silent = true;
      const wait = Math.min(longestMs, repeatAfterMs * 2 ** request.repeats);
      if (now - Math.max(request.asked, request.heard) < wait) continue;
      request.asked = now;
      request.repeats++;
      request.send(request.repeats);
    }
    if (silent) this.#report(true);
  }

  #report(waiting: boolean): void {
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.#onWaiting(waiting);
  }
}
