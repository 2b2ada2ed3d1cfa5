import { expect, test } from 'vitest';
import type { CategoryValues } from './column-values';
import { dotsOf, rescaled } from './dots';

const column = {
  kind: 'category',
  name: 'type',
  codes: Uint8Array.from([0, 0, 1, 1, 255, 0]),
  categories: [
    { name: 'a', color: '#000', count: 3 },
    { name: 'b', color: '#000', count: 2 },
    { name: 'none', color: '#000', count: 0 },
  ],
  missing: 1,
} as unknown as CategoryValues;

test('means and fractions of a gene cover the cells of a category that have a value', () => {
  const values = Float32Array.from([2, 0, 5, Number.NaN, 9, 4]);
  const all = dotsOf('G', values, column, null);
  expect([...all.mean]).toEqual([2, 5, Number.NaN]);
  expect([...all.detected]).toEqual([2 / 3, 1, Number.NaN]);
  const some = dotsOf('G', values, column, Uint8Array.from([1, 1, 0, 1, 1, 0]));
  expect([...some.mean]).toEqual([1, Number.NaN, Number.NaN]);
  expect([...some.detected]).toEqual([0.5, Number.NaN, Number.NaN]);
});

test('means of a gene are scaled to the range from 0 to 1', () => {
  expect([...rescaled(Float64Array.of(3, 1, Number.NaN, 2))]).toEqual([1, 0, Number.NaN, 0.5]);
  expect([...rescaled(Float64Array.of(-2, -2))]).toEqual([0, 0]);
  expect([...rescaled(Float64Array.of(Number.NaN))]).toEqual([Number.NaN]);
});
