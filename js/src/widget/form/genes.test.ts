import { expect, test } from 'vitest';
import { modeOf, namesIn, partOf } from './gene-field';

test('names are separated by whitespace, commas and semicolons, without duplicates', () => {
  expect(namesIn(' EPCAM, CD3E;\nCD3E\tHLA-A\r\n')).toEqual(['EPCAM', 'CD3E', 'HLA-A']);
  expect(namesIn(' \n')).toEqual([]);
});

test('spaces do not separate names if names contain spaces', () => {
  expect(namesIn('146Nd CD68,  147Sm CD20 \n146Nd CD68\tX', '\\t\\r\\n,;')).toEqual([
    '146Nd CD68',
    '147Sm CD20',
    'X',
  ]);
});

test('commas and semicolons do not separate names if names contain them', () => {
  expect(namesIn('DRB1;DRB5 EPCAM,CD3E', '\\s,')).toEqual(['DRB1;DRB5', 'EPCAM', 'CD3E']);
  expect(namesIn('a, b;c d\ne', '\\t\\r\\n')).toEqual(['a, b;c d', 'e']);
});

test('the mode is derived from the value of genes_mode', () => {
  expect(modeOf('hvgs:200')).toEqual({ mode: 'hvgs', count: 200, names: [] });
  expect(modeOf('top_mean:7').mode).toBe('top_mean');
  expect(modeOf('all').mode).toBe('all');
  expect(modeOf(['A', 'B'])).toMatchObject({ mode: 'list', names: ['A', 'B'] });
});

test('a count at or above the number of genes is labeled as all genes', () => {
  expect(partOf(500, 2000, 0)).toBe('of 2,000');
  expect(partOf(500, 2000, 700)).toBe('of 2,000 · 700 marked as variable');
  expect(partOf(500, 34, 30)).toBe('All 34 genes');
  expect(partOf(34, 34, 0)).toBe('All 34 genes');
  expect(partOf(500, 1, 0)).toBe('All genes (1)');
  expect(partOf(500, 0, 0)).toBe('of 0');
});
