import type { JSX } from 'preact';
import { measureText } from '../picture/canvas';
import { LABEL, labelsOf } from '../picture/labels';
import { usePanels } from './context';

/** The names of the categories on their cells. Hidden from screen readers: the legend lists them. */
export function Labels(): JSX.Element | null {
  const { model } = usePanels();
  const labels = labelsOf(model, measureText);
  if (labels.length === 0) return null;
  return (
    <svg class="ks-labels" aria-hidden="true" font-size={LABEL.size} font-weight={LABEL.weight}>
      {labels.map(({ text, x, y }) => (
        <text key={text} x={x} y={y}>
          {text}
        </text>
      ))}
    </svg>
  );
}
