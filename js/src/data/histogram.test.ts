import { expect, test } from 'vitest';
import { histogram } from './histogram';

const heights = ({ bars }: ReturnType<typeof histogram>) => bars.map(({ height }) => height);
const counts = ({ bars }: ReturnType<typeof histogram>) => bars.map(({ count }) => count);

test('heights are square roots of counts, and values beyond the axis are counted in the end bars', () => {
  const values = Float32Array.of(-5, 0.5, 0.5, 0.5, 1.5, 2, 9, 9, Number.NaN, Number.POSITIVE_INFINITY);
  const made = histogram(values, [0, 2], 2);
  expect(counts(made)).toEqual([4, 4]);
  expect(made).toMatchObject({ below: 1, above: 2, zeros: 0 });
  expect(heights(made)).toEqual([1, 1]);
  expect(made.bars.map(({ from, to }) => [from, to])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect(heights(histogram(Float32Array.of(0.5, 1.5, 1.5, 1.5, 1.5), [0, 2], 2))).toEqual([0.5, 1]);
});

test('the bar of many zeros is cut off and marked', () => {
  const values = new Float32Array(1000);
  values.fill(0.1, 900, 910);
  values.fill(1.5, 910, 1000);
  const made = histogram(values, [0, 2], 4, { cutZeros: true });
  expect(counts(made)).toEqual([910, 0, 0, 90]);
  expect(made.bars.map(({ cut }) => cut)).toEqual([true, false, false, false]);
  expect(heights(made)).toEqual([1, 0, 0, 1]);
  expect(made.zeros).toBe(900);
  // Nothing is cut if another bar is taller.
  values.fill(1.5);
  values.fill(0, 0, 10);
  expect(histogram(values, [0, 2], 4, { cutZeros: true }).bars.some(({ cut }) => cut)).toBe(false);
});

test('a bar is not cut if all values are zero or without `cutZeros`', () => {
  const zeros = new Float32Array(10);
  const alone = histogram(zeros, [0, 1], 4, { cutZeros: true });
  expect(alone.bars[0]).toMatchObject({ count: 10, height: 1, cut: false });
  const signed = histogram(Float32Array.of(0, 0, 0, 0, 1), [-1, 1], 2);
  expect(signed.bars.map(({ height, cut }) => [height, cut])).toEqual([
    [0, false],
    [1, false],
  ]);
});
