import { expect, test } from 'vitest';
import { inferColumn } from './infer-column';

test('numbers in JSON are numbers, text that looks like numbers is a class', () => {
  expect(inferColumn('a', [1, 2, 1], true).kind).toBe('number');
  const leiden = inferColumn('a', ['0', '10', '2', '0'], true);
  expect(leiden).toMatchObject({ kind: 'category' });
  if (leiden.kind === 'category') expect(leiden.categories.map(({ name }) => name)).toEqual(['0', '2', '10']);
});

test('in CSV few whole numbers are labels, others are numbers', () => {
  const labels = Array.from({ length: 40 }, (_, i) => String(i % 5));
  expect(inferColumn('a', labels, false).kind).toBe('category');
  expect(inferColumn('a', ['1.5', '2', '7', null], false).kind).toBe('number');
});

test('nothing but missing values is a column of no classes', () => {
  expect(inferColumn('a', [null, null], true)).toMatchObject({
    kind: 'category',
    categories: [],
    missing: 2,
  });
});

test('more than 255 classes need wider codes', () => {
  const column = inferColumn(
    'a',
    Array.from({ length: 300 }, (_, i) => `c${i}`),
    true,
  );
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.codes).toBeInstanceOf(Uint16Array);
  expect(column.categories[column.codes[299] ?? -1]?.name).toBe('c299');
});

test('names of the prototype are only names', () => {
  const column = inferColumn('a', ['__proto__', 'constructor', '__proto__'], true);
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.categories.map(({ name, count }) => [name, count])).toEqual([
    ['__proto__', 2],
    ['constructor', 1],
  ]);
});
