import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId, useMemo, useRef } from 'preact/hooks';
import { type Bar, histogram } from '../../data/histogram';
import type { Summary } from '../../data/summary';
import type { Noun } from '../../lib/counts';
import { counted, formatCount, formatWithin } from '../../lib/format';
import type { Numbers } from '../../lib/numbers';
import { meaningOf } from '../../state/color/gene-meaning';
import type { Layer } from '../../state/color/layer';
import { modeOf } from '../../state/selection/selection';
import { usePanels, useView } from '../context';
import { WithoutValue } from './missing-row';

const BINS = 36;
/** How far the axis extends beyond the robust limits, in multiples of their distance. End bars hold the rest. */
const REACH = 1;

/** Returns the range of the histogram's axis. */
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

/** Returns the qualifier of a percentile label: percentiles of a gene exclude its zeros. */
export function quantileOf(
  isGene: boolean,
  detectable: boolean,
  { fraction }: Pick<Summary, 'fraction'>,
): string {
  if (!isGene || (!detectable && fraction === 1)) return '';
  return detectable ? ' of detected' : ' of non-zero';
}

interface BarsProps {
  label: string;
  values: Numbers;
  axis: readonly [number, number];
  summary: Summary;
  cutZeros: boolean;
}

/** Describes a bar: its range of values and its cell count. */
function barText(
  bar: Bar,
  { min, max }: Summary,
  first: boolean,
  last: boolean,
  zeros: number,
  shown: (value: number) => string,
  noun: Noun,
): string {
  const from = first && min < bar.from ? `${shown(bar.to)} and below, down to ${shown(min)}` : '';
  const to = last && max > bar.to ? `${shown(bar.from)} and above, up to ${shown(max)}` : '';
  const span = from || to || `${shown(bar.from)} to ${shown(bar.to)}`;
  const atZero = zeros === bar.count ? 'all' : formatCount(zeros);
  const ofZero = bar.cut ? `, ${atZero} at 0; bar truncated` : '';
  return `${span}: ${counted(bar.count, noun)}${ofZero}`;
}

/** The histogram. The pointer or the arrow keys show the values of one bar at a time. */
function Bars({ label, values, axis: [start, end], summary, cutZeros }: BarsProps): JSX.Element {
  const { model } = usePanels();
  const scale = model.scale.value;
  const noun = model.noun.value;
  const at = useSignal<number | null>(null);
  const note = useId();
  const shown = (value: number) => formatWithin(value, end - start);
  const { bars, zeros, below, above } = useMemo(
    () => histogram(values, [start, end], BINS, { cutZeros }),
    [values, start, end, cutZeros],
  );
  const textOf = (bin: number) => {
    const bar = bars[bin];
    return bar ? barText(bar, summary, bin === 0, bin === BINS - 1, zeros, shown, noun) : '';
  };
  const cut = bars.find((bar) => bar.cut);
  const first = bars[0];
  const last = bars[BINS - 1];
  const notes = [
    `Height: √(${noun} count)`,
    ...(cut ? [`bar at 0 truncated: ${counted(cut.count, noun)}`] : []),
    ...(below > 0 && first ? [`first bar ≤ ${shown(first.to)}: ${counted(first.count, noun)}`] : []),
    ...(above > 0 && last ? [`last bar ≥ ${shown(last.from)}: ${counted(last.count, noun)}`] : []),
  ];
  const step = (event: KeyboardEvent) => {
    const now = at.value ?? 0;
    const to = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageUp: now + 10,
      PageDown: now - 10,
      Home: 0,
      End: BINS - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    at.value = Math.min(BINS - 1, Math.max(0, to));
  };
  const point = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const bin = Math.floor(((event.clientX - box.left) / box.width) * BINS);
    at.value = Math.min(BINS - 1, Math.max(0, bin));
  };
  const leave = () => {
    at.value = null;
  };
  const beyond = (bin: number) => (bin === 0 && below > 0) || (bin === BINS - 1 && above > 0);
  return (
    <>
      <div
        class="ks-histogram"
        role="slider"
        tabIndex={0}
        aria-label={`Histogram of ${label}, bar`}
        aria-valuemin={1}
        aria-valuemax={BINS}
        aria-valuenow={(at.value ?? 0) + 1}
        aria-valuetext={textOf(at.value ?? 0)}
        aria-describedby={note}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={leave}
        onKeyDown={step}
        onFocus={(event) => {
          if (event.currentTarget.matches(':focus-visible')) at.value ??= 0;
        }}
        onBlur={leave}
      >
        {bars.map(({ from, to, height, cut }, bin) => (
          <span
            key={bin}
            class={[cut && 'ks-cut', beyond(bin) && 'ks-beyond', at.value === bin && 'ks-at']
              .filter(Boolean)
              .join(' ')}
            style={{
              height: height > 0 ? `${Math.max(2, height * 100)}%` : '0',
              background: scale.css((from + to) / 2),
            }}
          />
        ))}
        {at.value !== null && (
          <div
            class={`ks-card ks-bar-tip${at.value >= BINS / 2 ? ' ks-flipped' : ''}`}
            style={{ [at.value < BINS / 2 ? 'left' : 'right']: `${tipAt(at.value)}%` }}
          >
            {textOf(at.value)}
          </div>
        )}
      </div>
      <p class="ks-note ks-histogram-note" id={note}>
        {notes.join(' · ')}
      </p>
    </>
  );
}

