import { expect, test } from 'vitest';
import { axisOf, quantileOf } from './range-legend';

const summary = { min: 0, max: 3, mean: 1, fraction: 0.5, lower: 0, upper: 2 };

test('the histogram spans all values, of long tails only what its handles can tell apart', () => {
  expect(axisOf(summary, true, [0, 2])).toEqual([0, 3]);
  expect(axisOf({ ...summary, max: 4000 }, true, [0, 2])).toEqual([0, 4]);
  // As far as a limit is set.
  expect(axisOf({ ...summary, max: 4000 }, true, [0, 700])).toEqual([0, 700]);
  expect(axisOf({ ...summary, min: -900, lower: -1 }, false, [-1, 2])).toEqual([-4, 3]);
  expect(axisOf({ ...summary, min: 5, max: 9, lower: 5, upper: 8 }, false, [5, 8])).toEqual([5, 9]);
  expect(axisOf({ ...summary, max: 0, lower: 0, upper: 0 }, true, [0, 0])).toEqual([0, 1]);
});

test('a percentile says which values it is of', () => {
  expect(quantileOf(true, true, { fraction: 0.4 })).toBe(' of detected');
  expect(quantileOf(true, false, { fraction: 1 })).toBe('');
  expect(quantileOf(true, false, { fraction: 0.9 })).toBe(' of non-zero');
  expect(quantileOf(false, false, { fraction: 0.4 })).toBe('');
});
