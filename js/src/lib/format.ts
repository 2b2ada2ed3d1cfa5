const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Counts: thousands separated. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** Values: about three significant digits, never `-0`, exponent only where plain digits would mislead. */
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

/** Every digit of a value: whole numbers always, others where they are held as float64. */
export function formatExact(value: number, wide: boolean): string {
  if (!Number.isFinite(value)) return 'no value';
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 64) return whole.format(BigInt(value));
  if (!wide) return formatValue(value);
  const [integer = '', fraction = ''] = String(value).split('.');
  return fraction === '' || fraction.includes('e')
    ? String(value)
    : `${whole.format(Number(integer))}.${fraction}`;
}

/** A value of a range, with digits enough to tell it from others in it: time stamps of one day differ late. */
export function formatWithin(value: number, span: number): string {
  const size = Math.abs(value);
  if (!(span > 0) || !(size > 20 * span) || size >= 1e21) return formatValue(value);
  const digits = Math.min(20, Math.max(0, Math.ceil(2 - Math.log10(span))));
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(value);
}

/** Means stand in a column that is read down: no exponents among them. */
export function formatMean(mean: number): string {
  if (mean > 0 && mean < 0.001) return '<0.001';
  return mean < 0 && mean > -0.001 ? '>-0.001' : formatValue(mean);
}

/** A class as people read it: null is that of cells without a value, and a name may be empty. */
export function formatClass(name: string | null): string {
  return name === null ? 'no value' : name.trim() === '' ? '(empty)' : name;
}

/** A share of 0 to 1. Only none is "0 %" and only all is "100 %"; NaN stands for a share of nothing. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '–';
  if (share <= 0) return '0 %';
  if (share >= 1) return '100 %';
  if (share < 0.001) return '< 0.1 %';
  if (share > 0.999) return '> 99.9 %';
  const percent = share * 100;
  const tenths = percent.toFixed(1);
  return `${Number(tenths) < 10 || percent >= 99 ? tenths : Math.round(percent)} %`;
}

/** How many times as much; NaN, as of nothing and nothing, is a dash. */
export function formatRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return '–';
  if (ratio === Infinity) return '∞';
  if (ratio === 0) return '0×';
  if (ratio < 0.05) return '<0.1×';
  return `${ratio >= 9.95 ? formatCount(ratio) : ratio.toFixed(1)}×`;
}

/** A difference with its sign. */
export function formatDifference(difference: number): string {
  if (Number.isNaN(difference)) return '–';
  const size = formatValue(Math.abs(difference));
  return difference === 0 ? '0' : `${difference < 0 ? '−' : '+'}${size}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} kB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
