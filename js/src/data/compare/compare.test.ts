import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compareGenes } from './compare';
import { type Batch, createComparer, type Question } from './comparer';
import { inWorker, sliced } from './engines';
import { FIELDS } from './gene-test';
import { adjusted, lnNormalTails, lnStudentTails } from './tails';

type Stored = number | 'inf' | '-inf' | null;

interface Golden {
  cases: {
    name: string;
    kind: 'log1p' | 'counts' | 'other';
    a: (number | null)[];
    b: (number | null)[];
    expected: Record<string, Stored>;
  }[];
  adjust: { log10_p: Stored[]; adjusted: Stored[] }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../tests/golden/differential.json', import.meta.url), 'utf8'),
) as Golden;

const numberOf = (value: Stored | undefined) =>
  value === 'inf' ? Infinity : value === '-inf' ? -Infinity : (value ?? Number.NaN);
const SCALE = { log1p: 1, counts: 0, other: null };

/** Runs one batch to its end. */
function run(question: Question, batch: Batch) {
  const genes = createComparer(question)(batch);
  let step = genes.next();
  while (!step.done) step = genes.next();
  return step.value;
}

/** Compares to ten digits, or to 1e-12 near zero. */
function expectNear(actual: number | undefined, expected: number, what: string): void {
  const distance = Math.abs((actual ?? Number.NaN) - expected);
  const same = Object.is(actual, expected) || distance <= 1e-10 * Math.abs(expected) || distance < 1e-12;
  expect(same, `${what}: ${actual} instead of ${expected}`).toBe(true);
}

test.each(golden.cases)('$name: statistics match scipy', ({ name, kind, a, b, expected }) => {
  const values = Float32Array.from([...a, ...b], (value) => value ?? Number.NaN);
  const group = Uint8Array.from([...a.map(() => 1), ...b.map(() => 2), 0, 0]);
  const padded = Float32Array.from([...values, 7, 0]);
  const { numbers, damaged } = run({ group, steps: null, scale: SCALE[kind] }, { values: padded });
  expect(damaged).toBe(false);
  FIELDS.forEach((field, i) => {
    expectNear(numbers[i], numberOf(expected[field]), `${name}, ${field}`);
  });
});

test.each(golden.adjust)(
  'p-values are adjusted by the method of Benjamini and Hochberg',
  ({ log10_p, adjusted: wanted }) => {
    const found = adjusted(log10_p.map(numberOf));
    wanted.forEach((value, i) => {
      expectNear(found[i], numberOf(value), `p-value ${i}`);
    });
  },
);

const STUDENT: [number, number, number][] = [
  [0.3, 2.5, -0.23909209149837385],
  [1.7, 1e6, -2.417645428049518],
  [0.01, 2e5, -0.008010702830155259],
  [2.5, 199998, -4.388437144531822],
  [30, 3, -9.416715253207565],
  [35, 1e6, -615.9064920509861],
  [20, 100000.5, -202.82308010707126],
  [1.2, 30, -1.4290751441073648],
  [300, 1000, -2259.1041584210525],
];

test('logarithms of tail probabilities stay accurate where the probabilities underflow', () => {
  // From scipy.special.log_ndtr.
  expectNear(lnNormalTails(40), -803.915294833194, 'z = 40');
  expectNear(lnNormalTails(2.828427), -5.364940874895643, 'z near the switch of methods');
  expect(lnNormalTails(0)).toBeCloseTo(0, 15);
  expect(lnStudentTails(0, 8)).toBeCloseTo(0, 15);
  // From scipy.stats.t; the last one from the integral of the density.
  for (const [t, df, log] of STUDENT) expectNear(lnStudentTails(t, df), log, `t = ${t}, df = ${df}`);
  expect(lnStudentTails(Infinity, 8)).toBe(-Infinity);
  expect(lnStudentTails(3, Number.NaN)).toBeNaN();
});

/** Packs genes as codes on two ladders: one for cells with even numbers, one for cells with odd numbers. */
function packed(genes: number[][]) {
  const total = genes[0]?.length ?? 0;
  const ladders = [0, 1].map((odd) =>
    [...new Set(genes.flatMap((gene) => gene.filter((value, cell) => value !== 0 && cell % 2 === odd)))].sort(
      (x, y) => x - y,
    ),
  );
  const entries = genes.map((gene) => gene.flatMap((value, cell) => (value === 0 ? [] : [{ value, cell }])));
  const codes = entries.map((gene) =>
    gene.map(({ value, cell }) => ladders[cell % 2]?.findIndex((x) => Object.is(x, value)) ?? -1),
  );
  const gaps = entries.map((gene) =>
    gene.length === total ? [] : gene.map(({ cell }, i) => cell - (gene[i - 1]?.cell ?? -1) - 1),
  );
  return {
    steps: {
      starts: Uint32Array.from([0, ladders[0]?.length ?? 0, ladders.flat().length]),
      values: Float32Array.from(ladders.flat()),
      ladderOf: Uint32Array.from({ length: total }, (_, cell) => cell % 2),
    },
    shard: {
      raw: Uint8Array.from([...gaps.flat(), ...codes.flat()]),
      stored: Uint32Array.from(entries, ({ length }) => length),
      gapBytes: Uint32Array.from(gaps, ({ length }) => length),
      width: Uint32Array.from(genes, () => 1),
    },
  };
}

