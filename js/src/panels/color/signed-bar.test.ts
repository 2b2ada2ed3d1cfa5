import { expect, test } from 'vitest';
import { barOf, spanOf } from './signed-bar';

test('bars of negative means extend to the left of a common zero', () => {
  const span = spanOf([-1, 3, Number.NaN]);
  expect(span).toEqual([-1, 3]);
  expect(barOf(-1, span)).toEqual({ left: 0, width: 0.25 });
  expect(barOf(3, span)).toEqual({ left: 0.25, width: 0.75 });
  expect(barOf(Number.NaN, span)).toEqual({ left: 0, width: 0 });
  expect(barOf(2, spanOf([2, 4]))).toEqual({ left: 0, width: 0.5 });
  expect(barOf(-2, spanOf([-2, -4]))).toEqual({ left: 0.5, width: 0.5 });
  expect(barOf(0, spanOf([0, 0]))).toEqual({ left: 0, width: 0 });
});
