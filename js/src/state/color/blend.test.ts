import { expect, test } from 'vitest';
import { MISSING_COLOR, parseColor } from '../../lib/color';
import { blended, cornersOf } from './blend';

test('two genes are blended, and a cell without a value of either is gray and drawn below all others', () => {
  const summary = { mean: 0, fraction: 1, min: 0, max: 1, lower: 0, upper: 1 };
  const part = (gene: string, values: number[]) => ({ gene, values: Float32Array.from(values), summary });
  const mixed = blended([part('A', [0, 1, 0, Number.NaN]), part('B', [0, 0, 1, 1])], false);
  const bytes = new Uint8Array(mixed.buffer);
  const rgba = (cell: number) => [...bytes.slice(4 * cell, 4 * cell + 4)];
  const [neither, first, second] = cornersOf(false);
  expect(rgba(0)).toEqual([...(neither ?? []), 1]);
  expect(rgba(1)).toEqual([...(first ?? []), 255]);
  expect(rgba(2)).toEqual([...(second ?? []), 255]);
  expect(rgba(3)).toEqual([...parseColor(MISSING_COLOR), 0]);
});
