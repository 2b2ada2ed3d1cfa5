import { formatValue } from './format';

/** The bar that tells how long a stretch of the tissue is. */
export interface ScaleBar {
  /** CSS pixels */
  width: number;
  label: string;
}

/** CSS pixels that a bar has at most. */
const TARGET = 118;

/** A coordinate with the digits that a pixel can tell apart; `step` is what a pixel measures. */
export function placeText(value: number, step: number): string {
  const digits = Math.min(6, Math.max(0, Math.ceil(-Math.log10(step))));
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The longest of 1, 2, 5 × 10ⁿ that fits into `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((digit) => digit * power <= most) ?? 1;
  return step * power;
}

/** `scale` is in CSS pixels per coordinate unit; null where there is nothing to measure. */
export function scaleBar(scale: number, unitUm: number | null): ScaleBar | null {
  const perPixel = (unitUm ?? 1) / scale;
  const length = roundLength(TARGET * perPixel);
  if (!(length > 0) || !Number.isFinite(length)) return null;
  const label =
    unitUm === null
      ? `${formatValue(length)} units`
      : length >= 1000
        ? `${formatValue(length / 1000)} mm`
        : `${formatValue(length)} µm`;
  return { width: length / perPixel, label };
}
