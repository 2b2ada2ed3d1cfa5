/** Owns resources that must be released: listeners, GL objects, effects. Releases them once, in reverse order. */
export class Disposer {
  #releases: (() => void)[] = [];
  #done = false;

  add(release: () => void): void {
    if (this.#done) release();
    else this.#releases.push(release);
  }

  listen<E extends Event>(
    target: EventTarget,
    type: string,
    handler: (event: E) => void,
    options?: AddEventListenerOptions,
  ): void {
    const listener = handler as (event: Event) => void;
    target.addEventListener(type, listener, options);
    this.add(() => target.removeEventListener(type, listener, options));
  }

  get disposed(): boolean {
    return this.#done;
  }

  dispose(): void {
    if (this.#done) return;
    this.#done = true;
    for (const release of this.#releases.reverse()) release();
    this.#releases = [];
  }
}
