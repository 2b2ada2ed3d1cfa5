import type { JSX } from 'preact';
import { project, type View } from '../../lib/camera';
import { usePanels } from '../context';

function path(points: readonly number[], view: View): string {
  let text = '';
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [x, y] = project(view, points[i] ?? 0, points[i + 1] ?? 0);
    text += `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  return `${text}Z`;
}

/** The outline being drawn, or the outline of the current selection. */
export function Outline(): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const draft = model.draft.value;
  const points = draft?.points ?? model.outline.value;
  if (!view || !points) return null;
  const line = path(points, view);
  return (
    <svg class={`ks-outline ks-${draft ? draft.mode : 'done'}`} aria-hidden="true">
      <path class="ks-outline-under" d={line} />
      <path class="ks-outline-line" d={line} />
    </svg>
  );
}
