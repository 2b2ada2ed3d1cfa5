import type { JSX } from 'preact';

/** The values that bars of one list share: zero is always among them. */
export function spanOf(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  return [Math.min(0, ...finite), Math.max(0, ...finite)];
}

/** Where a bar from zero to `value` begins and how long it is, as shares of the span. */
export function barOf(value: number, [low, high]: readonly [number, number]) {
  const length = high - low;
  if (!(length > 0) || !Number.isFinite(value)) return { left: 0, width: 0 };
  return { left: (Math.min(0, value) - low) / length, width: Math.abs(value) / length };
}

/** A bar from a common zero, to the left of it for what is negative. */
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
