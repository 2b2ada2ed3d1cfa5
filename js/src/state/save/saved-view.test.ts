import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ViewFileError } from '../../lib/errors';
import { openedView, viewOfHash } from './saved-view';

const link = (text: string | Buffer) => `#view=${deflateRawSync(text).toString('base64url')}`;

test('a view is read from a link', async () => {
  expect(await viewOfHash(link('{"opacity":0.5}'))).toEqual({ opacity: 0.5 });
  expect(await viewOfHash('#chapter-2')).toBeNull();
});

test('a link that decompresses to far more than any view is rejected', async () => {
  const bomb = link(Buffer.alloc(50_000_000, ' '));
  expect(bomb.length).toBeLessThan(70_000);
  expect(await viewOfHash(bomb)).toBeInstanceOf(ViewFileError);
});

test('regions with more cells than the limit are rejected before they are unpacked', () => {
  const cells = 2 ** 22;
  const all = Buffer.alloc(cells / 8, 255).toString('base64');
  const view = (count: number) => ({
    karospace_view: 1,
    n_cells: cells,
    state: {},
    regions: Array.from({ length: count }, (_, at) => ({ name: `r${at}`, color: '', bits: all })),
  });
  expect(openedView(view(1), cells).regions?.[0]?.cells.length).toBe(cells);
  expect(() => openedView(view(17), cells)).toThrow('contain more than 67,108,864 cells in total');
});
