import type { JSX } from 'preact';
import { formatClass, formatExact, formatValue } from '../lib/format';
import { valueAt } from '../state/color/layer';
import { usePanels } from './context';

const WIDTH = 260;
const MAX_ROWS = 8;

/** The tooltip of the hovered cell, in the view that the pointer is in. The other view shows only its ring. */
export function Tooltip({ inSecondView = false }: { inSecondView?: boolean }): JSX.Element | null {
  const { model } = usePanels();
  const hover = model.hover.value;
  if (!hover || (hover.inSecondView ?? false) !== inSecondView) return null;
  const { cell, x, y } = hover;
  const layer = model.layer.value;
  const rows: [string, string, string][] = [];
  for (const column of model.loaded.value.values()) {
    const shown =
      column.kind === 'category'
        ? formatClass(column.categories[column.codes[cell] ?? -1]?.name ?? null)
        : formatExact(column.values[cell] ?? Number.NaN, column.values instanceof Float64Array);
    const colors = layer.color.kind === 'annotation' && layer.color.column === column.name;
    if (colors) rows.unshift([`column ${column.name}`, column.name, shown]);
    else rows.push([`column ${column.name}`, column.name, shown]);
  }
  const shown = rows.slice(0, MAX_ROWS);
  if (layer.color.kind === 'gene') {
    const value = valueAt(layer, cell);
    shown.push(['gene', layer.color.gene, typeof value === 'number' ? formatValue(value) : 'no value']);
  }
  if (layer.color.kind === 'score')
    shown.push(['gene', layer.color.name, formatValue(Number(valueAt(layer, cell) ?? Number.NaN))]);
  if (layer.kind === 'blend')
    for (const { gene, values } of layer.parts)
      shown.push([`gene ${gene}`, gene, formatValue(values[cell] ?? Number.NaN)]);
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
      <strong>{model.cellNames.value?.(cell) ?? `Cell ${cell + 1}`}</strong>
      <dl>
        {shown.map(([key, name, value]) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
