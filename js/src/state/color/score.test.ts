import { expect, test } from 'vitest';
import { Score } from './score';

const N = Number.NaN;

test('a score is the mean over the genes with a value in the cell', () => {
  const score = new Score(4);
  score.add({ values: Float32Array.of(1, N, N, 0) });
  score.add({ values: Float32Array.of(3, 2, N, 4) });
  const { values, partial } = score.mean();
  expect([...values]).toEqual([2, 2, N, 2]);
  expect(partial).toBe(1);
});

test('without missing values, the score is the mean of all genes', () => {
  const score = new Score(2);
  score.add({ values: Float32Array.of(1, 0) });
  score.add({ values: Float32Array.of(2, 0) });
  score.add({ values: Float32Array.of(6, 3) });
  expect(score.mean()).toEqual({ values: Float32Array.of(3, 1), partial: 0 });
});
