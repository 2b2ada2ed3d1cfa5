import { expect, test } from 'vitest';
import type { Manifest } from '../contract/manifest';
import { placedSections } from '../lib/section-grid';
import type { Layout } from '../state/view-state';
import { imagePieces } from './image-pieces';

const IMAGE = { path: 'a.png', width: 1, height: 1 };
const GRID: Layout = { kind: 'sections', columns: 2, order: 'file' };
const LAYOUTS: Layout[] = [{ kind: 'tissue' }, { kind: 'section', name: 'B' }, GRID];

/** Returns, for each layout, the section of each image and whether the image is clipped. */
function pieces(overlapping: boolean, withImage: string) {
  const items = ['A', 'B'].map((name) => ({
    name,
    count: 1,
    extent: [0, 0, 9, 9] as [number, number, number, number],
    ...(withImage.includes(name) ? { image: IMAGE } : {}),
  }));
  const sections: Manifest['sections'] = { column: 's', overlapping, items, missing: 0 };
  const { placed } = placedSections(items, 2, 'down');
  return LAYOUTS.map((layout) =>
    imagePieces(layout, sections, layout === GRID ? placed : []).map(({ section, field }) => [
      section,
      field !== null,
    ]),
  );
}

test('a shared image is drawn under all sections that share its coordinates, clipped to a single section', () => {
  const whole = [null, false];
  const part = [null, true];
  expect(pieces(false, '')).toEqual([[whole], [part], [part, part]]);
  expect(imagePieces({ kind: 'tissue' }, null, [])).toHaveLength(1);
  expect(imagePieces({ kind: 'embedding', name: 'X_umap' }, null, [])).toEqual([]);
});

test('an image of an unknown section is not drawn under overlapping sections', () => {
  expect(pieces(true, '')).toEqual([[], [], []]);
});

test('each section has its own image; overlapping sections in the tissue layout have none', () => {
  const grid = [
    ['A', true],
    ['B', true],
  ];
  expect(pieces(true, 'AB')).toEqual([[], [['B', false]], grid]);
  expect(pieces(false, 'AB')).toEqual([grid, [['B', false]], grid]);
});
