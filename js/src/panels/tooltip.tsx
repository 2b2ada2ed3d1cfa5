import type { JSX } from 'preact';
import { annotationsOf, cellName, genesOf } from './cell-values';
import { usePanels } from './context';

const WIDTH = 260;
const MAX_ROWS = 8;

/** The tooltip of the hovered cell, in the view under the pointer. The other view only shows a ring. */
export function Tooltip({ inSecondView = false }: { inSecondView?: boolean }): JSX.Element | null {
  const { model } = usePanels();
  const hover = model.hover.value;
  if (!hover || (hover.inSecondView ?? false) !== inSecondView) return null;
  const { cell, x, y } = hover;
  // The card of a pinned cell shows the same values.
  if (model.pinned.value?.cell === cell) return null;
  const shown = [...annotationsOf(model, cell).slice(0, MAX_ROWS), ...genesOf(model, cell)];
  const { width, height } = model.viewport.value;
  const left = x + 16 + WIDTH > width ? Math.max(8, x - 16 - WIDTH) : x + 16;
  const lines = shown.length + 1;
  const top = Math.min(y + 16, Math.max(8, height - lines * 18 - 40));
  const flipped = left < x;
  return (
    <div
      role="tooltip"
      class={`ks-card ks-tooltip${flipped ? ' ks-flipped' : ''}`}
      style={
        flipped ? { right: `${width - x + 16}px`, top: `${top}px` } : { left: `${left}px`, top: `${top}px` }
      }
    >
      <strong>{cellName(model, cell)}</strong>
      <dl>
        {shown.map(({ key, name, value }) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
