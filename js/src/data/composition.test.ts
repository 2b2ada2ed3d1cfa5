import { describe, expect, test } from 'vitest';
import { compared, composition, countInside, foremost, valuesBySide } from './composition';
import { geneMeaning } from './value-meaning';

test('selected cells are counted by code, with those without a value last', () => {
  const codes = Uint8Array.from([0, 1, 1, 2, 0]);
  expect([...countInside(Uint8Array.from([1, 1, 1, 1, 0]), codes, 2)]).toEqual([1, 2, 1]);
});

test('composition compares fractions inside and outside, largest difference first', () => {
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

test('a category absent from the selection is listed only if it is common in the rest', () => {
  const codes = new Uint8Array(1000);
  codes[999] = 1;
  codes.fill(2, 900, 999);
  const mask = new Uint8Array(1000).fill(1, 0, 500);
  expect(composition(mask, codes, [900, 1, 99, 0]).map(({ code }) => code)).toEqual([0, 2]);
});

test('the foremost categories include both enriched and depleted ones', () => {
  const part = (code: number, inside: number, rest: number) => ({ code, count: 1, inside, rest });
  const parts = [...[0.5, 0.4, 0.3, 0.2, 0.1].map((share, code) => part(code, share, 0)), part(5, 0, 0.05)];
  expect(foremost(parts, 4).map(({ code }) => code)).toEqual([0, 1, 2, 5]);
  expect(foremost(parts, 9)).toEqual(parts);
  const alone = parts.map((entry) => ({ ...entry, rest: Number.NaN }));
  expect(foremost(alone, 2)).toEqual(alone.slice(0, 2));
});

test('means and detected fractions inside and outside ignore missing values', () => {
  const values = Float32Array.from([0, 3, Number.NaN, 5, 7]);
  expect(valuesBySide(Uint8Array.from([1, 1, 1, 0, 0]), values)).toEqual({
    inside: { mean: 1.5, linear: Number.NaN, detected: 1 / 2 },
    outside: { mean: 6, linear: Number.NaN, detected: 1 },
  });
  expect(valuesBySide(new Uint8Array(5), values).inside.mean).toBeNaN();
});

describe('comparison of means', () => {
  const logs = (counts: readonly number[], base = Math.E) =>
    Float32Array.from(counts, (count) => Math.log1p(count) / Math.log(base));
  const mask = Uint8Array.from([1, 1, 0, 0]);
  const compare = (values: Float32Array, meaning: ReturnType<typeof geneMeaning>) => {
    const { inside, outside } = valuesBySide(mask, values, null, meaning.linear);
    return compared(inside, outside);
  };
  // One cell with many counts inside: the mean of the logarithms is lower there, the mean of the counts higher.
  const counts = [0, 60, 10, 10];

  test.each([null, Math.E, 2, 10])('logarithms of base %s are compared after back-transformation', (base) => {
    const values = logs(counts, base ?? Math.E);
    const { inside, outside } = valuesBySide(mask, values);
    expect(inside.mean).toBeLessThan(outside.mean);
    const comparison = compare(values, geneMeaning({ kind: 'log1p', log_base: base }, false));
    expect(comparison?.kind).toBe('ratio');
    if (comparison?.kind !== 'ratio') return;
    expect(comparison.ratio).toBeCloseTo(3, 4);
    expect(comparison.inside).toBeCloseTo(30, 4);
    expect(comparison.outside).toBeCloseTo(10, 4);
  });

  test('counts are compared by their ratio', () => {
    const counted = geneMeaning({ kind: 'counts', log_base: null }, false);
    expect(compare(Float32Array.from(counts), counted)).toEqual({
      kind: 'ratio',
      ratio: 3,
      inside: 30,
      outside: 10,
    });
    expect(compare(Float32Array.of(1, 1, 0, 0), counted)).toMatchObject({ ratio: Infinity });
    expect(compare(Float32Array.of(0, 0, 1, 1), counted)).toMatchObject({ ratio: 0 });
    expect(compare(Float32Array.of(0, 0, 0, 0), counted)).toMatchObject({ ratio: Number.NaN });
    expect(compare(Float32Array.of(Number.NaN, Number.NaN, 1, 1), counted)).toBeNull();
  });

  test.each([
    ['scaled', { kind: 'scaled', log_base: null } as const, true],
    ['other', { kind: 'other', log_base: null } as const, false],
    ['unstated', null, false],
    ['counts with negative values', { kind: 'counts', log_base: null } as const, true],
    ['a logarithm of base 1', { kind: 'log1p', log_base: 1 } as const, false],
  ])('%s values are compared by their difference', (_, stated, negative) => {
    const values = Float32Array.of(-1, 0.5, 0.25, Number.NaN);
    expect(compare(values, geneMeaning(stated, negative))).toEqual({ kind: 'difference', difference: -0.5 });
  });

  test('values too large for logarithms of counts are compared by their difference', () => {
    const comparison = compare(Float32Array.of(2000, 0, 1000, 1000), geneMeaning({ kind: 'log1p' }, false));
    expect(comparison).toEqual({ kind: 'difference', difference: 0 });
  });
});
