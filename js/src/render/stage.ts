import { effect } from '@preact/signals';
import type { Positions } from '../data/bundle';
import { project, type View } from '../lib/camera';
import type { Rgb } from '../lib/color';
import { Disposer } from '../lib/disposer';
import { asError, GraphicsError } from '../lib/errors';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import { canvasSize, fitCanvas, groundOf, photographOf } from './canvas';
import { follow, paintWith, shownMask } from './change-tracking';
import { imagePieces } from './image-pieces';
import { attachInput } from './input';
import { picker, pointSizer } from './picking';
import { type Frame, openContext, Renderer } from './renderer';
import { paintTiles } from './tissue-picture';

export interface Stage {
  /** Resolves when a full frame of the current state is drawn. */
  nextFrame(): Promise<void>;
  /** Position of a cell in CSS pixels of the page. */
  project(cell: number): { x: number; y: number } | null;
  /** Number of live GL objects */
  readonly liveObjects: number;
  /** The tissue as drawn now, on its background color, as PNG. */
  snapshot(): Promise<Blob>;
  /** Resolves when the GPU has finished drawing, so that reading pixels does not block. */
  idle(): Promise<void>;
  /** Redraws the view at `scale` pixels per CSS pixel, without a background. */
  paintTissue(into: CanvasRenderingContext2D, x: number, y: number, scale: number): void;
  dispose(): void;
}

/** Maximum number of cells to draw while the view moves; all are drawn when it rests. */
const MOVING_BUDGET = 200_000;
const REST_AFTER_MS = 140;
const UNSEEN_AFTER_MS = 400;
/** A lost context is reported after this time: a driver that was reset recovers within two seconds. */
const LOST_AFTER_MS = 3000;
/** Duration of the transition between layouts. */
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
  // Resize before creating the context: later changes reallocate GPU memory and block.
  fitCanvas(canvas, model.viewport.value);
  const gl = openContext(canvas);
  const pick = picker(model);

  const fail = (thrown: unknown) => {
    const error = asError(thrown);
    for (const { reject } of waiting.splice(0)) reject(error);
    onError(error);
  };

  /** The view of the last frame, and the transition in progress from an earlier one. */
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
    // Reading styles forces a layout of the page: only if the color is needed.
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

  /** Pending uploads to the GPU, by name. */
  const uploads = new Map<string, (to: Renderer) => void>();
  const upload = (what: string, work: (to: Renderer) => void) => {
    if (!renderer) return;
    uploads.set(what, work);
    request();
  };

  const runUploads = (to: Renderer) => {
    for (const work of uploads.values()) guarded(work)(to);
    uploads.clear();
  };

  const draw = (cells: number): boolean => {
    const frame = frameOf(cells);
    if (!renderer || !frame) return false;
    fitCanvas(canvas, frame.view);
    runUploads(renderer);
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
    // Delay the frame instead of blocking the page until the GPU is done.
    if ((uploads.size > 0 || resized) && renderer?.busy) return request();
    if (!draw(budget()) || !renderer) {
      if (waiting.length === 0) return;
      // Without a frame there may be no size either: browsers report none for elements out of view.
      measure();
      late = setTimeout(turn, UNSEEN_AFTER_MS);
      return;
    }
    if (first) {
      // Record when the first frame is actually drawn.
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
  /** Paints; errors are reported and reject pending `nextFrame` promises. */
  const turn = () => guarded(paint)();
  const request = () => {
    if (frame === 0) frame = requestAnimationFrame(turn);
    // Browsers run no animation frames for content out of view; pending `nextFrame` promises still need one.
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
        // Errors of a lost context are expected; everything is rebuilt when it is restored.
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

  const lost = new GraphicsError('the WebGL context was lost and has not been restored');
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
  // Moving to a screen with another pixel density changes no element size.
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
        // While a page loads, the next animation frame can be far off.
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
      // Draw and read in one task: afterwards the browser may clear the canvas.
      if (!draw(Number.MAX_SAFE_INTEGER))
        throw new GraphicsError('the tissue is not drawn, so there is no picture of it');
      return photographOf(canvas);
    },
    paintTissue(into, x, y, scale) {
      arrive();
      const frame = frameOf(Number.MAX_SAFE_INTEGER);
      if (!renderer || !frame)
        throw new GraphicsError('the tissue is not drawn, so there is no picture of it');
      runUploads(renderer);
      try {
        paintTiles(gl, renderer, frame, { into, x, y, scale });
      } finally {
        // The tiles never appear on screen: only the state of the canvas at the end of the task does.
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
      void releaseContext(gl);
    },
  };
}

const POLL_MS = 8;
/** A GPU that answers within this time is idle. */
const AT_ONCE_MS = 24;
/** Maximum time to wait for the GPU. */
const PATIENCE_MS = 5000;
const later = () => new Promise<void>((resolve) => setTimeout(resolve, POLL_MS));

/** Releases the context, of which browsers allow only a few, once the GPU is idle: before, it would block the page. */
async function releaseContext(gl: WebGL2RenderingContext): Promise<void> {
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
