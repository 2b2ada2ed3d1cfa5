import { expect, test } from 'vitest';
import { countsIn, packedIn, scopeOf, valuesIn } from './scope';

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
