import type { Disposer } from '../lib/disposer';
import type { Actions } from '../state/actions';

const CLICK_ZOOM = 2;

/** Mouse, touch and pen on the canvas. */
export function attachInput(
  canvas: HTMLCanvasElement,
  actions: Actions,
  pick: (px: number, py: number) => number,
  disposer: Disposer,
): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let hoverFrame = 0;

  const at = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const hoverAt = (x: number, y: number) => {
    cancelAnimationFrame(hoverFrame);
    hoverFrame = requestAnimationFrame(() => {
      const cell = pick(x, y);
      actions.hover(cell < 0 ? null : { cell, x, y });
    });
  };
  disposer.add(() => cancelAnimationFrame(hoverFrame));

  disposer.listen<PointerEvent>(canvas, 'pointerdown', (event) => {
    if (event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
  });

  disposer.listen<PointerEvent>(canvas, 'pointermove', (event) => {
    const now = at(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== 'touch') hoverAt(now.x, now.y);
      return;
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (Math.hypot(now.x - before.x, now.y - before.y) > 0) actions.hover(null);
    if (!other) {
      actions.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const distance = (point: { x: number; y: number }) => Math.hypot(point.x - other.x, point.y - other.y);
    actions.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (distance(before) > 0) actions.zoom(distance(now) / distance(before), middle);
  });

  const release = (event: PointerEvent) => {
    pointers.delete(event.pointerId);
    if (event.type === 'pointerup') {
      const { x, y } = at(event);
      hoverAt(x, y);
    }
  };
  disposer.listen<PointerEvent>(canvas, 'pointerup', release);
  disposer.listen<PointerEvent>(canvas, 'pointercancel', release);
  disposer.listen<PointerEvent>(canvas, 'pointerleave', () => {
    cancelAnimationFrame(hoverFrame);
    actions.hover(null);
  });

  disposer.listen<WheelEvent>(
    canvas,
    'wheel',
    (event) => {
      event.preventDefault();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      // A pinch on a trackpad comes as a wheel with ctrl held, in small steps.
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      actions.hover(null);
      actions.zoom(Math.exp(-event.deltaY * unit * speed), at(event));
    },
    { passive: false },
  );
  disposer.listen<MouseEvent>(canvas, 'dblclick', (event) => {
    actions.zoom(event.shiftKey ? 1 / CLICK_ZOOM : CLICK_ZOOM, at(event));
  });
}
