import type { JSX } from 'preact';
import { formatValue } from '../lib/format';
import { usePanels } from './context';

const TARGET = 118;

/** The longest of 1, 2, 5 × 10ⁿ that fits into `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((digit) => digit * power <= most) ?? 1;
  return step * power;
}

export function ScaleBar(): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const positions = model.positions.value;
  // An embedding has no lengths.
  if (!view || !positions || model.state.value.layout.kind === 'embedding') return null;
  const unit = positions.unitUm ?? 1;
  const perPixel = unit / view.scale;
  const length = roundLength(TARGET * perPixel);
  if (!(length > 0) || !Number.isFinite(length)) return null;
  const label =
    positions.unitUm === null
      ? `${formatValue(length)} units`
      : length >= 1000
        ? `${formatValue(length / 1000)} mm`
        : `${formatValue(length)} µm`;
  return (
    <div class="ks-card ks-scale">
      <span>{label}</span>
      <div class="ks-scale-bar" style={{ width: `${length / perPixel}px` }} />
    </div>
  );
}
