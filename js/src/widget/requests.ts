/** Delays before a missing reply is reported to the user and before the request is repeated. */
export interface Patience {
  tellAfterMs: number;
  /** Delay before the first repeat; it doubles with each further one, up to `longestMs`. */
  repeatAfterMs: number;
  longestMs: number;
}

const PATIENCE: Patience = { tellAfterMs: 1500, repeatAfterMs: 8000, longestMs: 60_000 };

interface Pending<T> {
  send: (repeat: number) => void;
  context: T;
  /** When the request was last sent, by `performance.now()`. */
  sentAt: number;
  /** When a part of the reply last arrived, or the request was added. */
  heardAt: number;
  repeats: number;
}

/**
 * Pending requests to a kernel that may be busy, or through a server that may silently drop messages. Repeats them with
 * increasing delays until they are answered or closed.
 */
export class Requests<T> {
  readonly #pending = new Map<string, Pending<T>>();
  readonly #patience: Patience;
  readonly #onWaiting: (waiting: boolean) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #waiting = false;

  constructor(onWaiting: (waiting: boolean) => void, patience: Patience = PATIENCE) {
    this.#onWaiting = onWaiting;
    this.#patience = patience;
  }

  ids(): string[] {
    return [...this.#pending.keys()];
  }

  get size(): number {
    return this.#pending.size;
  }

  add(id: string, context: T, send: (repeat: number) => void): void {
    const now = performance.now();
    this.#pending.set(id, { send, context, sentAt: now, heardAt: now, repeats: 0 });
    this.#timer ??= setInterval(() => this.#check(), Math.min(500, this.#patience.tellAfterMs / 2));
    send(0);
  }

  /** Notes that a reply for `id` arrived; returns its context, or undefined if the request is closed. */
  heard(id: string): T | undefined {
    const request = this.#pending.get(id);
    if (request) request.heardAt = performance.now();
    this.#report(false);
    return request?.context;
  }

  /** Closes a request that was answered or abandoned. */
  close(id: string): void {
    this.#pending.delete(id);
    if (this.#pending.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#report(false);
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
  }

  #check(): void {
    const now = performance.now();
    const { tellAfterMs, repeatAfterMs, longestMs } = this.#patience;
    let silent = false;
    for (const request of this.#pending.values()) {
      const quietFor = now - request.heardAt;
      if (quietFor >= tellAfterMs) silent = true;
      const wait = Math.min(longestMs, repeatAfterMs * 2 ** request.repeats);
      if (now - Math.max(request.sentAt, request.heardAt) < wait) continue;
      request.sentAt = now;
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
