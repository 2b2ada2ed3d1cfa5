import { expect, test } from 'vitest';
import { type Cell, inferColumn, kindOf } from './infer-column';

/** Infers a column from JSON, which distinguishes text from numbers. */
const typed = (cells: Cell[]) => inferColumn('a', cells, kindOf(cells));

test('JSON numbers are numeric, and JSON text that looks like numbers is categorical', () => {
  expect(typed([1, 2, 1]).kind).toBe('number');
  const leiden = typed(['0', '10', '2', '0']);
  expect(leiden).toMatchObject({ kind: 'category' });
  if (leiden.kind === 'category') expect(leiden.categories.map(({ name }) => name)).toEqual(['0', '2', '10']);
});

test('few distinct integers in CSV are categories, other numbers are numeric', () => {
  const labels = Array.from({ length: 40 }, (_, i) => String(i % 5));
  expect(inferColumn('a', labels, null).kind).toBe('category');
  expect(inferColumn('a', ['1.5', '2', '7', null], null).kind).toBe('number');
});

test('a column without values has no categories', () => {
  expect(typed([null, null])).toMatchObject({
    kind: 'category',
    categories: [],
    missing: 2,
  });
});

test('more than 255 categories need wider codes', () => {
  const column = typed(Array.from({ length: 300 }, (_, i) => `c${i}`));
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.codes).toBeInstanceOf(Uint16Array);
  expect(column.categories[column.codes[299] ?? -1]?.name).toBe('c299');
});

test('names of prototype properties are ordinary categories', () => {
  const column = typed(['__proto__', 'constructor', '__proto__']);
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.categories.map(({ name, count }) => [name, count])).toEqual([
    ['__proto__', 2],
    ['constructor', 1],
  ]);
});

test('cluster numbers in JSON are categories in numeric order, counts are numeric', () => {
  const codes = Array.from({ length: 200 }, (_, i) => (i === 7 ? null : i % 11));
  const clusters = inferColumn('cluster', codes, kindOf(codes));
  if (clusters.kind !== 'category') throw new Error('not a category');
  expect(clusters.categories.map(({ name }) => name)).toEqual(
    Array.from({ length: 11 }, (_, i) => String(i)),
  );
  expect(clusters.codes[7]).toBe(11);
  expect(inferColumn('n_genes', codes, kindOf(codes)).kind).toBe('number');
});

test('categories are sorted as in the exporter', () => {
  const column = typed(['B10', 'é', 'b1', 'B2', '10', '-1', '2', '']);
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.categories.map(({ name }) => name)).toEqual(['', '2', '10', '-1', 'B2', 'B10', 'b1', 'é']);
});

test.each([true, false])('numbers that float32 would change are kept as float64, typed: %s', (json) => {
  for (const values of [
    [16_777_217, 16_777_216, 3],
    [0.1, 0.1 + 1e-12, 0.5],
    [1e-60, 1e60, -0.25],
  ]) {
    const column = json
      ? inferColumn('area', values, 'number')
      : inferColumn('area', values.map(String), null);
    if (column.kind !== 'number') throw new Error('not a number');
    expect(column.values).toBeInstanceOf(Float64Array);
    expect([...column.values]).toEqual(values);
    expect(column.summary.min).toBe(Math.min(...values));
  }
  const plain = json
    ? inferColumn('area', [0.1, 0.2, 7], 'number')
    : inferColumn('area', ['0.1', '0.2', '7'], null);
  if (plain.kind !== 'number') throw new Error('not a number');
  expect(plain.values).toBeInstanceOf(Float32Array);
});

test('identifiers beyond 2^53 are categories that keep all digits', () => {
  const digits = ['1152921504606846977', '1152921504606846978', '5'];
  const untyped = inferColumn('id', digits, null);
  const exact = typed([{ whole: digits[0] ?? '' }, { whole: digits[1] ?? '' }, 5]);
  for (const column of [untyped, exact]) {
    if (column.kind !== 'category') throw new Error('not a category');
    expect(column.categories.map(({ name }) => name)).toEqual(['5', ...digits.slice(0, 2)]);
  }
});

test('text that denotes a missing value is missing, but words that may name categories are kept', () => {
  const column = typed(['A', 'nan', 'NaN', '<NA>', 'NaT', null, 'None', 'NA', 'null', '']);
  if (column.kind !== 'category') throw new Error('not a category');
  expect(column.missing).toBe(5);
  expect(new Set(column.categories.map(({ name }) => name))).toEqual(
    new Set(['A', 'None', 'NA', 'null', '']),
  );
});

test('infinite numbers are missing, in CSV and in JSON', () => {
  for (const column of [
    inferColumn('a', ['1.5', 'inf', '-inf', '-Infinity', '2.5', null], null),
    typed([1.5, Infinity, -Infinity, 'nan', 2.5, null]),
  ]) {
    if (column.kind !== 'number') throw new Error('not numbers');
    const N = Number.NaN;
    expect([...column.values].filter(Number.isFinite)).toEqual([1.5, 2.5]);
    expect(column.values[1]).toBe(N);
  }
});

test('CSV text that only resembles a number is categorical', () => {
  for (const cells of [
    ['007', '008', '009'],
    ['0x10', '0x11', '0x12'],
    ['1 2', '3', '4'],
  ])
    expect(inferColumn('a', cells, null).kind).toBe('category');
});

test('the type of a JSON column determines how its CSV is read', () => {
  const few = Array.from({ length: 40 }, (_, i) => String(i % 5));
  expect(inferColumn('a', few, 'number').kind).toBe('number');
  expect(inferColumn('a', ['1.5', '2.5', '3.5'], 'text').kind).toBe('category');
  expect(inferColumn('a', ['1', 'x', '3'], 'number').kind).toBe('category');
});
