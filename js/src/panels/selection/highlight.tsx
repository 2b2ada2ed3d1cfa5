import type { JSX } from 'preact';
import { project } from '../../lib/camera';
import { usePanels } from '../context';

/** Draws a ring around the hovered cell, in both views. */
export function Highlight(): JSX.Element | null {
  const { model } = usePanels();
  const hover = model.hover.value;
  const view = model.view.value;
  const coords = model.positions.value?.coords;
  if (!hover || !view || !coords) return null;
  const [x, y] = project(
    view,
    coords[2 * hover.cell] ?? Number.NaN,
    coords[2 * hover.cell + 1] ?? Number.NaN,
  );
  if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
  return <div class="ks-highlight" style={{ left: `${x}px`, top: `${y}px` }} aria-hidden="true" />;
}
