import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Fixture, fixture, gzipped } from '../data/bundle-fixture';
import { regionsFromCsv } from '../data/region-files';
import { below, damagedBytes, damagedValue, oneOf, type Random, randomFrom } from '../lib/damage-fixture';
import { asError, ViewerError } from '../lib/errors';
import { memorySource } from '../source/memory-source';
import { createActions } from './actions';
import { createLoader } from './loader';
import { createModel } from './model';
import { hashOf, openedView, savedView, viewOfHash } from './save/saved-view';

/** Number of inputs of each kind. An input depends only on its kind and number. */
const INPUTS = Number(process.env.KAROSPACE_FUZZ_INPUTS ?? 150);
const FIRST = Number(process.env.KAROSPACE_FUZZ_FIRST ?? 0);
const LONGEST_MS = 10_000;

const utf8 = new TextEncoder();
let columnar: Fixture;
let plain: Fixture;
beforeAll(async () => {
  columnar = await fixture('1.1.0', true, [1e7, 0]);
  plain = await fixture('1.0.0', false);
});
afterEach(() => vi.restoreAllMocks());

/** Describes an unexpected failure: a hang, or an error without a readable message. Null if there is none. */
async function faultOf(use: () => Promise<readonly unknown[]>): Promise<string | null> {
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('hangs')), LONGEST_MS).unref?.();
  });
  let reported: readonly unknown[];
  try {
    reported = await Promise.race([use(), timeout]);
  } catch (thrown) {
    reported = [thrown];
  }
  for (const error of reported.map(asError)) {
    if (error.message === 'hangs') return 'hangs';
    if (error instanceof ViewerError && error.tag !== 'unexpected') continue;
    if (error instanceof ViewerError || !/[.:?]/.test(error.message)) {
      const cause = error.cause instanceof Error ? error.cause : error;
      return `${cause.name}: ${cause.message}\n${cause.stack?.split('\n').slice(1, 5).join('\n')}`;
    }
  }
  return null;
}

/** Opens a bundle and colors by each of its annotations and genes; returns all reported errors. */
async function opened(files: ReadonlyMap<string, Uint8Array>): Promise<readonly unknown[]> {
  const model = createModel();
  const loader = createLoader(model, memorySource(files));
  const actions = createActions(model, loader);
  const reported: unknown[] = [];
  try {
    await loader.start();
    await loader.loadRest();
    const manifest = model.bundle.value?.manifest;
    const colors = [
      ...(manifest?.annotation_columns ?? []).map((column) => ({ kind: 'annotation', column }) as const),
      ...(manifest?.gene_list ?? []).map((gene) => ({ kind: 'gene', gene }) as const),
    ];
    for (const color of colors.slice(0, 12))
      await actions.setState({ color }).catch((thrown: unknown) => reported.push(thrown));
    await loader.settled();
  } catch (thrown) {
    reported.push(thrown);
  }
  const { status } = model;
  if (status.value.kind === 'error') reported.push(status.value.error);
  reported.push(...model.notices.value);
  loader.dispose();
  return reported;
}

const withManifest = ({ files }: Fixture, manifest: unknown) =>
  new Map(files).set('manifest.json', utf8.encode(JSON.stringify(manifest)));

const CSV = 'cell_id,region\r\na-1,"edge, upper"\r\nü,core\r\n"b ""2""",core\r\n';
const names = (cell: number) => ['a-1', 'b "2"', 'ü', ''][cell] ?? '';

const KINDS: Record<string, (random: Random) => Promise<readonly unknown[]>> = {
  manifest: async (random) => {
    const chosen = oneOf(random, [columnar, plain]);
    return opened(withManifest(chosen, damagedValue(chosen.manifest, random)));
  },
  'manifest text': async (random) => {
    const stored = columnar.files.get('manifest.json') ?? new Uint8Array(0);
    return opened(new Map(columnar.files).set('manifest.json', damagedBytes(stored, random)));
  },
  'files with an unchanged manifest': async (random) => {
    const files = new Map(oneOf(random, [columnar, plain]).files);
    const path = oneOf(random, [...files.keys()]);
    return opened(files.set(path, damagedBytes(files.get(path) ?? new Uint8Array(0), random)));
  },
  'files with matching sizes in the manifest': async (random) => {
    const files = new Map(plain.files);
    const manifest = structuredClone(plain.manifest);
    const file = oneOf(random, manifest.asset_files);
    const raw = files.get(file.path) ?? new Uint8Array(0);
    const text = file.path.endsWith('.json') && random() < 0.6;
    const damaged = text
      ? utf8.encode(JSON.stringify(damagedValue(JSON.parse(new TextDecoder().decode(raw)), random)))
      : damagedBytes(raw, random);
    const stored = random() < 0.3 ? await gzipped(damaged) : damaged;
    files.set(file.path, stored);
    file.size_bytes = stored.byteLength;
    for (const gene of manifest.expression.genes)
      for (const chunk of gene.chunks) if (chunk.path === file.path) chunk.size_bytes = stored.byteLength;
    return opened(withManifest({ files, manifest }, manifest));
  },
  'saved views': async (random) => {
    openedView(damagedValue(viewOf(), random), 4);
    return [];
  },
  'links with a view': async (random) => {
    const { hash } = await hashOf(viewOf());
    const at = 6 + below(random, hash.length - 6);
    const damaged = oneOf(random, [
      hash.slice(0, at),
      `${hash.slice(0, at)}${oneOf(random, ['A', '!', '-', '%', 'é'])}${hash.slice(at + 1)}`,
    ]);
    const view = await viewOfHash(damaged);
    if (view !== null) openedView(view, 4);
    return [];
  },
  'region tables': async (random) => {
    const text = new TextDecoder().decode(damagedBytes(utf8.encode(CSV), random));
    await regionsFromCsv(text, 4, names);
    return [];
  },
};

function viewOf() {
  const model = createModel({
    color: { kind: 'gene', gene: 'Actb' },
    opacity: 0.4,
    hidden: { cluster: ['1'] },
  });
  model.bundle.value = { manifest: { n_cells: 4 } } as never;
  model.regions.value = [{ name: 'edge', color: '#123456', cells: Uint32Array.of(0, 3) }];
  return savedView(model);
}

test.each(Object.entries(KINDS))(
  'damaged %s either load or fail with a readable error',
  async (kind, use) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const faults: string[] = [];
    for (let number = FIRST; number < FIRST + INPUTS; number++) {
      const fault = await faultOf(() => use(randomFrom(`${kind} ${number}`)));
      if (fault) faults.push(`${kind} ${number}: ${fault}`);
    }
    expect(faults.slice(0, 5).join('\n\n')).toBe('');
  },
  3_600_000,
);
