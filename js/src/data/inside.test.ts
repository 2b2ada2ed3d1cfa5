import { expect, test } from 'vitest';
import { countInside, valuesBySide } from './inside';

test('counts of the marked cells by code, those without a value last', () => {
  const codes = Uint8Array.from([0, 1, 1, 2, 0]);
  expect([...countInside(Uint8Array.from([1, 1, 1, 1, 0]), codes, 2)]).toEqual([1, 2, 1]);
});

test('means and shares inside and outside, without what is no number', () => {
  const values = Float32Array.from([0, 3, Number.NaN, 5, 7]);
  expect(valuesBySide(Uint8Array.from([1, 1, 1, 0, 0]), values)).toEqual({
    inside: { mean: 1.5, detected: 1 / 3 },
    outside: { mean: 6, detected: 1 },
  });
  expect(valuesBySide(new Uint8Array(5), values).inside.mean).toBeNaN();
});
