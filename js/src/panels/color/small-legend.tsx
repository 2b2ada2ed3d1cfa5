import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import { cssColor, MISSING_COLOR } from '../../lib/color';
import { formatCategory, formatCount, formatValue } from '../../lib/format';
import { cornersOf } from '../../state/color/blend';
import { ordered } from '../../state/color/category-colors';
import { membersOf } from '../../state/color/groups';
import { dimmedFlags, flagsOf } from '../../state/color/layer';
import { hiddenOf } from '../../state/view-state';
import { usePanels, useView } from '../context';
import { WithoutValue } from './missing-row';
import { type RowNames, useRowActions } from './row-actions';

const MAX_ROWS = 300;

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
  const { model } = usePanels();
  const layer = model.layer.value;
  const order = useView('classOrder');
  const state = { hidden: useView('hidden'), isolated: useView('isolated') };
  const last = useRef<string | undefined>(undefined);
  if (layer.kind === 'category') {
    const { column } = layer;
    const hidden = flagsOf(column, hiddenOf(state, column.name));
    const dimmed = dimmedFlags(column, state);
    const named = model.categoriesOf.value(column).map((category, code) => ({ ...category, code }));
    const missing = { name: null, color: MISSING_COLOR, code: named.length };
    const categories = [
      ...ordered(named, order).map((category) => ({ ...category, names: membersOf(category) })),
      ...(column.missing > 0 ? [{ ...missing, names: [null] }] : []),
    ];
    return (
      <>
        <h2 class="ks-heading ks-plain" title={column.name}>
          {column.name}
        </h2>
        {categories.slice(0, MAX_ROWS).map(({ name, names, color, code }) => (
          <Row
            key={name === null ? '\0' : `=${name}`}
            name={name}
            names={names}
            color={color}
            column={column}
            hidden={hidden[code] === 1}
            dimmed={dimmed?.[code] === 1}
            last={last}
          />
        ))}
        {categories.length > MAX_ROWS && (
          <p class="ks-note">… and {formatCount(categories.length - MAX_ROWS)} more</p>
        )}
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

function Row(props: {
  name: string | null;
  names: RowNames;
  color: string;
  column: CategoryValues;
  hidden: boolean;
  dimmed: boolean;
  last: { current: string | undefined };
}): JSX.Element {
  const { name, names, color, column, hidden, dimmed, last } = props;
  const { point, leave, click, keyDown } = useRowActions(column, names, last);
  const text = formatCategory(name);
  return (
    <button
      type="button"
      class={hidden ? 'ks-hidden' : dimmed ? 'ks-dimmed' : ''}
      aria-pressed={!hidden}
      aria-label={dimmed && !hidden ? `${text}, dimmed` : text}
      title={`${text}: click to hide, double-click to isolate`}
      onClick={click}
      onKeyDown={keyDown}
      onPointerEnter={(event) => event.pointerType !== 'touch' && point()}
      onPointerLeave={leave}
    >
      <span class="ks-dot" style={{ background: color }} />
      <span>{text}</span>
    </button>
  );
}
