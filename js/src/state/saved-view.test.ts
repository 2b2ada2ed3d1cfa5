import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ViewFileError } from '../lib/errors';
import { viewOfHash } from './saved-view';

const link = (text: string | Buffer) => `#view=${deflateRawSync(text).toString('base64url')}`;

test('a link holds a view', async () => {
  expect(await viewOfHash(link('{"opacity":0.5}'))).toEqual({ opacity: 0.5 });
  expect(await viewOfHash('#chapter-2')).toBeNull();
});

test('a link that unpacks to far more than any view is told, and not unpacked', async () => {
  const bomb = link(Buffer.alloc(50_000_000, ' '));
  expect(bomb.length).toBeLessThan(70_000);
  expect(await viewOfHash(bomb)).toBeInstanceOf(ViewFileError);
});
