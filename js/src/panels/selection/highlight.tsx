import type { JSX } from 'preact';
import { project } from '../../lib/camera';
import { usePanels } from '../context';

/** Draws rings around the hovered and the pinned cell, in both views. */
export function Highlight(): JSX.Element {
  const { model } = usePanels();
  const hovered = model.hover.value?.cell;
  const pinned = model.pinned.value?.cell;
  return (
    <>
      {hovered !== undefined && hovered !== pinned && <Ring cell={hovered} />}
      {pinned !== undefined && <Ring cell={pinned} pinned />}
    </>
  );
}

function Ring({ cell, pinned = false }: { cell: number; pinned?: boolean }): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const coords = model.positions.value?.coords;
  if (!view || !coords) return null;
  const [x, y] = project(view, coords[2 * cell] ?? Number.NaN, coords[2 * cell + 1] ?? Number.NaN);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
  return (
    <div
      class={`ks-highlight${pinned ? ' ks-pinned' : ''}`}
      style={{ left: `${x}px`, top: `${y}px` }}
      aria-hidden="true"
    />
  );
}
