import { expect, test } from 'vitest';
import { areCodes } from './codes';
// The exporter's test has the same cases.
import cases from './codes.json';

test.each(cases)('$name: $distinct values in $cells cells', (one) => {
  const { first = 0, step = 1, distinct, cells, codes } = one;
  const values = Float64Array.from({ length: cells }, (_, i) => first + step * (i % distinct));
  expect(areCodes(one.name, values)).toBe(codes);
  values[0] = Number.NaN;
  values[cells - 1] = 0.5;
  expect(areCodes(one.name, values)).toBe(false);
});
