import { expect, test } from 'vitest';
import { composition, countInside, foremost, valuesBySide } from './inside';

test('counts of the marked cells by code, those without a value last', () => {
  const codes = Uint8Array.from([0, 1, 1, 2, 0]);
  expect([...countInside(Uint8Array.from([1, 1, 1, 1, 0]), codes, 2)]).toEqual([1, 2, 1]);
});

test('shares of classes among the marked cells and the rest, the farthest apart first', () => {
  const codes = Uint8Array.from([0, 0, 0, 1, 1, 2, 2, 2, 2, 3]);
  const mask = Uint8Array.from([1, 1, 0, 1, 0, 0, 0, 0, 0, 1]);
  expect(composition(mask, codes, [3, 2, 4, 1])).toEqual([
    { code: 2, count: 0, inside: 0, rest: 4 / 6 },
    { code: 0, count: 2, inside: 2 / 4, rest: 1 / 6 },
    { code: 3, count: 1, inside: 1 / 4, rest: 0 },
    { code: 1, count: 1, inside: 1 / 4, rest: 1 / 6 },
  ]);
  const all = composition(new Uint8Array(10).fill(1), codes, [3, 2, 4, 1]);
  expect(all.map(({ code, rest }) => [code, rest])).toEqual([
    [2, Number.NaN],
    [0, Number.NaN],
    [1, Number.NaN],
    [3, Number.NaN],
  ]);
});

test('a class of which the selection has none is told only where it is common in the rest', () => {
  const codes = new Uint8Array(1000);
  codes[999] = 1;
  codes.fill(2, 900, 999);
  const mask = new Uint8Array(1000).fill(1, 0, 500);
  expect(composition(mask, codes, [900, 1, 99, 0]).map(({ code }) => code)).toEqual([0, 2]);
});

test('of many classes those told first go either way', () => {
  const part = (code: number, inside: number, rest: number) => ({ code, count: 1, inside, rest });
  const parts = [...[0.5, 0.4, 0.3, 0.2, 0.1].map((share, code) => part(code, share, 0)), part(5, 0, 0.05)];
  expect(foremost(parts, 4).map(({ code }) => code)).toEqual([0, 1, 2, 5]);
  expect(foremost(parts, 9)).toEqual(parts);
  const alone = parts.map((one) => ({ ...one, rest: Number.NaN }));
  expect(foremost(alone, 2)).toEqual(alone.slice(0, 2));
});

test('means and shares inside and outside, without what is no number', () => {
  const values = Float32Array.from([0, 3, Number.NaN, 5, 7]);
  expect(valuesBySide(Uint8Array.from([1, 1, 1, 0, 0]), values)).toEqual({
    inside: { mean: 1.5, detected: 1 / 2 },
    outside: { mean: 6, detected: 1 },
  });
  expect(valuesBySide(new Uint8Array(5), values).inside.mean).toBeNaN();
});
