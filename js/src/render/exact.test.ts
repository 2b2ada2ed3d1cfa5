import { expect, test } from 'vitest';
import { alongScale } from './exact';

const plain = { log: false, dimZeros: false };

test('timestamps one second apart stay distinct on the scale', () => {
  const stamps = Float64Array.from({ length: 61 }, (_, i) => 1_600_000_000 + i);
  expect(new Set(Float32Array.from(stamps)).size).toBe(1);
  const along = alongScale(stamps, { ...plain, range: [1_600_000_000, 1_600_000_060] });
  expect(new Set(along).size).toBe(61);
  expect([along[0], along[30], along[60]]).toEqual([1, 1.5, 2]);
  const logged = alongScale(stamps, { ...plain, log: true, range: [1_600_000_000, 1_600_000_060] });
  expect(new Set(logged).size).toBe(61);
});

test('values beyond the limits are clamped; missing values stay NaN', () => {
  const values = Float64Array.from([-5, 0, 10, 1e300, Number.NaN]);
  expect([...alongScale(values, { ...plain, range: [0, 10] })]).toEqual([1, 1, 2, 2, Number.NaN]);
});

test('dimmed zeros count as missing, low values do not', () => {
  const values = Float64Array.from([0, 1, 3]);
  expect([...alongScale(values, { ...plain, dimZeros: true, range: [1, 3] })]).toEqual([Number.NaN, 1, 2]);
});

test('equal limits map all values to the first color', () => {
  expect([...alongScale(Float64Array.from([7, 8]), { ...plain, range: [7, 7] })]).toEqual([1, 1]);
});
