import type { JSX } from 'preact';
import { cssColor, MISSING_COLOR } from '../../lib/color';
import { formatClass, formatCount, formatValue } from '../../lib/format';
import { cornersOf } from '../../state/color/blend';
import { ordered } from '../../state/color/category-colors';
import { hiddenOf } from '../../state/view-state';
import { usePanels } from '../context';
import { WithoutValue } from './missing-row';

const MOST = 300;

/** The legend next to the tissue, for an embedded viewer and while the panel is hidden. */
export function SmallLegend(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  if (layer.kind === 'none') return null;
  return (
    <section class="ks-small-legend" aria-label="Legend">
      <Rows />
    </section>
  );
}

function Rows(): JSX.Element | null {
  const { model, actions } = usePanels();
  const layer = model.layer.value;
  if (layer.kind === 'category') {
    const { column } = layer;
    const hidden = new Set(hiddenOf(model.state.value, column.name));
    const classes = [
      ...ordered(model.classes.value(column), model.state.value.classOrder),
      ...(column.missing > 0 ? [{ name: null, color: MISSING_COLOR, count: column.missing }] : []),
    ];
    return (
      <>
        <h2 class="ks-heading ks-plain" title={column.name}>
          {column.name}
        </h2>
        {classes.slice(0, MOST).map(({ name, color }) => (
          <button
            key={name === null ? '\0' : `=${name}`}
            type="button"
            class={hidden.has(name) ? 'ks-hidden' : ''}
            aria-pressed={!hidden.has(name)}
            title={`${formatClass(name)}: click to hide or show`}
            onClick={() => actions.toggleClass(column.name, name)}
          >
            <span class="ks-dot" style={{ background: color }} />
            <span>{formatClass(name)}</span>
          </button>
        ))}
        {classes.length > MOST && <p class="ks-note">… and {formatCount(classes.length - MOST)} more</p>}
      </>
    );
  }
  if (layer.kind === 'value') {
    const [low, high] = model.range.value;
    return (
      <>
        <h2 class="ks-heading ks-plain" title={layer.label}>
          {layer.label}
        </h2>
        <div class="ks-small-ramp">
          <div class="ks-small-gradient" style={{ background: model.scale.value.gradient(low, high) }} />
          <div class="ks-limits ks-number ks-muted">
            <span>{formatValue(low)}</span>
            <span>{formatValue(high)}</span>
          </div>
        </div>
        <WithoutValue layer={layer} />
      </>
    );
  }
  if (layer.kind !== 'blend') return null;
  const corners = cornersOf(model.dark.value);
  return (
    <>
      {layer.parts.map(({ gene }, at) => (
        <div key={gene} class="ks-small-row">
          <span class="ks-dot" style={{ background: cssColor(corners[1 << at] ?? [0, 0, 0]) }} />
          <span class="ks-clip">{gene}</span>
        </div>
      ))}
      <WithoutValue layer={layer} />
    </>
  );
}
