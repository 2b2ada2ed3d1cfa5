import { describe, expect, it } from 'vitest';
import { type Amounts, piesOf, proportionsOf, sharesAt } from './proportions';

const category = (name: string, members?: string[]) => ({
  name,
  color: '#112233',
  count: 0,
  ...(members ? { members } : {}),
});
const TYPES = [category('a'), category('b'), category('c')];
const amounts: Amounts = new Map([
  ['a', Float32Array.of(1, 0, 0, Number.NaN, 3)],
  ['b', Float32Array.of(1, 0, 5, 1, 0)],
  ['c', Float32Array.of(2, 0, 0, 1, 1)],
]);

describe('shares', () => {
  it('are amounts divided by their sum, or null if the sum is zero or an amount is missing', () => {
    expect(sharesAt(amounts, TYPES, 0)).toEqual([0.25, 0.25, 0.5]);
    expect(sharesAt(amounts, TYPES, 1)).toBeNull();
    expect(sharesAt(amounts, TYPES, 3)).toBeNull();
  });

  it('of a group are the sum of its members', () => {
    expect(sharesAt(amounts, [category('b'), category('rest', ['a', 'c'])], 0)).toEqual([0.25, 0.75]);
  });
});

describe('pies', () => {
  it('end at the full circle, and are empty for cells without amounts', () => {
    const { slices, ends } = piesOf(amounts, TYPES, 5);
    expect(slices).toBe(3);
    expect([...ends]).toEqual([
      ...[16384, 32768, 65535],
      ...[0, 0, 0],
      ...[0, 65535, 65535],
      ...[0, 0, 0],
      ...[49151, 49151, 65535],
    ]);
  });
});

describe('proportions of a column', () => {
  const entry = { key: 'k', column: 'types', parts: ['x', 'y'] };
  it('are found by its name, unless there are too many slices to draw', () => {
    expect(proportionsOf({ n_cells: 10, proportions: [entry] }, 'types')).toBe(entry);
    expect(proportionsOf({ n_cells: 10, proportions: [entry] }, 'other')).toBeUndefined();
    expect(proportionsOf({ n_cells: 10, proportions: null }, 'types')).toBeUndefined();
    expect(proportionsOf({ n_cells: 30_000_000, proportions: [entry] }, 'types')).toBeUndefined();
  });
});
