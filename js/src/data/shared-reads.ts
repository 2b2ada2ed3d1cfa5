/** Shares concurrent reads of one key. An abort rejects only its caller; the last caller's abort stops the read. */
export class SharedReads<T> {
  #running = new Map<string, { result: Promise<T>; stop: AbortController; waiting: number }>();

  get size(): number {
    return this.#running.size;
  }

  run(key: string, signal: AbortSignal, read: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const shared = this.#running.get(key) ?? this.#start(key, read);
    shared.waiting++;
    return new Promise<T>((resolve, reject) => {
      let left = false;
      const leave = () => {
        if (left) return;
        left = true;
        signal.removeEventListener('abort', onAbort);
        shared.waiting--;
      };
      const onAbort = () => {
        leave();
        reject(signal.reason);
        if (shared.waiting === 0) {
          if (this.#running.get(key) === shared) this.#running.delete(key);
          shared.stop.abort(signal.reason);
        }
      };
      signal.addEventListener('abort', onAbort);
      shared.result.then(resolve, reject).finally(leave);
    });
  }

  #start(key: string, read: (signal: AbortSignal) => Promise<T>) {
    const stop = new AbortController();
    const shared = { result: read(stop.signal), stop, waiting: 0 };
    this.#running.set(key, shared);
    const forget = () => {
      if (this.#running.get(key) === shared) this.#running.delete(key);
    };
    shared.result.then(forget, forget);
    return shared;
  }
}
