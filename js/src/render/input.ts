import { effect, untracked } from '@preact/signals';
import { unproject } from '../lib/camera';
import type { Disposer } from '../lib/disposer';
import type { Actions } from '../state/actions';
import type { Model } from '../state/model';
import type { Pinned } from '../state/pointer';
import { type Draft, modeOf } from '../state/selection/selection';
import { beginDrawing, type Drawing, type Point } from './drawing';

const CLICK_ZOOM = 2;
/** A touch that moves farther than this, in CSS pixels, is not a tap. */
const TAP = 6;
/** A mouse press that moves farther than this, in CSS pixels, is not a click. */
const CLICK = 4;

export interface InputAnswers {
  /** The cell under a pixel, or -1. */
  pick(px: number, py: number): number;
  /** The visible cell that is nearest to a pixel, however far it is, or -1. */
  nearest(px: number, py: number): number;
  inside(draft: Draft): Uint32Array;
  /** Called when drawing starts. */
  prepare(): void;
}

/** Handles mouse, touch and pen input on the canvas. */
export function attachInput(
  canvas: HTMLCanvasElement,
  model: Model,
  actions: Actions,
  answers: InputAnswers,
  disposer: Disposer,
): void {
  const pointers = new Map<number, Point>();
  let drawing: { id: number; line: Drawing; zooms: boolean } | null = null;
  let spaceDown = false;
  /** Start of a single touch, while it may still be a tap. */
  let tap: Point | null = null;
  let tapped = false;
  /** Start of a press that may still be a click. */
  let press: Point | null = null;
  /** What was pinned before each of the last two clicks, which may be a double click. */
  let earlier: readonly [Pinned | null, Pinned | null] = [null, null];
  let hoverFrame = 0;
  /** Position of the mouse on the tissue. */
  let resting: Point | null = null;

  const at = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const hoverAt = (x: number, y: number) => {
    cancelAnimationFrame(hoverFrame);
    hoverFrame = requestAnimationFrame(() => {
      const view = model.view.value;
      actions.point(view && unproject(view, x, y));
      const cell = answers.pick(x, y);
      actions.hover(cell < 0 ? null : { cell, x, y });
    });
  };
  const clickAt = ({ x, y }: Point) => {
    earlier = [earlier[1], model.pinned.value];
    const cell = answers.pick(x, y);
    actions.pin(cell < 0 ? null : { cell });
  };
  disposer.add(() => cancelAnimationFrame(hoverFrame));
  disposer.add(
    effect(() => {
      const view = model.view.value;
      untracked(() => {
        // The view moved: the cell under the pointer is unknown until the next pointermove.
        if (model.hover.value) actions.hover(null);
        // A tap leaves no pointer behind.
        if (tapped) actions.point(null);
        else if (resting && view) actions.point(unproject(view, resting.x, resting.y));
        tapped = false;
      });
    }),
  );

  disposer.listen<PointerEvent>(canvas, 'pointerdown', (event) => {
    if (event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    // A second finger starts a pinch zoom and cancels drawing.
    if (pointers.size > 0) drawing?.line.cancel();
    pointers.set(event.pointerId, at(event));
    press = event.button === 0 && pointers.size === 1 ? at(event) : null;
    tap = event.pointerType === 'touch' && pointers.size === 1 ? at(event) : null;
    const tool = model.tool.value;
    if (tool === 'move' || spaceDown || event.button !== 0 || pointers.size > 1) return;
    cancelAnimationFrame(hoverFrame);
    actions.hover(null);
    const zooms = tool === 'zoom';
    const line = zooms
      ? beginDrawing(model, actions, 'rect', 'replace', at(event))
      : beginDrawing(model, actions, tool, modeOf(event, model.mode.value), at(event));
    drawing = { id: event.pointerId, line, zooms };
    if (!zooms) setTimeout(answers.prepare);
  });
  // Prevents autoscrolling with the middle button.
  disposer.listen<MouseEvent>(canvas, 'mousedown', (event) => {
    if (event.button === 1) event.preventDefault();
  });

  disposer.listen<PointerEvent>(canvas, 'pointermove', (event) => {
    const now = at(event);
    const before = pointers.get(event.pointerId);
    if (event.pointerType !== 'touch') resting = now;
    if (!before) {
      if (event.pointerType !== 'touch') hoverAt(now.x, now.y);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (drawing && !other) {
      if (drawing.id !== event.pointerId || !drawing.line.alive) return;
      const passed = event.getCoalescedEvents();
      for (const step of passed.length > 0 ? passed : [event]) drawing.line.to(at(step));
      return;
    }
    if (Math.hypot(now.x - before.x, now.y - before.y) > 0) actions.hover(null);
    if (press && Math.hypot(now.x - press.x, now.y - press.y) > (tap ? TAP : CLICK)) press = null;
    if (tap && Math.hypot(now.x - tap.x, now.y - tap.y) > TAP) tap = null;
    if (!other) {
      actions.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const distance = (point: Point) => Math.hypot(point.x - other.x, point.y - other.y);
    actions.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (distance(before) > 0) actions.zoom(distance(now) / distance(before), middle);
  });

  const release = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    if (drawing?.id === event.pointerId) {
      const { line, zooms } = drawing;
      drawing = null;
      if (!line.alive) return;
      if (event.type !== 'pointerup') return line.cancel();
      line.to(at(event));
      const draft = line.done();
      if (draft && zooms) actions.zoomTo(draft.points);
      else if (draft) actions.select(answers.inside(draft), draft.mode, draft.points);
      else if (!zooms) actions.pin(null);
      else actions.zoom(event.shiftKey || event.altKey ? 1 / CLICK_ZOOM : CLICK_ZOOM, at(event));
      return;
    }
    if (event.type === 'pointerup' && (tap || event.pointerType !== 'touch')) {
      const { x, y } = tap ?? at(event);
      tapped = tap !== null;
      if (press) clickAt({ x, y });
      hoverAt(x, y);
    }
  };
  disposer.listen<PointerEvent>(canvas, 'pointerup', release);
  disposer.listen<PointerEvent>(canvas, 'pointercancel', release);
  disposer.listen<PointerEvent>(canvas, 'pointerleave', (event) => {
    // A touch leaves when lifted: keep the tooltip of the tapped cell.
    if (event.pointerType === 'touch') return;
    resting = null;
    cancelAnimationFrame(hoverFrame);
    actions.point(null);
    actions.hover(null);
  });

  disposer.listen<WheelEvent>(
    canvas,
    'wheel',
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      // A trackpad pinch is reported as wheel events with ctrlKey, in small steps.
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      actions.hover(null);
      actions.zoom(Math.exp(-event.deltaY * unit * speed), at(event));
    },
    { passive: false },
  );
  disposer.listen<MouseEvent>(canvas, 'dblclick', (event) => {
    if (model.tool.value !== 'move') return;
    // The two clicks were meant to zoom: restore what was pinned before them.
    actions.pin(earlier[0]);
    actions.zoom(event.shiftKey ? 1 / CLICK_ZOOM : CLICK_ZOOM, at(event));
  });

  disposer.listen<KeyboardEvent>(canvas, 'keydown', (event) => {
    const view = model.view.value;
    if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || event.altKey || !view) return;
    event.preventDefault();
    const cell = answers.nearest(view.width / 2, view.height / 2);
    if (cell >= 0) actions.pin({ cell, byKey: true });
  });

  const setSpace = (down: boolean) => {
    spaceDown = down;
    canvas.toggleAttribute('data-space', down);
  };
  disposer.listen<KeyboardEvent>(window, 'keydown', (event) => {
    if (event.key !== ' ') return;
    // On the tissue, in either view, Space enables panning and must not scroll the surrounding page.
    const onTissue = event.target instanceof Element && event.target.matches('.ks-canvas');
    if (onTissue) event.preventDefault();
    if (onTissue || event.target === document.body) setSpace(true);
  });
  disposer.listen<KeyboardEvent>(window, 'keyup', (event) => {
    if (event.key === ' ') setSpace(false);
  });
  disposer.listen(window, 'blur', () => setSpace(false));
}
