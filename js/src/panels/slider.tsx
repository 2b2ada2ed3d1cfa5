import type { JSX } from 'preact';

export function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  shown: string;
  /** The setting has no visible effect now. */
  off?: boolean;
  onInput: (value: number) => void;
}): JSX.Element {
  const { label, value, min, max, step, shown, off, onInput } = props;
  const share = ((value - min) / (max - min)) * 100;
  return (
    <label class={`ks-slider${off ? ' ks-off' : ''}`}>
      <span>{label}</span>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        style={{ '--share': `${share}%` }}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
      <output>{shown}</output>
    </label>
  );
}

export const percent = (share: number): string => `${Math.round(share * 100)}%`;
