import type { JSX } from 'preact';
import { project } from '../../lib/camera';
import { squareOnScreen } from '../../state/layout/squares';
import { usePanels, useView } from '../context';

/** CSS pixels: the smallest ring, and both of its borders. */
const SMALLEST = 14;
const BORDERS = 4;

/** Draws rings around the hovered and the pinned cell, in both views. */
export function Highlight(): JSX.Element {
  const { model } = usePanels();
  const hovered = model.hover.value?.cell;
  const pinned = model.pinned.value?.cell;
  return (
    <>
      {hovered !== undefined && hovered !== pinned && <Ring cell={hovered} />}
      {pinned !== undefined && <Ring cell={pinned} />}
    </>
  );
}

function Ring({ cell }: { cell: number }): JSX.Element | null {
  const { model } = usePanels();
  const pointSize = useView('pointSize');
  const view = model.view.value;
  const coords = model.positions.value?.coords;
  if (!view || !coords) return null;
  const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
  const square = squareOnScreen(model, view, pointSize);
  const size = Math.max(SMALLEST, square ? square.side + BORDERS : 0);
  return (
    <div
      class="ks-highlight"
      style={{
        left: `${x}px`,
        top: `${y}px`,
        width: `${size}px`,
        height: `${size}px`,
        transform: `translate(-50%, -50%) rotate(${square?.angle ?? 0}rad)`,
        borderRadius: square ? 0 : '50%',
      }}
      aria-hidden="true"
    />
  );
}
