import { effect } from '@preact/signals';
import type { Positions } from '../data/bundle';
import { project, type View } from '../lib/camera';
import type { Rgb } from '../lib/colour';
import { Disposer } from '../lib/disposer';
import { asError, GraphicsError } from '../lib/errors';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import { canvasSize, fitCanvas, groundOf, photographOf } from './canvas';
import { follow, paintWith, shownMask } from './follow';
import { imagePieces } from './image-pieces';
import { attachInput } from './input';
import { picker, pointSizer } from './picking';
import { type Frame, openContext, Renderer } from './renderer';
import { paintTiles } from './tissue-picture';

export interface Stage {
  /** Resolves when a full frame of the current state stands. */
  nextFrame(): Promise<void>;
  /** Position of a cell in CSS pixels of the page. */
  project(cell: number): { x: number; y: number } | null;
  /** GL objects alive */
  readonly liveObjects: number;
  /** The tissue as it is drawn, on the colour behind it, as PNG. */
  snapshot(): Promise<Blob>;
  /** Resolves when the card has drawn what it was asked for: who reads it then does not wait. */
  idle(): Promise<void>;
  /** Draws what is in view anew, with so many pixels per CSS pixel, and nothing behind it. */
  paintTissue(into: CanvasRenderingContext2D, x: number, y: number, scale: number): void;
  dispose(): void;
}

/** While the view moves, so many cells are drawn at most; all of them when it rests. */
const MOVING_BUDGET = 200_000;
const REST_AFTER_MS = 140;
const UNSEEN_AFTER_MS = 400;
/** A driver that was reset comes back within a second or two. */
const LOST_AFTER_MS = 3000;
/** From one layout to another. */
const PASSAGE_MS = 250;
const BLACK: Rgb = [0, 0, 0];

