import type { JSX } from 'preact';

/** Returns the common axis range of the bars in a list, which always includes zero. */
export function spanOf(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  return [Math.min(0, ...finite), Math.max(0, ...finite)];
}

/** Returns the left edge and width of a bar from zero to `value`, as fractions of the span. */
export function barOf(value: number, [low, high]: readonly [number, number]) {
  const length = high - low;
  if (!(length > 0) || !Number.isFinite(value)) return { left: 0, width: 0 };
  return { left: (Math.min(0, value) - low) / length, width: Math.abs(value) / length };
}

/** A bar from a common zero; negative values extend to the left. */
export function SignedBar(props: {
  value: number;
  span: readonly [number, number];
  color: string;
}): JSX.Element {
  const { value, span, color } = props;
  const { left, width } = barOf(value, span);
  const [low, high] = span;
  const percent = (share: number) => `${share * 100}%`;
  return (
    <>
      <span style={{ marginLeft: percent(left), width: percent(width), background: color }} />
      {low < 0 && high > low && <span class="ks-zero" style={{ left: percent(-low / (high - low)) }} />}
    </>
  );
}