/** Returns the distance of a bar's tooltip from the nearer edge, in percent: keeps it inside the panel. */
function tipAt(bin: number): number {
  return bin < BINS / 2 ? (bin / BINS) * 40 : ((BINS - 1 - bin) / BINS) * 40;
}

/** The histogram with handles for the color limits. */
export function RangeLegend({ layer }: { layer: Extract<Layer, { kind: 'value' }> }): JSX.Element {
  const { model, actions } = usePanels();
  const track = useRef<HTMLDivElement>(null);
  const { values, summary } = model.valuesInScope.value ?? layer;
  const [low, high] = model.range.value;
  const scale = model.scale.value;
  const isGene = layer.color.kind !== 'annotation';
  const { detectable } = meaningOf(model, layer);
  const [start, end] = axisOf(summary, isGene, model.range.value);
  const shown = (value: number) => formatWithin(value, end - start);
  const share = (value: number) => Math.min(1, Math.max(0, (value - start) / (end - start)));
  const least = (end - start) / 200;
  // A diverging colormap keeps white at zero: its limits stay symmetric.
  const mirrored = model.colormap.value === 'rdbu' && layer.summary.lower < 0;
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
    // Fires however the drag ends.
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
      aria-label={edge === 'low' ? 'Lower color limit' : 'Upper color limit'}
      aria-valuemin={start}
      aria-valuemax={end}
      aria-valuenow={value}
      aria-valuetext={shown(value)}
      style={{ left: `${share(value) * 100}%` }}
      onPointerDown={drag(edge)}
      onKeyDown={step(edge, value)}
    />
  );
  const robust = useView('range') === null;
  // Of mirrored limits, only one is a percentile; the other is its negative.
  const which = quantileOf(isGene, detectable, summary);
  const quantiles = [
    robust && low === summary.lower && low > summary.min ? `p1${which} = ` : '',
    robust && high === summary.upper && high < summary.max ? `p99${which} = ` : '',
  ];
  return (
    <div class="ks-range">
      <Bars
        label={layer.label}
        values={values}
        axis={[start, end]}
        summary={summary}
        cutZeros={isGene && detectable}
      />
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
          {shown(low)}
        </span>
        <button
          type="button"
          class="ks-link"
          title={`Select ${model.noun.value}s with values between the limits`}
          onClick={(event) =>
            actions.selectWhere((cell) => {
              const value = layer.values[cell] ?? Number.NaN;
              return value >= low && value <= high;
            }, modeOf(event))
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
          {shown(high)}
        </span>
      </div>
      <WithoutValue layer={layer} />
    </div>
  );
}
