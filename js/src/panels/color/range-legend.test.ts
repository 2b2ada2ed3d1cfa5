import { expect, test } from 'vitest';
import { axisOf, quantileOf } from './range-legend';

const summary = { min: 0, max: 3, mean: 1, fraction: 0.5, lower: 0, upper: 2 };

test('the histogram axis spans all values but truncates long tails', () => {
  expect(axisOf(summary, true, [0, 2])).toEqual([0, 3]);
  expect(axisOf({ ...summary, max: 4000 }, true, [0, 2])).toEqual([0, 4]);
  // A limit in the tail extends the axis.
  expect(axisOf({ ...summary, max: 4000 }, true, [0, 700])).toEqual([0, 700]);
  expect(axisOf({ ...summary, min: -900, lower: -1 }, false, [-1, 2])).toEqual([-4, 3]);
  expect(axisOf({ ...summary, min: 5, max: 9, lower: 5, upper: 8 }, false, [5, 8])).toEqual([5, 9]);
  expect(axisOf({ ...summary, max: 0, lower: 0, upper: 0 }, true, [0, 0])).toEqual([0, 1]);
});

test('the percentile label names the values that it is computed from', () => {
  expect(quantileOf(true, true, { fraction: 0.4 })).toBe(' of detected');
  expect(quantileOf(true, false, { fraction: 1 })).toBe('');
  expect(quantileOf(true, false, { fraction: 0.9 })).toBe(' of non-zero');
  expect(quantileOf(false, false, { fraction: 0.4 })).toBe('');
});
