import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import { BINS, halfWidths, type Spread, spreadsByCode } from '../../data/distribution';
import type { ColorScale } from '../../lib/colormap';
import type { Noun } from '../../lib/counts';
import { counted, formatCategory, formatCount, formatValue } from '../../lib/format';
import type { Numbers } from '../../lib/numbers';
import type { Selection } from '../../state/selection/selection';
import { More } from '../buttons';
import { usePanels } from '../context';

const MAX_VIOLINS = 40;

interface Row {
  name: string;
  color: string;
  /** The selected cells, or all cells without a selection */
  main: Spread;
  /** The other cells; null without a selection */
  rest: Spread | null;
}

interface Ask {
  values: Numbers;
  group: CategoryValues;
  selection: Selection | null;
}

async function rowsOf(
  { values, group, selection }: Ask,
  scale: ColorScale,
  colors: readonly string[],
  signal: AbortSignal,
): Promise<Row[]> {
  const spreads = (side: 0 | 1) =>
    spreadsByCode(values, group.codes, group.categories.length, scale, {
      mask: selection?.mask ?? null,
      side,
      signal,
    });
  const mine = await spreads(1);
  const others = selection && (await spreads(0));
  return group.categories
    .map(({ name }, code) => ({
      name,
      color: colors[code] ?? '',
      main: mine[code] as Spread,
      rest: others?.[code] ?? null,
    }))
    .filter(({ main: { count } }) => count > 0)
    .sort((a, b) => b.main.mean - a.main.mean);
}

/** Returns the path of a violin in a viewBox of `BINS` by 2: the upper edge left to right, then the lower edge back. */
function outline(above: Float32Array, below: Float32Array): string {
  const top = Array.from(above, (width, i) => `${i + 0.5} ${(1 - width).toFixed(3)}`);
  const bottom = Array.from(below, (width, i) => `${i + 0.5} ${(1 + width).toFixed(3)}`).reverse();
  return `M0 1L${top.join('L')}L${BINS} 1L${bottom.join('L')}Z`;
}

const NOTHING = new Float32Array(BINS);

function Violin({ row, scale }: { row: Row; scale: ColorScale }): JSX.Element {
  const { main, rest, color } = row;
  const widths = halfWidths(main.bins);
  const left = scale.share(main.q1) * 100;
  const right = scale.share(main.q3) * 100;
  const below = main.below + (rest?.below ?? 0);
  const above = main.above + (rest?.above ?? 0);
  return (
    <span class="ks-violin" aria-hidden="true">
      <svg viewBox={`0 0 ${BINS} 2`} preserveAspectRatio="none" aria-hidden="true">
        <path d={outline(widths, rest ? NOTHING : widths)} fill={color} />
        {rest && <path d={outline(NOTHING, halfWidths(rest.bins))} class="ks-violin-rest" />}
      </svg>
      <span class="ks-violin-box" style={{ left: `${left}%`, width: `${right - left}%` }} />
      <span class="ks-violin-median" style={{ left: `${scale.share(main.median) * 100}%` }} />
      {below > 0 && <span class="ks-violin-end ks-first" />}
      {above > 0 && <span class="ks-violin-end" />}
    </span>
  );
}

function about({ name, main, rest }: Row, [low, high]: readonly [number, number], noun: Noun): string {
  const describe = (spread: Spread) => {
    if (spread.count === 0) return `no ${noun}s`;
    const { median, q1, q3, count, below, above } = spread;
    return [
      `median ${formatValue(median)}`,
      `quartiles ${formatValue(q1)} to ${formatValue(q3)}`,
      counted(count, noun),
      ...(below > 0 ? [`${formatCount(below)} below ${formatValue(low)}`] : []),
      ...(above > 0 ? [`${formatCount(above)} above ${formatValue(high)}`] : []),
    ].join(', ');
  };
  return rest
    ? `${name}: selected ${describe(main)}; the rest ${describe(rest)}`
    : `${name}: ${describe(main)}`;
}

/**
 * The distribution of the values in each category, on the scale of the colors. With a selection, its cells are above
 * the line and the rest, gray, below it.
 */
export function Violins({ values, group, selection }: Ask): JSX.Element {
  const { model } = usePanels();
  const rows = useSignal<readonly Row[] | null>(null);
  const whole = useSignal(false);
  const noun = model.noun.value;
  const scale = model.scale.value;
  const categoriesOf = model.categoriesOf.value;
  useEffect(() => {
    const closed = new AbortController();
    const colors = categoriesOf(group).map(({ color }) => color);
    rowsOf({ values, group, selection }, scale, colors, closed.signal).then(
      (made) => {
        if (!closed.signal.aborted) rows.value = made;
      },
      // Aborted: newer input replaced this computation.
      () => {},
    );
    return () => closed.abort();
  }, [values, group, selection, scale, categoriesOf, rows]);
  if (rows.value?.length === 0)
    return <p class="ks-note">No {noun}s here have both a value and a category.</p>;
  const made = rows.value ?? [];
  return (
    <>
      <ul class="ks-violins" aria-label={`Distribution by ${group.name}`} aria-busy={rows.value === null}>
        {(whole.value ? made : made.slice(0, MAX_VIOLINS)).map((row) => (
          <li key={row.name} title={about(row, scale.range, noun)} aria-label={about(row, scale.range, noun)}>
            <span class="ks-dot" style={{ background: row.color }} />
            <span class="ks-class-name">{formatCategory(row.name)}</span>
            <Violin row={row} scale={scale} />
            <span class="ks-number ks-muted">{formatValue(row.main.median)}</span>
          </li>
        ))}
      </ul>
      <More whole={whole} more={made.length - MAX_VIOLINS} />
      {made.length > 0 && (
        <p class="ks-note ks-violin-note">
          Number: median. Width: square root of the number of {noun}s, scaled for each category.
          {made.some(
            ({ main, rest }) => main.below + main.above + (rest?.below ?? 0) + (rest?.above ?? 0) > 0,
          ) &&
            ` A bar at an end marks ${noun}s beyond ${formatValue(scale.range[0])} to ${formatValue(scale.range[1])}.`}
        </p>
      )}
    </>
  );
}
