/** Values of cells: float32 if that keeps them distinct, else float64. */
export type Numbers = Float32Array | Float64Array;

/** Returns `length` zeros in the precision of `values`. */
export function zerosLike(values: Numbers, length: number): Numbers {
  return values instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
}

/**
 * Converts values to float32 if that keeps integers exact and distinct values distinct; otherwise returns them as
 * float64.
 *
 * The exporter applies the same rule (`NumberAnnotation.fits_float32`).
 */
export function narrowest(values: Float64Array): Numbers {
  const narrow = new Float32Array(values);
  let changed = false;
  for (let i = 0; i < values.length; i++) {
    const [value, rounded] = [values[i] ?? 0, narrow[i] ?? 0];
    if (value === rounded || Number.isNaN(value)) continue;
    if (Number.isInteger(value) || rounded === 0 || !Number.isFinite(rounded)) return values;
    changed = true;
  }
  if (!changed) return narrow;
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  for (let i = 1; i < sorted.length; i++) {
    const [before, value] = [sorted[i - 1] ?? 0, sorted[i] ?? 0];
    if (before !== value && Math.fround(before) === Math.fround(value)) return values;
  }
  return narrow;
}
