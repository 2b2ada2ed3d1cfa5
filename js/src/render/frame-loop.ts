/** Outcome of an attempt to paint. */
export type Painted =
  /** A frame of the current state. */
  | 'drawn'
  /** A frame of a transition, after which more follow. */
  | 'in-transition'
  /** Nothing yet: the GPU is busy. */
  | 'busy'
  /** Nothing: there are no cells, no size or no context. */
  | 'impossible';

export interface FramePainter {
  paint(): Painted;
  /** Called when a full frame of the current state has been drawn. */
  onDrawn(): void;
  /** Wraps a function so that its errors are reported. */
  guarded(work: () => void): () => void;
}

/** A movement ends after this time without a call of `move`. */
const REST_AFTER_MS = 140;
/** Pending promises are served after this time even if the browser runs no animation frame. */
const FALLBACK_AFTER_MS = 400;

/** Schedules the frames of one canvas and resolves the promises that wait for them. */
export class FrameLoop {
  readonly #run: () => void;
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #frame = 0;
  #fallback: ReturnType<typeof setTimeout> | undefined;
  #restTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(painter: FramePainter) {
    this.#run = painter.guarded(() => this.#paint(painter));
  }

  /** Whether the camera is moving: only some of the cells are drawn until it rests. */
  get moving(): boolean {
    return this.#restTimer !== undefined;
  }

  /** Whether promises of `next` are pending. */
  get awaited(): boolean {
    return this.#waiting.length > 0;
  }

  request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#run);
    // Browsers run no animation frames for content out of view, but pending promises need one.
    if (this.awaited) this.#fallback ??= setTimeout(this.#run, FALLBACK_AFTER_MS);
  }

  /** Starts or prolongs a movement; a full frame follows when it ends. */
  move(): void {
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined;
      this.request();
    }, REST_AFTER_MS);
  }

  /** Resolves when a full frame of the current state is drawn; `atOnce` paints without waiting for the browser. */
  next({ atOnce }: { atOnce: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (atOnce) this.#run();
      else this.request();
    });
  }

  /** Rejects all promises of `next`. */
  reject(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  dispose(): void {
    clearTimeout(this.#restTimer);
    clearTimeout(this.#fallback);
    cancelAnimationFrame(this.#frame);
    this.reject(new DOMException('The viewer was closed.', 'AbortError'));
  }

  #paint({ paint, onDrawn }: FramePainter): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#fallback);
    this.#frame = 0;
    this.#fallback = undefined;
    const painted = paint();
    if (painted === 'busy' || painted === 'in-transition') this.request();
    else if (painted === 'impossible') {
      if (this.awaited) this.#fallback ??= setTimeout(this.#run, FALLBACK_AFTER_MS);
    } else if (!this.moving) {
      onDrawn();
      for (const { resolve } of this.#waiting.splice(0)) resolve();
    }
  }
}
