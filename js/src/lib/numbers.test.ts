import { expect, test } from 'vitest';
import { narrowest } from './numbers';

test.each([
  ['whole numbers up to 2^24', [0, 16_777_216, -16_777_216, Number.NaN], Float32Array],
  ['a whole number above 2^24', [16_777_217], Float64Array],
  ['fractions that stay distinct', [0.1, 0.2, 1 / 3], Float32Array],
  ['fractions that float32 makes equal', [0.1, 0.2, 0.1 + 1e-12], Float64Array],
  ['values too small for float32', [1e-60, 1], Float64Array],
  ['values too large for float32', [1e60, 1], Float64Array],
  ['timestamps', [1.6e9, 1.6e9 + 1], Float64Array],
])('%s: the narrowest precision that preserves them is chosen', (_, values, kind) => {
  const found = narrowest(Float64Array.from(values));
  expect(found).toBeInstanceOf(kind);
  expect([...found]).toEqual(kind === Float64Array ? values : values.map(Math.fround));
});
