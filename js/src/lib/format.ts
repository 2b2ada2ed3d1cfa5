const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Formats a count with thousands separators. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** Formats a value with about three significant digits, never `-0`, with an exponent only if it is tiny or huge. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return 'no value';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.001 || size >= 1e9) return value.toExponential(2);
  if (size >= 1000) return whole.format(value);
  if (Number.isInteger(value)) return String(value);
  if (size >= 100) return value.toFixed(1);
  if (size >= 0.1) return value.toFixed(2);
  return value.toPrecision(2);
}

/** Formats a value with all its digits if it is an integer or stored as float64 (`wide`), else like `formatValue`. */
export function formatExact(value: number, wide: boolean): string {
  if (!Number.isFinite(value)) return 'no value';
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 64) return whole.format(BigInt(value));
  if (!wide) return formatValue(value);
  const [integer = '', fraction = ''] = String(value).split('.');
  return fraction === '' || fraction.includes('e')
    ? String(value)
    : `${whole.format(Number(integer))}.${fraction}`;
}

/** Formats a value of a range with enough digits to distinguish it within the range, such as timestamps of one day. */
export function formatWithin(value: number, span: number): string {
  const size = Math.abs(value);
  if (!(span > 0) || !(size > 20 * span) || size >= 1e21) return formatValue(value);
  const digits = Math.min(20, Math.max(0, Math.ceil(2 - Math.log10(span))));
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(value);
}

/** Formats a mean for a table column: small values become `<0.001` rather than exponents. */
export function formatMean(mean: number): string {
  if (mean > 0 && mean < 0.001) return '<0.001';
  return mean < 0 && mean > -0.001 ? '>-0.001' : formatValue(mean);
}

/** Formats the name of a category: null stands for cells without a value, and a name may be blank. */
export function formatCategory(name: string | null): string {
  return name === null ? 'no value' : name.trim() === '' ? '(empty)' : name;
}

/** Formats a fraction as a percentage. Only exactly 0 is "0%" and only exactly 1 is "100%"; NaN (0 of 0) is a dash. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '–';
  if (share <= 0) return '0%';
  if (share >= 1) return '100%';
  if (share < 0.001) return '< 0.1%';
  if (share > 0.999) return '> 99.9%';
  const percent = share * 100;
  const tenths = percent.toFixed(1);
  return `${Number(tenths) < 10 || percent >= 99 ? tenths : Math.round(percent)}%`;
}

/** Formats a count with its noun in the singular or plural. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Formats a fold change; NaN (0 / 0) is a dash. */
export function formatRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return '–';
  if (ratio === Infinity) return '∞';
  if (ratio === 0) return '0×';
  if (ratio < 0.05) return '<0.1×';
  return `${ratio >= 9.95 ? formatCount(ratio) : ratio.toFixed(1)}×`;
}

/** Formats a difference with its sign; NaN is a dash. */
export function formatDifference(difference: number): string {
  if (Number.isNaN(difference)) return '–';
  const size = formatValue(Math.abs(difference));
  return difference === 0 ? '0' : `${difference < 0 ? '−' : '+'}${size}`;
}

/** Formats a size in decimal units: 1 kB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return counted(bytes, 'byte');
  // From these bounds on, rounding would give 1000 of the smaller unit.
  if (bytes < 999_500) return `${Math.round(bytes / 1e3)} kB`;
  if (bytes < 999_950_000) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
