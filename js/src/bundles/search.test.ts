import { describe, expect, it } from 'vitest';
import type { IndexedBundle } from '../contract/bundle-index';
import { found, hashOf, placeOf } from './search';

const bundle = (title: string, more: Partial<IndexedBundle> = {}): IndexedBundle => ({
  path: title.toLowerCase(),
  title,
  observations: 'cells',
  n_cells: 10,
  n_genes: 5,
  n_sections: 0,
  columns: ['cell_type'],
  preview: null,
  created_at: '2026-01-01T00:00:00Z',
  bytes: 1,
  sha256: '',
  ...more,
});

const BUNDLES = [
  bundle('Kidney', { n_cells: 30, path: 'mouse/k1' }),
  bundle('Liver', { columns: ['zonation'], created_at: '2026-05-01T00:00:00+02:00' }),
  bundle('Lung', { n_cells: 20 }),
];
const titles = (search: string, order: Parameters<typeof found>[2] = 'title') =>
  found(BUNDLES, search, order).map(({ title }) => title);

describe('search', () => {
  it('matches all words in title, folder and annotations', () => {
    expect(titles('')).toEqual(['Kidney', 'Liver', 'Lung']);
    expect(titles('L')).toEqual(['Kidney', 'Liver', 'Lung']); // cell_type
    expect(titles('ZONA liv')).toEqual(['Liver']);
    expect(titles('mouse')).toEqual(['Kidney']);
    expect(titles('mouse liver')).toEqual([]);
  });

  it('ignores accents', () => {
    const [accented] = found([bundle('Ünïcödé naïve')], 'UNICODE naive', 'title');
    expect(accented?.title).toBe('Ünïcödé naïve');
    expect(titles('lívér')).toEqual(['Liver']);
  });

  it('orders by number of cells and by date', () => {
    expect(titles('', 'cells')).toEqual(['Kidney', 'Lung', 'Liver']);
    expect(titles('', 'newest')[0]).toBe('Liver');
  });

  it('keeps the search, the order and the compared bundles in the URL hash', () => {
    const place = { search: 'a & b', order: 'cells', compared: ['x/y', 'a=b'] } as const;
    expect(placeOf(hashOf(place))).toEqual(place);
    expect(hashOf(placeOf(''))).toBe('');
    expect(placeOf('#order=evil&compare=1&compare=2&compare=3')).toEqual({
      search: '',
      order: 'title',
      compared: ['1', '2'],
    });
  });
});