const random = (seed: number) => () => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed / 2147483648;
};

test.each([
  [3, 0],
  [400, 0],
  [400, 70_000],
])('packed and dense genes have the same statistics (up to %i values, %i unused)', (most, unused) => {
  const next = random(most);
  const cells = 200;
  const genes = Array.from({ length: 6 }, (_, gene) =>
    Array.from({ length: cells }, () =>
      next() < 0.15 * gene ? Math.fround((Math.floor(next() * most) - most / 3) / 7) : 0,
    ),
  );
  const { steps: used, shard } = packed(genes);
  // Add unused values to the end of the last ladder.
  const steps = {
    ...used,
    starts: Uint32Array.from([...used.starts.slice(0, 2), used.values.length + unused]),
    values: Float32Array.from([...used.values, ...Array.from({ length: unused }, (_, i) => i + 1)]),
  };
  const group = Uint8Array.from({ length: cells }, () => Math.floor(next() * 3));
  const { numbers, damaged } = run({ group, steps, scale: null }, { shard });
  expect(damaged).toBe(false);
  genes.forEach((gene, i) => {
    const dense = run({ group, steps: null, scale: null }, { values: Float32Array.from(gene) });
    expect([...numbers.slice(i * FIELDS.length, (i + 1) * FIELDS.length)]).toEqual([...dense.numbers]);
  });
});

test('a missing or damaged file affects only its own genes', async () => {
  const good = [0, 2, 0, 3, 5, 0, 1, 4];
  const { steps, shard } = packed([good]);
  const table = {
    source: 'X',
    names: ['A', 'B', 'C', 'D'],
    steps: async () => steps,
    batches: [
      { first: 0, count: 1, path: 'a', read: async () => ({ shard }) },
      { first: 1, count: 1, path: 'b', read: () => Promise.reject(new Error('b is not there.')) },
      { first: 2, count: 1, path: 'c', read: async () => ({ shard: { ...shard, raw: shard.raw.slice(1) } }) },
      { first: 3, count: 1, path: 'd', read: async () => ({ shard }) },
    ],
  };
  const group = Uint8Array.from([1, 1, 1, 1, 2, 2, 2, 2]);
  const progressed: number[] = [];
  const found = await compareGenes(table, { group, scale: 0 }, sliced, {
    signal: new AbortController().signal,
    progress: (done) => progressed.push(done),
  });
  expect(found.genes).toEqual(['A', 'B', 'C', 'D']);
  const means = [...found.columns.mean_a];
  expect(means).toEqual([1.25, Number.NaN, Number.NaN, 1.25]);
  expect([...found.columns.u]).toEqual([5, Number.NaN, Number.NaN, 5]);
  expect(found.problems.map(({ message }) => message).sort()).toEqual([
    'b is not there.',
    'c cannot be read: its genes do not match the index.',
  ]);
  expect(progressed).toEqual([1, 2, 3, 4]);
});

test('a canceled comparison rejects', async () => {
  const { steps, shard } = packed([[0, 2, 0, 3, 5, 0, 1, 4]]);
  const stop = new AbortController();
  const batch = {
    first: 0,
    count: 1,
    path: 'a',
    read: async () => {
      stop.abort();
      return { shard };
    },
  };
  const pending = { first: 1, count: 1, path: 'b', read: () => new Promise<never>(() => {}) };
  const table = { source: 'X', names: ['A', 'B'], steps: async () => steps, batches: [batch, pending] };
  const group = Uint8Array.from([1, 1, 1, 1, 2, 2, 2, 2]);
  const result = compareGenes(table, { group, scale: 0 }, sliced, { signal: stop.signal });
  await expect(result).rejects.toThrow(/canceled|aborted/);
});

