import { expect, test } from 'vitest';
import { areCodes } from './codes';
// Shared with the exporter's test.
import cases from './codes.json';

test.each(cases)('“$name” in $cells cells holds codes: $codes', (testCase) => {
  const { first = 0, step = 1, distinct = 0, cells, codes } = testCase;
  const pattern = testCase.values ?? Array.from({ length: distinct }, (_, i) => first + step * i);
  const values = Float64Array.from({ length: cells }, (_, i) => pattern[i % pattern.length] ?? 0);
  if (testCase.once !== undefined) values[1] = testCase.once;
  expect(areCodes(testCase.name, values)).toBe(codes);
  values[0] = Number.NaN;
  values[cells - 1] = 0.5;
  expect(areCodes(testCase.name, values)).toBe(false);
});
