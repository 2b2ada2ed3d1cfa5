import { expect, test } from 'vitest';
import { composition, valuesBySide } from '../../data/composition';
import { cellsWhere, countsIn, outOfSight, packedIn, scopeOf, selectedIn, valuesIn } from './scope';

test('only cells with coordinates are in the scope', () => {
  const coords = Float32Array.of(0, 0, Number.NaN, Number.NaN, 2, 2, 3, 3);
  expect(scopeOf('all', Float32Array.of(0, 0, 1, 1))).toBeNull();
  const scope = scopeOf('A', coords);
  if (!scope) throw new Error('expected a scope: one cell has no coordinates');
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

test('a selection is compared with the rest of the scope', () => {
  const scope = scopeOf('A', Float32Array.of(0, 0, Number.NaN, Number.NaN, 2, 2, 3, 3));
  const selection = { mask: Uint8Array.of(1, 1, 0, 0), count: 2 };
  const selected = selectedIn(selection, scope);
  expect(selected).toEqual({ mask: Uint8Array.of(1, 0, 0, 0), count: 1 });
  expect(selectedIn(selection, null)).toBe(selection);
  expect(selectedIn({ mask: Uint8Array.of(0, 1, 0, 0), count: 1 }, scope)).toBeNull();
  const values = Float32Array.of(4, 100, 0, 3);
  expect(valuesBySide(selected?.mask ?? new Uint8Array(4), values, scope?.mask)).toEqual({
    inside: { mean: 4, linear: Number.NaN, detected: 1 },
    outside: { mean: 1.5, linear: Number.NaN, detected: 0.5 },
  });
});

test('cells in hidden categories are excluded from the selection and the rest', () => {
  // Cells: 40 in a, 20 in b, 40 in c, which is hidden. Selected: half of a, half of b, and 5 of c.
  const codes = Uint8Array.from({ length: 100 }, (_, cell) => (cell < 40 ? 0 : cell < 60 ? 1 : 2));
  const categories = [40, 20, 40].map((count, code) => ({
    name: 'abc'[code] ?? '',
    color: '#000000',
    count,
  }));
  const column = { kind: 'category' as const, name: 'c', categories, missing: 0, codes };
  const visible = (cell: number) => codes[cell] !== 2;
  const shown = cellsWhere(100, visible);
  const mask = new Uint8Array(100).fill(1, 0, 20).fill(1, 40, 50).fill(1, 60, 65);
  const selection = { mask, count: 35 };
  const selected = selectedIn(selection, shown);
  expect(selected?.count).toBe(30);
  const parts = composition(selected?.mask ?? mask, codes, countsIn(column, shown));
  expect(parts.map(({ code, inside, rest }) => [code, inside / rest])).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect(outOfSight(selection, { scope: null, shown, visible })).toEqual({
    elsewhere: 0,
    hidden: 5,
    unplaced: 0,
  });
});

test('cells left out of a selection are counted by reason', () => {
  const visible = (cell: number) => cell !== 1;
  const scope = { name: 'A', mask: Uint8Array.of(0, 1, 1, 1), count: 3 };
  const shown = { mask: Uint8Array.of(0, 0, 0, 1), count: 1 };
  const all = { mask: Uint8Array.of(1, 1, 1, 1), count: 4 };
  expect(outOfSight(all, { scope, shown, visible })).toEqual({ elsewhere: 1, hidden: 1, unplaced: 1 });
  expect(outOfSight(all, { scope: null, shown: null, visible: null })).toEqual({
    elsewhere: 0,
    hidden: 0,
    unplaced: 0,
  });
});
