import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { project, unproject, type View } from '../../lib/camera';
import { cameraAt, ZERO } from '../../lib/origin';
import { cellColor } from '../../state/color/cell-color';
import type { Model } from '../../state/model';
import { usePanels } from '../context';

/** The minimap is shown from this zoom on, when much of the tissue is out of view. */
const FROM_ZOOM = 2.5;
/** CSS pixels */
const LONGEST = 148;
const SHORTEST = 24;
const MIN_STAGE = { width: 480, height: 400 };
/** More cells would not be distinguishable at this size. */
const MAX_CELLS = 24_000;
const DOT = 1.5;

type Axes = View['axes'];

/** A view that fits all cells into the minimap, with the orientation of the tissue. */
function wholeView(model: Model, axes: Axes): View | null {
  const extent = model.positions.value?.extent;
  if (!extent) return null;
  const [across, along] = [extent[2] - extent[0], extent[3] - extent[1]];
  const [dx, dy] = axes[0] === 0 ? [along, across] : [across, along];
  const scale = LONGEST / (Math.max(dx, dy) || 1);
  return {
    x: (extent[0] + extent[2]) / 2,
    y: (extent[1] + extent[3]) / 2,
    scale,
    axes,
    width: Math.max(SHORTEST, Math.round(dx * scale)),
    height: Math.max(SHORTEST, Math.round(dy * scale)),
  };
}

function paint(
  canvas: HTMLCanvasElement,
  view: View,
  coords: Float32Array,
  colorOf: ReturnType<typeof cellColor>,
) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  const flat = canvas.getContext('2d');
  if (!flat) return;
  const size = Math.max(1, Math.round(DOT * ratio));
  const step = Math.max(1, Math.ceil(coords.length / 2 / MAX_CELLS));
  for (let cell = 0; cell * 2 < coords.length; cell += step) {
    const color = colorOf(cell);
    const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
    if (!color || !Number.isFinite(x) || !Number.isFinite(y)) continue;
    flat.fillStyle = `rgb(${color[0] | 0} ${color[1] | 0} ${color[2] | 0})`;
    flat.fillRect(Math.round(x * ratio - size / 2), Math.round(y * ratio - size / 2), size, size);
  }
}

/** Minimum side of the box that marks the view, in CSS pixels: visible at any zoom. */
const MIN_BOX = 9;

/** Shows the position of the view within the tissue when zoomed in; a press moves the view. */
export function Minimap(): JSX.Element | null {
  const { model } = usePanels();
  const { width, height } = model.viewport.value;
  const zoom = model.state.value.camera?.zoom ?? 1;
  const roomy = width >= MIN_STAGE.width && height >= MIN_STAGE.height;
  return roomy && zoom >= FROM_ZOOM && model.view.value && model.positions.value ? <Shown /> : null;
}

function Shown(): JSX.Element | null {
  const { model, actions } = usePanels();
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = model.view.value;
  const positions = model.positions.value;
  const axes = view?.axes;
  // Compared by value: every camera movement creates a new array.
  const axesKey = axes?.join();
  const whole = useMemo(() => axes && wholeView(model, axes), [model, positions, axesKey]);
  const layer = model.layer.value;
  const look = model.paint.value;
  const scale = model.scale.value;
  const dark = model.dark.value;
  useLayoutEffect(() => {
    if (canvas.current && whole && positions)
      paint(canvas.current, whole, positions.coords, cellColor(layer, { paint: look, scale, dark }));
  }, [whole, positions, layer, look, scale, dark]);
  if (!view || !whole) return null;
  const corners = [unproject(view, 0, 0), unproject(view, view.width, view.height)] as const;
  const [start, end] = corners.map(([x, y]) => project(whole, x, y)) as [[number, number], [number, number]];
  const clip = (at: number, most: number) => Math.min(most, Math.max(0, at));
  const left = clip(start[0], whole.width);
  const top = clip(start[1], whole.height);
  const right = clip(end[0], whole.width);
  const bottom = clip(end[1], whole.height);
  const go = (event: PointerEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    const { camera } = model.state.value;
    if (!box || !camera) return;
    const [x, y] = unproject(whole, event.clientX - box.left, event.clientY - box.top);
    actions.setCamera(cameraAt(positions?.origin ?? ZERO, { ...camera, x, y }));
  };
  return (
    // Hidden from assistive technology: the keys that pan the tissue do the same.
    <div
      class="ks-card ks-minimap"
      aria-hidden="true"
      title="Overview of all cells; click or drag to move the view"
    >
      <canvas
        ref={canvas}
        style={{ width: `${whole.width}px`, height: `${whole.height}px` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) go(event);
        }}
      />
      <span
        style={{
          left: `${Math.min(left, (left + right - MIN_BOX) / 2)}px`,
          top: `${Math.min(top, (top + bottom - MIN_BOX) / 2)}px`,
          width: `${Math.max(MIN_BOX, right - left)}px`,
          height: `${Math.max(MIN_BOX, bottom - top)}px`,
        }}
      />
    </div>
  );
}
