import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FONT, fitted } from './plot';

beforeEach(() => {
  // Without a canvas, each letter is as wide as the font is high.
  vi.stubGlobal('document', { createElement: () => ({ getContext: () => null }) });
});
afterEach(() => vi.unstubAllGlobals());

test('names that differ only at the end, or only at the beginning, still differ when shortened', () => {
  const most = 12 * FONT;
  const ends = ['CD4', 'CD8'].map((end) => fitted(`Tumor-infiltrating lymphocyte, ${end}`, most));
  expect(ends).toEqual(['Tumor-…, CD4', 'Tumor-…, CD8']);
  const starts = ['Resting', 'Activated'].map((start) =>
    fitted(`${start} tumor-infiltrating lymphocyte`, most),
  );
  expect(new Set(starts).size).toBe(2);
});

test('a name that fits is unchanged, and letters of several code units are not cut', () => {
  expect(fitted('B cell', 6 * FONT)).toBe('B cell');
  expect(fitted('🧬🧬🧬🧬🧬🧬🧬🧬', 7 * FONT)).toBe('🧬🧬…🧬');
  expect(fitted('abcdefgh', 1)).toBe('a…h');
});
