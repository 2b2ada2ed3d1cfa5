import { expect, test } from 'vitest';
import { BINS, halfWidths, spreadsByCode } from './distribution';

const signal = new AbortController().signal;
const VALUES = Float32Array.from([0, 1, 2, 3, 4, Number.NaN, 10, 20]);
const CODES = Uint8Array.from([0, 0, 0, 0, 0, 0, 1, 2]);
const scale = { share: (value: number) => Math.min(1, value / 4), range: [0.5, 3] } as const;

test('quartiles and bins are computed per category, ignoring cells without a value or category', async () => {
  const [one, two] = await spreadsByCode(VALUES, CODES, 2, scale, { signal });
  expect(one).toMatchObject({ count: 5, mean: 2, q1: 1, median: 2, q3: 3, below: 1, above: 1 });
  expect(one?.bins[0]).toBe(1);
  expect(one?.bins[BINS / 2]).toBe(1);
  expect(one?.bins[BINS - 1]).toBe(1);
  expect(two).toMatchObject({ count: 1, median: 10 });
  expect(two?.bins[BINS - 1]).toBe(1);
});

test('a mask restricts the cells to one side', async () => {
  const mask = Uint8Array.from([1, 1, 1, 0, 0, 1, 0, 0]);
  const [inside, none] = await spreadsByCode(VALUES, CODES, 2, scale, { mask, signal });
  expect(inside).toMatchObject({ count: 3, median: 1 });
  expect(none?.count).toBe(0);
  const [outside] = await spreadsByCode(VALUES, CODES, 2, scale, { mask, side: 0, signal });
  expect(outside).toMatchObject({ count: 2, median: 3.5 });
});

test('an aborted computation rejects', async () => {
  const aborted = new AbortController();
  aborted.abort();
  await expect(spreadsByCode(VALUES, CODES, 2, scale, { signal: aborted.signal })).rejects.toThrow();
});

test('a violin is widest at the fullest bin', () => {
  const bins = new Uint32Array(BINS);
  bins[10] = 4;
  bins[30] = 16;
  const widths = halfWidths(bins);
  expect(widths[30]).toBe(1);
  expect(widths[10]).toBeCloseTo(0.5);
  expect(widths[20]).toBe(0);
  expect([...halfWidths(new Uint32Array(BINS))]).toEqual(new Array(BINS).fill(0));
});
