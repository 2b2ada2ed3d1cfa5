import { expect, test } from 'vitest';
import { geneMeaning, hasNegatives, scoreMeaning } from './value-meaning';

test.each([
  [{ kind: 'counts', log_base: null }, false, 'counts', true, true],
  [{ kind: 'log1p', log_base: null }, false, 'log1p values', true, true],
  [{ kind: 'log1p', log_base: Math.E }, false, 'log1p values', true, true],
  [{ kind: 'log1p', log_base: 2 }, false, 'log2(1 + x) values', true, true],
  [{ kind: 'scaled', log_base: null }, false, 'scaled values', false, false],
  [{ kind: 'other', log_base: null }, false, 'values', true, false],
  [{ kind: 'other', log_base: null }, true, 'values', false, false],
  [{ kind: 'log1p', log_base: null }, true, 'values', false, false],
  [null, false, 'values', true, false],
  [undefined, true, 'values', false, false],
] as const)(
  'values stated as %o, negative %s, are described as %s',
  (stated, negative, noun, detectable, ratio) => {
    const meaning = geneMeaning(stated, negative);
    expect(meaning).toMatchObject({ noun, detectable });
    expect(meaning.linear !== null).toBe(ratio);
  },
);

test('the mean of several genes has ratios only for counts', () => {
  expect(scoreMeaning(geneMeaning({ kind: 'counts' }, false)).linear).not.toBeNull();
  const score = scoreMeaning(geneMeaning({ kind: 'log1p' }, false));
  expect(score).toMatchObject({ noun: 'log1p values', linear: null });
});

test('a negative minimum in any gene is detected', () => {
  const gene = (min: number) => ({
    gene: 'g',
    index: 0,
    chunks: [],
    summary: { min, max: 1, mean: 0, fraction: 1, lower: 0, upper: 1 },
  });
  const expression = { format: '', dtype: 'float32' as const, n_cells: 1, gzip: true };
  expect(hasNegatives({ ...expression, genes: [gene(0), gene(0)] })).toBe(false);
  expect(hasNegatives({ ...expression, genes: [gene(0), gene(-0.1)] })).toBe(true);
  expect(hasNegatives({ ...expression, genes: [{ ...gene(0), summary: null }] })).toBe(false);
});
