import { expect, test } from 'vitest';
import { columnsOf, readMarkers } from './markers';

const GENES = 3;

/** A file with two categories, whose numbers are their positions in the file. */
function file(): Uint8Array {
  const bytes = new Uint8Array(20 + 4 * GENES * 17);
  const head = new DataView(bytes.buffer);
  [0x4b4d534b, 1, 2, GENES, 8].forEach((word, i) => {
    head.setUint32(4 * i, word, true);
  });
  // The lowest byte of each number, in the first plane of its array.
  for (let array = 0; array < 17; array++) bytes.fill(array, 20 + array * 12, 20 + array * 12 + GENES);
  return bytes;
}

test('a category is read from its position in the file', () => {
  const found = readMarkers(file(), 1, 2, GENES);
  expect(found?.arrays.map(([first]) => first)).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
  expect(new Uint32Array(found?.ties.buffer ?? new ArrayBuffer(0))[2]).toBe(0);
});

test.each([
  ['a file with other magic bytes', (bytes: Uint8Array) => bytes.fill(1, 0, 1)],
  ['a file of another version', (bytes: Uint8Array) => bytes.fill(2, 4, 5)],
  ['a file with other categories', (bytes: Uint8Array) => bytes.fill(3, 8, 9)],
  ['a truncated file', (bytes: Uint8Array) => bytes.subarray(0, -1)],
  ['an empty file', () => new Uint8Array()],
])('%s is rejected', (_, damage) => {
  expect(readMarkers(damage(file()), 0, 2, GENES)).toBeNull();
});

const floats = (...values: number[]) => new Uint32Array(Float32Array.from(values).buffer);

test('p-values and the AUC are computed from the stored numbers', () => {
  // Ten cells, four in the category. Genes: one with tests, one with equal values, one with too few cells.
  const stored = {
    ties: Float32Array.of(1, 0, 1),
    arrays: [
      Uint32Array.of(4, 4, 2),
      floats(2, 1, 1),
      floats(1, 1, 1),
      floats(1, 1, 1),
      floats(0.5, 1, 1),
      floats(Infinity, Number.NaN, Number.NaN),
      floats(1, Number.NaN, Number.NaN),
      floats(2.5, Number.NaN, Number.NaN),
    ],
  };
  const found = columnsOf(
    stored,
    () => 10,
    (gene) => gene === 2,
    0,
  );
  const sigma = Math.sqrt((24 / 12) * 11);
  expect(found.auc[0]).toBeCloseTo(0.5 + (2.5 * sigma) / 24, 12);
  expect(found.auc[1]).toBe(0.5);
  expect(found.auc[2]).toBeNaN();
  expect(found.log10_p[0]).toBeCloseTo(-1.777464373433554, 12);
  expect(found.t_log10_p[0]).toBe(-Infinity);
  expect([...found.log2_fold_change.slice(0, 2)]).toEqual([expect.closeTo(1, 6), 0]);
  expect(found.log2_fold_change[2]).toBeNaN();
  expect(found.log10_p_adjusted[1]).toBeNaN();
});