export function createStage(
  canvas: HTMLCanvasElement,
  model: Model,
  actions: Actions,
  onError: (error: Error) => void,
  { timed = false }: { timed?: boolean } = {},
): Stage {
  const disposer = new Disposer();
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let renderer: Renderer | null = null;
  let sizeOf: ReturnType<typeof pointSizer> | null = null;
  let frame = 0;
  let late: ReturnType<typeof setTimeout> | undefined;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let moving = false;
  let first = true;
  let ground: Rgb | null = null;
  const host = canvas.parentElement ?? canvas;
  const measure = () => actions.resize({ width: host.clientWidth, height: host.clientHeight });
  measure();
  // Sized before it has a context: each change after that lays out the card's memory anew, and waits for it.
  fitCanvas(canvas, model.viewport.value);
  const gl = openContext(canvas);
  const pick = picker(model);

  const fail = (thrown: unknown) => {
    const error = asError(thrown);
    for (const { reject } of waiting.splice(0)) reject(error);
    onError(error);
  };

  /** How the cells were looked at last, and since when they are on the way from there. */
  let lastView: View | null = null;
  let passage: { view: View; size: number; since: number } | null = null;
  const shareOf = () => {
    const t = passage ? Math.min(1, (performance.now() - passage.since) / PASSAGE_MS) : 1;
    return t * t * (3 - 2 * t);
  };

  const budget = () => (moving || passage ? MOVING_BUDGET : Number.MAX_SAFE_INTEGER);

  let warming: ReturnType<typeof setTimeout> | undefined;
  const warm = () => {
    warming = setTimeout(() => {
      if (renderer && (renderer.busy || renderer.warm())) warm();
    }, 60);
  };

  const frameOf = (cells: number): Frame | null => {
    const view = model.view.value;
    if (!renderer || !view || !sizeOf || gl.isContextLost()) return null;
    const state = model.state.value;
    lastView = view;
    const share = shareOf();
    const size = sizeOf(view, state.pointSize);
    // Asking for styles makes the browser lay out the page: only where the answer is drawn.
    if (shownMask(model)) ground ??= groundOf(canvas);
    return {
      view,
      ratio: window.devicePixelRatio || 1,
      pointSize: passage ? passage.size + (size - passage.size) * share : size,
      opacity: state.opacity,
      range: model.range.value,
      log: state.scale === 'log1p',
      dimZeros: state.dimZeros,
      imageBrightness: state.imageBrightness,
      imageContrast: state.imageContrast,
      imageOpacity: state.imageOn ? state.imageOpacity * share : 0,
      imagePieces: imagePieces(
        state.layout,
        model.bundle.value?.manifest.sections,
        model.titles.value,
        model.tissue.value?.origin,
      ),
      dark: model.dark.value,
      ground: ground ?? BLACK,
      budget: cells,
      passage: passage && { view: passage.view, share },
    };
  };

  /** What the card is yet to be given, by what it is. */
  const uploads = new Map<string, (to: Renderer) => void>();
  const upload = (what: string, work: (to: Renderer) => void) => {
    if (!renderer) return;
    uploads.set(what, work);
    request();
  };

  const give = (to: Renderer) => {
    for (const work of uploads.values()) guarded(work)(to);
    uploads.clear();
  };

  const draw = (cells: number): boolean => {
    const frame = frameOf(cells);
    if (!renderer || !frame) return false;
    fitCanvas(canvas, frame.view);
    give(renderer);
    renderer.draw(frame);
    return true;
  };

  const paint = () => {
    cancelAnimationFrame(frame);
    clearTimeout(late);
    frame = 0;
    late = undefined;
    const { width, height } = canvasSize(model.viewport.value);
    const resized = canvas.width !== width || canvas.height !== height;
    // Rather a frame later than a page that stands still until the card is done.
    if ((uploads.size > 0 || resized) && renderer?.busy) return request();
    if (!draw(budget()) || !renderer) {
      if (waiting.length === 0) return;
      // Out of sight no size is reported either: ask for it.
      measure();
      late = setTimeout(turn, UNSEEN_AFTER_MS);
      return;
    }
    if (first) {
      // Whoever opens a page waits for this one frame, and it is told when it stood.
      if (timed) {
        renderer.finish();
        performance.mark('karospace:first-frame');
      }
      first = false;
      warm();
    }
    if (passage) {
      if (shareOf() >= 1) arrive();
      return request();
    }
    if (moving) return;
    actions.frameDrawn();
    for (const { resolve } of waiting.splice(0)) resolve();
  };
  /** A card that refuses is told; who waits for the drawing is told, too. */
  const turn = () => guarded(paint)();
  const request = () => {
    if (frame === 0) frame = requestAnimationFrame(turn);
    // Browsers give no frames to what is scrolled out of sight; who waits for a drawing gets it all the same.
    if (waiting.length > 0) late ??= setTimeout(turn, UNSEEN_AFTER_MS);
  };

  const arrive = () => {
    passage = null;
    renderer?.arrived();
  };

  const move = () => {
    const cells = (model.positions.value?.coords.length ?? 0) / 2;
    if (cells > MOVING_BUDGET) {
      moving = true;
      clearTimeout(rest);
      rest = setTimeout(() => {
        moving = false;
        request();
      }, REST_AFTER_MS);
    }
    request();
  };

  const build = () => {
    const positions = model.positions.value;
    if (!positions) return;
    uploads.clear();
    renderer = new Renderer(gl, positions);
    renderer.setLayer(model.layer.value, model.dark.value);
    renderer.setRamp(model.colormap.value, model.state.value.reversed);
    paintWith(model, renderer);
    renderer.setImage(model.image.value);
    renderer.setSelected(shownMask(model));
    request();
  };

  const guarded =
    <T extends unknown[]>(work: (...given: T) => void) =>
    (...given: T) => {
      try {
        work(...given);
      } catch (thrown) {
        // A lost context gives out nothing; all of it is built anew when it comes back.
        if (!gl.isContextLost()) fail(thrown);
      }
    };

  const place = (positions: Positions | null) => {
    const sizeBefore = lastView && sizeOf?.(lastView, model.state.value.pointSize);
    sizeOf = positions ? pointSizer(positions) : null;
    if (positions && renderer && renderer.cells === positions.coords.length / 2) {
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden;
      const from = lastView;
      passage =
        from && sizeBefore && !first && !still
          ? { view: from, size: sizeBefore, since: performance.now() }
          : null;
      return upload('positions', (to) => {
        if (passage) passage.since = performance.now();
        to.move(positions, passage !== null);
      });
    }
    renderer?.dispose();
    renderer = null;
    passage = null;
    if (positions) build();
  };
  follow(model, { guarded, place, upload, request, moved: move }, disposer);
  disposer.add(
    effect(() => {
      void model.dark.value;
      ground = null;
    }),
  );
  disposer.add(
    effect(() => {
      canvas.dataset.tool = model.tool.value;
    }),
  );

  const lost = new GraphicsError('the system took its graphics away and has not given them back');
  let missed: ReturnType<typeof setTimeout> | undefined;
  disposer.listen(canvas, 'webglcontextlost', (event) => {
    event.preventDefault();
    renderer?.dispose();
    renderer = null;
    missed = setTimeout(() => actions.notify(lost), LOST_AFTER_MS);
  });
  disposer.listen(
    canvas,
    'webglcontextrestored',
    guarded(() => {
      clearTimeout(missed);
      actions.dismiss(lost);
      build();
    }),
  );

  const observer = new ResizeObserver(measure);
  observer.observe(host);
  disposer.add(() => observer.disconnect());
  // A move to a screen of another density changes no size.
  disposer.listen(window, 'resize', request);

  attachInput(
    canvas,
    model,
    actions,
    {
      pick(px, py) {
        const view = model.view.value;
        return view && sizeOf ? pick.at(px, py, sizeOf(view, model.state.value.pointSize)) : -1;
      },
      inside: pick.inside,
      prepare: pick.prepare,
    },
    disposer,
  );

  return {
    nextFrame() {
      return new Promise((resolve, reject) => {
        if (disposer.disposed) return reject(new DOMException('The viewer was closed.', 'AbortError'));
        waiting.push({ resolve, reject });
        // While a page opens, the screen's next turn can be far.
        if (first && renderer) turn();
        else request();
      });
    },
    project(cell) {
      const positions = model.positions.value;
      const view = model.view.value;
      if (!positions || !view || cell < 0 || cell * 2 >= positions.coords.length) return null;
      const box = canvas.getBoundingClientRect();
      const x = positions.coords[cell * 2] ?? Number.NaN;
      const y = positions.coords[cell * 2 + 1] ?? Number.NaN;
      const [px, py] = project(view, x, y);
      return { x: box.left + px, y: box.top + py };
    },
    get liveObjects() {
      return renderer?.live ?? 0;
    },
    async idle() {
      while (renderer?.busy) await later();
    },
    async snapshot() {
      // Drawn and read in one task: afterwards the browser may have cleared what was drawn.
      if (!draw(Number.MAX_SAFE_INTEGER))
        throw new GraphicsError('there is nothing drawn to take a picture of');
      return photographOf(canvas);
    },
    paintTissue(into, x, y, scale) {
      arrive();
      const frame = frameOf(Number.MAX_SAFE_INTEGER);
      if (!renderer || !frame) throw new GraphicsError('there is nothing drawn to take a picture of');
      give(renderer);
      try {
        paintTiles(gl, renderer, frame, { into, x, y, scale });
      } finally {
        // Nobody sees the tiles: the screen gets what the canvas holds when the task ends.
        draw(budget());
      }
    },
    dispose() {
      disposer.dispose();
      clearTimeout(rest);
      clearTimeout(warming);
      clearTimeout(late);
      clearTimeout(missed);
      cancelAnimationFrame(frame);
      renderer?.dispose();
      const closed = new DOMException('The viewer was closed.', 'AbortError');
      for (const { reject } of waiting.splice(0)) reject(closed);
      void giveBack(gl);
    },
  };
}

const POLL_MS = 8;
/** A card that answers sooner has nothing else to do. */
const AT_ONCE_MS = 24;
/** One that has not answered by then will not. */
const PATIENCE_MS = 5000;
const later = () => new Promise<void>((resolve) => setTimeout(resolve, POLL_MS));

/** Browsers keep few contexts alive: gives this one back. While the card draws, here or elsewhere, the page would wait. */
async function giveBack(gl: WebGL2RenderingContext): Promise<void> {
  const since = performance.now();
  const answer = async () => {
    const asked = performance.now();
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    const waits = () => !gl.isContextLost() && performance.now() - since < PATIENCE_MS;
    while (fence && waits() && gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED) await later();
    gl.deleteSync(fence);
    return performance.now() - asked;
  };
  while ((await answer()) > AT_ONCE_MS && performance.now() - since < PATIENCE_MS) await later();
  gl.getExtension('WEBGL_lose_context')?.loseContext();
}
