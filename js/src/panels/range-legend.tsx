import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { histogram, type Summary } from '../data/summary';
import { formatValue } from '../lib/format';
import type { Layer } from '../state/layer';
import { howOf } from '../state/selection';
import { usePanels, useView } from './context';
import { WithoutValue } from './without-value';

const BINS = 36;
/** So many times the distance of the robust limits is shown beyond them: of long tails the last bar holds the rest. */
const REACH = 1;

/** The values that the histogram spans. */
export function axisOf(
  { min, max, lower, upper }: Summary,
  isGene: boolean,
  [low, high]: readonly [number, number],
): readonly [number, number] {
  const least = isGene ? Math.min(min, 0) : min;
  const reach = upper > lower ? REACH * (upper - lower) : Infinity;
  const start = Math.max(least, Math.min(lower - reach, low));
  const end = Math.min(max, Math.max(upper + reach, high));
  return [start, end > start ? end : start + 1];
}

/** The histogram is the legend: its handles are the limits of the colours. */
export function RangeLegend({ layer }: { layer: Extract<Layer, { kind: 'value' }> }): JSX.Element {
  const { model, actions } = usePanels();
  const track = useRef<HTMLDivElement>(null);
  const { summary, values } = layer;
  const [low, high] = model.range.value;
  const scale = model.scale.value;
  const isGene = layer.color.kind !== 'annotation';
  const [start, end] = axisOf(summary, isGene, model.range.value);
  const bars = useMemo(() => {
    const counts = histogram(values, start, end, BINS);
    // The zeros of a sparse gene would flatten all other bars.
    const zeroBin = isGene && summary.fraction < 1 ? Math.floor(((0 - start) / (end - start)) * BINS) : -1;
    const tallest = counts.reduce((most, count, bin) => (bin === zeroBin ? most : Math.max(most, count)), 1);
    return [...counts].map((count) => Math.min(1, Math.sqrt(count / tallest)));
  }, [values, start, end, isGene, summary.fraction]);
  const share = (value: number) => Math.min(1, Math.max(0, (value - start) / (end - start)));
  const least = (end - start) / 200;
  // White stays zero.
  const mirrored = model.colormap.value === 'rdbu' && summary.lower < 0;
  const move = (edge: 'low' | 'high', value: number) => {
    const next = Math.min(Math.max(end, summary.max), Math.max(Math.min(start, summary.min), value));
    if (mirrored) {
      const far = Math.max(least / 2, edge === 'low' ? -next : next);
      return actions.setRange([-far, far]);
    }
    actions.setRange(
      edge === 'low' ? [Math.min(next, high - least), high] : [low, Math.max(next, low + least)],
    );
  };
  const drag = (edge: 'low' | 'high') => (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    const box = track.current?.getBoundingClientRect();
    if (!box) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    handle.focus();
    handle.onpointermove = (at) => move(edge, start + ((at.clientX - box.left) / box.width) * (end - start));
    // However the press ends.
    handle.onlostpointercapture = () => {
      handle.onpointermove = null;
      handle.onlostpointercapture = null;
    };
  };
  const step = (edge: 'low' | 'high', value: number) => (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 10, PageDown: -10 }[
      event.key
    ];
    if (by === undefined) return;
    event.preventDefault();
    move(edge, value + (by * (end - start)) / 100);
  };
  const handle = (edge: 'low' | 'high', value: number) => (
    <div
      class="ks-handle"
      role="slider"
      tabIndex={0}
      aria-label={edge === 'low' ? 'Lower limit of the colours' : 'Upper limit of the colours'}
      aria-valuemin={start}
      aria-valuemax={end}
      aria-valuenow={value}
      aria-valuetext={formatValue(value)}
      style={{ left: `${share(value) * 100}%` }}
      onPointerDown={drag(edge)}
      onKeyDown={step(edge, value)}
    />
  );
  const robust = useView('range') === null;
  const quantiles = [
    robust && !mirrored && low === summary.lower && low > summary.min ? 'p1 = ' : '',
    robust && !mirrored && high === summary.upper && high < summary.max ? 'p99 = ' : '',
  ];
  const beyond = (bin: number) => {
    if (bin === 0 && summary.min < start) return `and all values down to ${formatValue(summary.min)}`;
    if (bin === BINS - 1 && summary.max > end) return `and all values up to ${formatValue(summary.max)}`;
    return undefined;
  };
  return (
    <div class="ks-range">
      <div class="ks-histogram" aria-hidden="true">
        {bars.map((height, bin) => {
          const middle = start + ((bin + 0.5) / BINS) * (end - start);
          return (
            <span
              key={bin}
              title={beyond(bin)}
              style={{
                height: height > 0 ? `${Math.max(2, height * 100)}%` : '0',
                background: scale.css(middle),
              }}
            />
          );
        })}
      </div>
      <div class="ks-track" ref={track}>
        <div
          class="ks-gradient"
          style={{
            left: `${share(low) * 100}%`,
            right: `${(1 - share(high)) * 100}%`,
            background: scale.gradient(low, high),
          }}
        />
        {handle('low', low)}
        {handle('high', high)}
      </div>
      <div class="ks-limits ks-number ks-muted">
        <span>
          {quantiles[0]}
          {formatValue(low)}
        </span>
        <button
          type="button"
          class="ks-link"
          title="Select the cells with values between the limits"
          onClick={(event) =>
            actions.selectWhere((cell) => {
              const value = values[cell] ?? Number.NaN;
              return value >= low && value <= high;
            }, howOf(event))
          }
        >
          Select
        </button>
        {!robust && (
          <button type="button" class="ks-link" onClick={() => actions.setRange(null)}>
            Reset
          </button>
        )}
        <span>
          {quantiles[1]}
          {formatValue(high)}
        </span>
      </div>
      <WithoutValue layer={layer} />
    </div>
  );
}
