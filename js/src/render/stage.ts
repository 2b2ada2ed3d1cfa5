import { effect } from '@preact/signals';
import type { Positions } from '../data/bundle';
import { project, unproject, type View } from '../lib/camera';
import type { Rgb } from '../lib/color';
import { Disposer } from '../lib/disposer';
import { asError, GraphicsError } from '../lib/errors';
import type { Actions } from '../state/actions';
import { visibleTest } from '../state/color/layer';
import { squareAngle } from '../state/layout/squares';
import type { Model } from '../state/model';
import { canvasSize, fitCanvas, groundOf, photographOf } from './canvas';
import { follow, paintWith, shownMask } from './change-tracking';
import { followContext, later, openContext, releaseContext } from './context';
import { edgesOf } from './edges';
import { FrameLoop, type Painted } from './frame-loop';
import { imagePieces } from './image-pieces';
import { attachInput } from './input';
import { picker, pointSizer } from './picking';
import { type Frame, Renderer } from './renderer';
import { paintTiles } from './tissue-picture';
import { Transition } from './transition';

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
/** Minimum diameter of a cell at which edges are drawn, in CSS pixels. */
const MIN_SIZE = 4;
const WARM_EVERY_MS = 60;
const BLACK: Rgb = [0, 0, 0];

export function createStage(
  canvas: HTMLCanvasElement,
  model: Model,
  actions: Actions,
  onError: (error: Error) => void,
  { timed = false }: { timed?: boolean } = {},
): Stage {
  const disposer = new Disposer();
  let renderer: Renderer | null = null;
  let sizeOf: ReturnType<typeof pointSizer> | null = null;
  /** Until the first frame is drawn. */
  let first = true;
  let ground: Rgb | null = null;
  let lastView: View | null = null;
  const transition = new Transition();
  const host = canvas.parentElement ?? canvas;
  const measure = () => actions.resize({ width: host.clientWidth, height: host.clientHeight });
  measure();
  // Resize before creating the context: later changes reallocate GPU memory and block.
  fitCanvas(canvas, model.viewport.value);
  const gl = openContext(canvas);
  const pick = picker(model);

  const guarded =
    <T extends unknown[]>(work: (...args: T) => void) =>
    (...args: T) => {
      try {
        work(...args);
      } catch (thrown) {
        // Errors of a lost context are expected; everything is rebuilt when it is restored.
        if (gl.isContextLost()) return;
        const error = asError(thrown);
        loop.reject(error);
        onError(error);
      }
    };

  const frameOf = (budget: number): Frame | null => {
    const view = model.view.value;
    if (!renderer || !view || !sizeOf || gl.isContextLost()) return null;
    const state = model.state.value;
    lastView = view;
    // Reading styles forces a layout of the page: only if the color is needed.
    if (shownMask(model)) ground ??= groundOf(canvas);
    const { share, pointSize, passage } = transition.frame(sizeOf(view, state.pointSize));
    const edges = passage ? null : edgesIn(view, renderer.center);
    if (!passage) model.edgesOmitted.value = model.graph.value !== null && !edges;
    return {
      view,
      ratio: window.devicePixelRatio || 1,
      pointSize,
      squares: squareAngle(model),
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
      edges,
      dark: model.dark.value,
      ground: ground ?? BLACK,
      budget,
      passage,
    };
  };

  let lastEdges: { of: readonly unknown[]; edges: Float32Array | null } | null = null;
  /** Returns the visible edges; null while the view is not zoomed in enough. */
  const edgesIn = (view: View, center: readonly [number, number]): Float32Array | null => {
    const graph = model.graph.value;
    const positions = model.positions.value;
    if (!graph || !positions || !sizeOf || sizeOf(view, 1) < MIN_SIZE) return null;
    const of = [view, graph, positions, model.layer.value, model.state.value.hidden];
    if (!lastEdges || of.some((part, i) => part !== lastEdges?.of[i])) {
      const { width, height } = view;
      const corners = [0, 0, width, 0, width, height, 0, height];
      const points = [0, 2, 4, 6].flatMap((i) => [...unproject(view, corners[i] ?? 0, corners[i + 1] ?? 0)]);
      const cells = pick.inside({ kind: 'lasso', mode: 'replace', points });
      const accepts = visibleTest(model.layer.value, model.state.value);
      lastEdges = { of, edges: edgesOf(graph, positions.coords, cells, accepts, center) };
    }
    return lastEdges.edges;
  };

  /** Pending uploads to the GPU, by name. */
  const uploads = new Map<string, (to: Renderer) => void>();
  const upload = (what: string, work: (to: Renderer) => void) => {
    if (!renderer) return;
    uploads.set(what, work);
    loop.request();
  };
  const runUploads = (to: Renderer) => {
    for (const work of uploads.values()) guarded(work)(to);
    uploads.clear();
  };

  const budget = () => (loop.moving || transition.active ? MOVING_BUDGET : Number.MAX_SAFE_INTEGER);
  /** Returns whether a frame could be drawn. */
  const draw = (cells: number): boolean => {
    const frame = frameOf(cells);
    if (!renderer || !frame) return false;
    fitCanvas(canvas, frame.view);
    runUploads(renderer);
    renderer.draw(frame);
    return true;
  };

  const endTransition = () => {
    transition.end();
    renderer?.arrived();
  };

  /** Prepares the programs of later frames, one at a time. */
  let warming: ReturnType<typeof setTimeout> | undefined;
  const warm = () => {
    const next = guarded(() => {
      if (renderer && (renderer.busy || renderer.warm())) warm();
    });
    warming = setTimeout(next, WARM_EVERY_MS);
  };
  disposer.add(() => clearTimeout(warming));

  const paint = (): Painted => {
    const { width, height } = canvasSize(model.viewport.value);
    const resized = canvas.width !== width || canvas.height !== height;
    // Delay the frame instead of blocking the page until the GPU is done.
    if ((uploads.size > 0 || resized) && renderer?.busy) return 'busy';
    if (!draw(budget()) || !renderer) {
      // There may be no size either: browsers report none for elements out of view.
      if (loop.awaited) measure();
      return 'impossible';
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
    if (!transition.active) return 'drawn';
    if (transition.share >= 1) endTransition();
    return 'in-transition';
  };
  const loop = new FrameLoop({ paint, onDrawn: actions.frameDrawn, guarded });

  const onCameraMoved = () => {
    const cells = (model.positions.value?.coords.length ?? 0) / 2;
    if (cells > MOVING_BUDGET) loop.move();
    loop.request();
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
    loop.request();
  };

  const discard = () => {
    renderer?.dispose();
    renderer = null;
  };

  const place = (positions: Positions | null) => {
    const sizeBefore = lastView && sizeOf?.(lastView, model.state.value.pointSize);
    sizeOf = positions ? pointSizer(positions) : null;
    transition.end();
    if (positions && renderer && renderer.cells === positions.coords.length / 2) {
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden;
      if (lastView && sizeBefore && !first && !still) transition.start(lastView, sizeBefore);
      return upload('positions', (to) => {
        transition.restart();
        to.move(positions, transition.active);
      });
    }
    discard();
    if (positions) build();
  };
  follow(model, { guarded, place, upload, request: () => loop.request(), moved: onCameraMoved }, disposer);
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
  followContext(canvas, actions, { onLost: discard, onRestored: guarded(build) }, disposer);

  const observer = new ResizeObserver(measure);
  observer.observe(host);
  disposer.add(() => observer.disconnect());
  // Moving to a screen with another pixel density changes no element size.
  disposer.listen(window, 'resize', () => loop.request());

  attachInput(
    canvas,
    model,
    actions,
    {
      pick(px, py) {
        const view = model.view.value;
        return view && sizeOf ? pick.at(px, py, sizeOf(view, model.state.value.pointSize)) : -1;
      },
      nearest: (px, py) => pick.at(px, py, Number.MAX_SAFE_INTEGER),
      inside: pick.inside,
      prepare: pick.prepare,
    },
    disposer,
  );

  return {
    nextFrame() {
      if (disposer.disposed) return Promise.reject(new DOMException('The viewer was closed.', 'AbortError'));
      // While a page loads, the next animation frame can be far off.
      return loop.next({ atOnce: first && renderer !== null });
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
      endTransition();
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
      loop.dispose();
      renderer?.dispose();
      void releaseContext(gl);
    },
  };
}
