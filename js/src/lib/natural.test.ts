import { expect, test } from 'vitest';
import { naturalOrder } from './natural';
// The exporter's test compares the same cases with anndata's own order.
import cases from './natural-order.json';

test.each(cases)('names are sorted as in anndata: %s, %s', (...names) => {
  expect(naturalOrder([...names].reverse())).toEqual(names);
});