test('zeros that another exporter stored count as zeros', () => {
  const group = Uint8Array.from([1, 1, 1, 2, 2, 2]);
  const [gapBytes, width] = [Uint32Array.of(3), Uint32Array.of(1)];
  const shard = { raw: Uint8Array.from([0, 0, 0, 0, 0, 1]), stored: Uint32Array.of(3), gapBytes, width };
  const steps = {
    starts: Uint32Array.from([0, 2]),
    values: Float32Array.from([0, 3]),
    ladderOf: new Uint32Array(6),
  };
  const wanted = run({ group, steps: null, scale: 0 }, { values: Float32Array.from([0, 0, 3, 0, 0, 0]) });
  expect([...run({ group, steps, scale: 0 }, { shard }).numbers]).toEqual([...wanted.numbers]);
  const many = { ...steps, values: Float32Array.from([0, 3, ...new Float32Array(70_000).fill(9)]) };
  expect([...run({ group, steps: many, scale: 0 }, { shard }).numbers]).toEqual([...wanted.numbers]);
  // Float32: 0, −0 and 3 as planes.
  const planes = [0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0x40];
  const exact = { ...shard, raw: Uint8Array.from([0, 0, 0, ...planes]), width: Uint32Array.of(4) };
  expect([...run({ group, steps: null, scale: 0 }, { shard: exact }).numbers]).toEqual([...wanted.numbers]);
});

test('a file with many genes is read in one pass', () => {
  const genes = 30_000;
  const group = Uint8Array.from([1, 1, 1, 2, 2, 2]);
  const shard = {
    raw: new Uint8Array(2 * genes),
    stored: new Uint32Array(genes).fill(1),
    gapBytes: new Uint32Array(genes).fill(1),
    width: new Uint32Array(genes).fill(1),
  };
  let reads = 0;
  const counted = new Proxy(shard.gapBytes, {
    get: (target, key) => {
      reads++;
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const steps = {
    starts: Uint32Array.from([0, 1]),
    values: Float32Array.of(2),
    ladderOf: new Uint32Array(6),
  };
  run({ group, steps, scale: 0 }, { shard: { ...shard, gapBytes: counted } });
  expect(reads).toBeLessThan(10 * genes);
});

/** Returns a worker whose script is a function. It answers in a microtask. */
function fakeWorker(answer: (message: unknown, count: number) => unknown) {
  let count = 0;
  const worker = {
    ended: false,
    onmessage: null as ((event: { data: unknown }) => void) | null,
    onerror: null as ((event: unknown) => void) | null,
    onmessageerror: null,
    postMessage(message: unknown) {
      queueMicrotask(() => {
        if (worker.ended) return;
        try {
          worker.onmessage?.({ data: answer(message, count++) });
        } catch (thrown) {
          worker.onerror?.({ preventDefault() {}, message: (thrown as Error).message });
        }
      });
    },
    terminate() {
      worker.ended = true;
    },
  };
  return worker;
}

const SMALL = packed([[0, 2, 0, 3, 5, 0, 1, 4]]);
const HALVES = { group: Uint8Array.from([1, 1, 1, 1, 2, 2, 2, 2]), scale: 0 };

function smallTable(count: number) {
  const batches = Array.from({ length: count }, (_, first) => ({
    first,
    count: 1,
    path: `p${first}`,
    read: async () => ({ shard: { ...SMALL.shard, raw: SMALL.shard.raw.slice() } }),
  }));
  const names = batches.map(({ path }) => path);
  return { source: 'X', names, steps: async () => SMALL.steps, batches };
}

test('a worker that fails at the start is replaced by slices in the page', async () => {
  const worker = fakeWorker(() => {
    throw new Error('no script');
  });
  const found = await compareGenes(
    smallTable(5),
    HALVES,
    inWorker(() => worker as unknown as Worker),
    {
      signal: new AbortController().signal,
    },
  );
  expect([...found.columns.u]).toEqual([5, 5, 5, 5, 5]);
  expect(worker.ended).toBe(true);
});

test('a worker that fails later ends the comparison', async () => {
  const numbers = new Float64Array(FIELDS.length);
  const worker = fakeWorker((_, count) => {
    if (count === 2) throw new Error('out of memory');
    return count === 0 ? null : { numbers, damaged: false };
  });
  const result = compareGenes(
    smallTable(9),
    HALVES,
    inWorker(() => worker as unknown as Worker),
    {
      signal: new AbortController().signal,
    },
  );
  await expect(result).rejects.toThrow('The comparison failed: out of memory.');
  expect(worker.ended).toBe(true);
});

test('canceling a comparison ends a worker that has not answered yet', async () => {
  const worker = fakeWorker(() => null);
  worker.postMessage = () => {};
  const stop = new AbortController();
  const result = compareGenes(
    smallTable(2),
    HALVES,
    inWorker(() => worker as unknown as Worker),
    {
      signal: stop.signal,
    },
  );
  setTimeout(() => stop.abort());
  await expect(result).rejects.toThrow('canceled');
  expect(worker.ended).toBe(true);
});

test('if no file can be read, the comparison fails', async () => {
  const table = smallTable(3);
  for (const batch of table.batches) batch.read = () => Promise.reject(new Error(`${batch.path} is gone.`));
  const result = compareGenes(table, HALVES, sliced, { signal: new AbortController().signal });
  await expect(result).rejects.toThrow('is gone.');
});
