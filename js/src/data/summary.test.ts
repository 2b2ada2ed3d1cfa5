import { expect, test } from 'vitest';
import { histogram } from './histogram';
import { meanByCode, summarizeGene, withoutInfinite } from './summary';

const N = Number.NaN;

test('the summary of a gene covers only cells with a value', () => {
  const { min, max, mean, fraction, lower, upper } = summarizeGene(Float32Array.of(N, 0, 2, N, 4, N));
  expect({ min, max, mean }).toEqual({ min: 0, max: 4, mean: 2 });
  expect(fraction).toBeCloseTo(2 / 3);
  expect(lower).toBe(0);
  expect(upper).toBeCloseTo(3.98);
  expect(summarizeGene(Float32Array.of(N, N))).toMatchObject({ mean: 0, fraction: 0 });
});

test('missing values are excluded from histograms and means', () => {
  const values = Float32Array.of(N, 0, 1, N, 1);
  expect(histogram(values, [0, 2], 2).bars.map(({ count }) => count)).toEqual([1, 2]);
  expect([...meanByCode(values, [0, 0, 1, 2, 1], 3)]).toEqual([0, 1, N]);
});

test('infinite values become missing without modifying the input', () => {
  const read = Float32Array.of(1, Infinity, -Infinity, N, 3.4028234663852886e38);
  const { values, missing } = withoutInfinite(read);
  expect([...values]).toEqual([1, N, N, N, N]);
  expect(missing).toBe(4);
  expect(read[1]).toBe(Infinity);
  const clean = Float32Array.of(0, N);
  expect(withoutInfinite(clean)).toEqual({ values: clean, missing: 1 });
});
