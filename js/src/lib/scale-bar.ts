import { formatValue } from './format';

/** Width and label of the scale bar. */
export interface ScaleBar {
  /** CSS pixels */
  width: number;
  label: string;
}

/** Maximum width of the bar, in CSS pixels. */
const TARGET = 118;

/** Formats a coordinate with the decimal places that a pixel can resolve; `step` is the size of a pixel. */
export function placeText(value: number, step: number): string {
  const digits = Math.min(6, Math.max(0, Math.ceil(-Math.log10(step))));
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Returns the largest of 1, 2, 5 × 10ⁿ that does not exceed `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((digit) => digit * power <= most) ?? 1;
  return step * power;
}

/** Computes the scale bar; `scale` is in CSS pixels per coordinate unit. Returns null if the scale is not finite. */
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
