import { expect, test } from 'vitest';
import { areCodes } from './codes';
// Shared with the exporter's test.
import cases from './codes.json';

test.each(cases)('$name in $cells cells: $codes', (one) => {
  const { first = 0, step = 1, distinct = 0, cells, codes } = one;
  const given = one.values ?? Array.from({ length: distinct }, (_, i) => first + step * i);
  const values = Float64Array.from({ length: cells }, (_, i) => given[i % given.length] ?? 0);
  if (one.once !== undefined) values[1] = one.once;
  expect(areCodes(one.name, values)).toBe(codes);
  values[0] = Number.NaN;
  values[cells - 1] = 0.5;
  expect(areCodes(one.name, values)).toBe(false);
});
