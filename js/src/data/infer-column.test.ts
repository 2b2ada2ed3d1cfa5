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

test('codes of clusters in JSON are categories in their order, counts are numbers', () => {
  const codes = Array.from({ length: 200 }, (_, i) => (i === 7 ? null : i % 11));
  const clusters = inferColumn('cluster', codes, true);
  if (clusters.kind !== 'category') throw new Error('not a category');
  expect(clusters.categories.map(({ name }) => name)).toEqual(
    Array.from({ length: 11 }, (_, i) => String(i)),
  );
  expect(clusters.codes[7]).toBe(11);
  expect(inferColumn('n_genes', codes, true).kind).toBe('number');
});

test('text has the order of the exporter', () => {
  const column = inferColumn('a', ['B10', 'é', 'b1', 'B2', '10', '-1', '2', ''], true);
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.categories.map(({ name }) => name)).toEqual(['', '2', '10', '-1', 'B2', 'B10', 'b1', 'é']);
});

test.each([true, false])('numbers that float32 would change stay as they are, typed: %s', (typed) => {
  for (const values of [
    [16_777_217, 16_777_216, 3],
    [0.1, 0.1 + 1e-12, 0.5],
    [1e-60, 1e60, -0.25],
  ]) {
    const column = inferColumn('area', typed ? values : values.map(String), typed);
    if (column.kind !== 'number') throw new Error('not a number');
    expect(column.values).toBeInstanceOf(Float64Array);
    expect([...column.values]).toEqual(values);
    expect(column.summary.min).toBe(Math.min(...values));
  }
  const plain = inferColumn('area', typed ? [0.1, 0.2, 7] : ['0.1', '0.2', '7'], typed);
  if (plain.kind === 'number') expect(plain.values).toBeInstanceOf(Float32Array);
});

test('identifiers beyond 2^53 are categories with all their digits', () => {
  const digits = ['1152921504606846977', '1152921504606846978', '5'];
  const untyped = inferColumn('id', digits, false);
  const typed = inferColumn('id', [{ whole: digits[0] ?? '' }, { whole: digits[1] ?? '' }, 5], true);
  for (const column of [untyped, typed]) {
    if (column.kind !== 'category') throw new Error('not a category');
    expect(column.categories.map(({ name }) => name)).toEqual(['5', ...digits.slice(0, 2)]);
  }
});
