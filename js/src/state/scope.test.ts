import { expect, test } from 'vitest';
import { valuesBySide } from '../data/inside';
import { countsIn, packedIn, scopeOf, selectedIn, valuesIn } from './scope';

test('only what has a place counts', () => {
  const coords = Float32Array.of(0, 0, Number.NaN, Number.NaN, 2, 2, 3, 3);
  expect(scopeOf('all', Float32Array.of(0, 0, 1, 1))).toBeNull();
  const scope = scopeOf('A', coords);
  if (!scope) throw new Error('one cell has no place');
  expect([...scope.mask]).toEqual([1, 0, 1, 1]);
  expect(scope.count).toBe(3);
  const values = Float32Array.of(1, 2, Number.NaN, 4);
  expect([...valuesIn(values, scope)]).toEqual([1, Number.NaN, Number.NaN, 4]);
  expect([...packedIn(values, scope)]).toEqual([1, Number.NaN, 4]);
  expect(valuesIn(values, null)).toBe(values);
  const categories = ['a', 'b'].map((name) => ({ name, color: '#000000', count: 9 }));
  const column = {
    kind: 'category' as const,
    name: 'c',
    categories,
    missing: 5,
    codes: Uint8Array.of(0, 1, 2, 0),
  };
  expect([...Array.from(countsIn(column, scope))]).toEqual([2, 0, 1]);
  expect([...Array.from(countsIn(column, null))]).toEqual([9, 9, 5]);
});

test('a selection against the rest of what is shown', () => {
  const scope = scopeOf('A', Float32Array.of(0, 0, Number.NaN, Number.NaN, 2, 2, 3, 3));
  const selection = { mask: Uint8Array.of(1, 1, 0, 0), count: 2 };
  const here = selectedIn(selection, scope);
  expect(here).toEqual({ mask: Uint8Array.of(1, 0, 0, 0), count: 1 });
  expect(selectedIn(selection, null)).toBe(selection);
  expect(selectedIn({ mask: Uint8Array.of(0, 1, 0, 0), count: 1 }, scope)).toBeNull();
  const values = Float32Array.of(4, 100, 0, 3);
  expect(valuesBySide(here?.mask ?? new Uint8Array(4), values, scope?.mask)).toEqual({
    inside: { mean: 4, detected: 1 },
    outside: { mean: 1.5, detected: 0.5 },
  });
});
