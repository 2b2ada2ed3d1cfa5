import { describe, expect, it } from 'vitest';
import { toBase64 } from '../lib/bytes';
import { encoded, parsed, urlOf } from './bundle-index';

const ENTRY = {
  path: 'a/b',
  title: 'A',
  observations: 'cells',
  n_cells: 1,
  n_genes: 1,
  n_sections: 0,
  columns: [],
  preview: 'preview.png',
  created_at: '',
  bytes: 1,
  sha256: '',
};
const listed = (...bundles: unknown[]) =>
  toBase64(new TextEncoder().encode(JSON.stringify({ version: 1, title: 'T', bundles })));

describe('list of bundles', () => {
  it('is read from the text of its script', () => {
    expect(parsed(encoded(`karospaceFile("bundles.json","${listed(ENTRY)}")\n`)).bundles).toEqual([ENTRY]);
    for (const text of ['<!doctype html>', 'karospaceFile("other","YQ==")', 'alert(1)'])
      expect(() => encoded(text)).toThrow('not a list of bundles');
  });

  it('is rejected if it is damaged or has paths outside its folder', () => {
    expect(() => parsed('YQ==')).toThrow('not JSON');
    expect(() => parsed(listed({ ...ENTRY, n_cells: 'many' }))).toThrow('n_cells');
    for (const path of ['../x', '/x', 'c:x', '', 'a//../b'])
      expect(() => parsed(listed({ ...ENTRY, path }))).toThrow('outside the folder');
    expect(() => parsed(listed({ ...ENTRY, preview: '../x.png' }))).toThrow('outside the folder');
  });

  it('has paths in which all special characters are escaped', () => {
    expect(urlOf('https://a.example/x/', 'b?c#d/e f', 'p%20q.png')).toBe(
      'https://a.example/x/b%3Fc%23d/e%20f/p%2520q.png',
    );
    expect(urlOf('https://a.example/x/', 'javascript:alert(1)', 'index.html')).toBe(
      'https://a.example/x/javascript%3Aalert(1)/index.html',
    );
    expect(urlOf('https://a.example/x/', '//evil.example', 'index.html')).toMatch(/^https:\/\/a\.example\//);
  });
});
