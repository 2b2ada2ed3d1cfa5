import { expect, test } from 'vitest';
import { bundleText, nounOf, placedText, shownText } from './counts';

const all = { total: 9233, source: null, placed: 9233, place: 'UMAP', drawn: 9233, noun: 'cell' } as const;

test('a downsampled bundle states the number of cells of its source', () => {
  expect(bundleText(1000, 6471, 'cell')).toBe('1,000 of 6,471 cells');
  expect(bundleText(1000, 1000, 'cell')).toBe('1,000 cells');
  expect(bundleText(1, undefined, 'cell')).toBe('1 cell');
  expect(bundleText(1000, null, 'cell')).toBe('1,000 cells');
});

test('cells with coordinates are counted only if some lack them', () => {
  expect(placedText({ ...all, placed: 4603 })).toBe('4,603 of 9,233 cells have coordinates in UMAP');
  expect(placedText({ ...all, placed: 1 })).toBe('1 of 9,233 cells has coordinates in UMAP');
  expect(placedText(all)).toBe('');
});

test('an image states how many of the cells it draws', () => {
  expect(shownText(all)).toBe('9,233 cells');
  expect(shownText({ ...all, drawn: 4603 })).toBe('4,603 of 9,233 cells in view');
  expect(shownText({ ...all, placed: 4603, drawn: 4603 })).toBe(
    '4,603 of 9,233 cells have coordinates in UMAP',
  );
  expect(shownText({ ...all, placed: 4603, drawn: 12 })).toBe(
    '12 of 9,233 cells in view, 4,603 have coordinates in UMAP',
  );
  expect(shownText({ ...all, total: 1000, placed: 1000, drawn: 1000, source: 6471 })).toBe(
    '1,000 of 6,471 cells',
  );
  expect(shownText({ ...all, total: 1000, placed: 1000, drawn: 0, source: 6471 })).toBe(
    '0 of 1,000 cells in view (the source has 6,471)',
  );
});

test('rows are called cells, spots or bins', () => {
  expect(bundleText(2898, 3000, nounOf('spots'))).toBe('2,898 of 3,000 spots');
  expect(bundleText(1, null, nounOf('bins'))).toBe('1 bin');
  expect(shownText({ ...all, drawn: 12, noun: nounOf('bins') })).toBe('12 of 9,233 bins in view');
  expect([nounOf(undefined), nounOf('droplets')], 'nouns of a later version').toEqual(['cell', 'cell']);
});
