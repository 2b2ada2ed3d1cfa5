import type { JSX } from 'preact';
import { neighborsOf } from '../../data/neighbors';
import { project } from '../../lib/camera';
import { visibleTest } from '../../state/color/layer';
import { squareOnScreen } from '../../state/layout/squares';
import { usePanels, useView } from '../context';

/** CSS pixels: the smallest ring, and both of its borders. */
const SMALLEST = 14;
const BORDERS = 4;
/** Maximum number of lines; cells in tissue have fewer neighbors. */
const MAX_LINES = 200;

/** Draws rings around the hovered and the pinned cell, in both views. */
export function Highlight(): JSX.Element {
  const { model } = usePanels();
  const hovered = model.hover.value?.cell;
  const pinned = model.pinned.value?.cell;
  return (
    <>
      {hovered !== undefined && hovered !== pinned && <Ring cell={hovered} />}
      {pinned !== undefined && <Ring cell={pinned} />}
      <Lines cell={hovered ?? pinned} />
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

/** Draws lines to the neighbors of a cell while neighbors are shown. */
function Lines({ cell }: { cell: number | undefined }): JSX.Element | null {
  const { model } = usePanels();
  const graph = model.graph.value;
  const view = model.view.value;
  const coords = model.positions.value?.coords;
  if (!graph || cell === undefined || !view || !coords) return null;
  const visible = visibleTest(model.layer.value, model.state.value) ?? (() => true);
  if (!visible(cell)) return null;
  const place = (of: number) => project(view, coords[2 * of] ?? Number.NaN, coords[2 * of + 1] ?? Number.NaN);
  const [x, y] = place(cell);
  const ends = Array.from(neighborsOf(graph, cell).filter(visible).subarray(0, MAX_LINES), place);
  if (!Number.isFinite(x)) return null;
  return (
    <svg class="ks-neighbors" aria-hidden="true">
      {ends
        .filter(([x]) => Number.isFinite(x))
        .map(([toX, toY], i) => (
          <g key={i}>
            <line x1={x} y1={y} x2={toX} y2={toY} />
            <circle cx={toX} cy={toY} r={SMALLEST / 2} />
          </g>
        ))}
    </svg>
  );
}
