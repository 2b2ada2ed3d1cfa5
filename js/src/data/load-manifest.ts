import { LIMITS } from '../contract/limits';
import type { Manifest } from '../contract/manifest';
import { MANIFEST_SHAPE } from '../contract/manifest-shape';
import { FormatError, LooseFileError, VersionError } from '../lib/errors';
import { formatCount } from '../lib/format';
import { looseJson } from '../lib/json';
import { differs } from '../lib/shape';
import type { BundleSource, ReadContext } from '../source/bundle-source';
import { decode } from './asset';

const PATH = 'manifest.json';
/** Maximum number of cells whose coordinates fit into the memory of a page. */
const MAX_CELLS = 2 ** 27;
const KNOWN_MAJOR = '1';
type Kind = NonNullable<Manifest['columns']>[number]['kind'];
/** Kinds of columns; later versions of the format may have others. */
const KNOWN_KINDS = { category: true, number: true } satisfies Record<Kind, true>;

/** Reads and checks the manifest. Adds format violations that can be tolerated to `remarks`. */
export async function loadManifest(
  source: BundleSource,
  ctx: ReadContext,
  remarks: Error[] = [],
): Promise<Manifest> {
  const bytes = await decode(
    PATH,
    await source.read(PATH, { ...ctx, most: LIMITS.manifest }),
    {},
    ctx.signal,
  );
  let value: unknown;
  try {
    const read = looseJson(new TextDecoder().decode(bytes));
    value = read.value;
    if (read.constants > 0)
      remarks.push(
        new LooseFileError(PATH, 'it is not strict JSON: it contains NaN or Infinity, read as null'),
      );
  } catch (cause) {
    throw new FormatError(PATH, 'it is not valid JSON', cause);
  }
  return checkManifest(value);
}

/**
 * Checks the version and the types of the fields that the viewer depends on; ignores unknown fields. Returns
 * the manifest, with a dataset name of limited length and without columns of unknown kinds.
 */
export function checkManifest(value: unknown): Manifest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(PATH, 'it is not a JSON object');
  }
  const fields = value as Record<string, unknown>;
  const version = fields.schema_version;
  if (typeof version !== 'string') throw new FormatError(PATH, '“schema_version” is missing');
  if (version.split('.')[0] !== KNOWN_MAJOR) throw new VersionError(version, `${KNOWN_MAJOR}.x`);
  const problem = differs(value, MANIFEST_SHAPE);
  if (problem) throw new FormatError(PATH, problem);
  const cells = fields.n_cells as number;
  if (cells > MAX_CELLS)
    throw new FormatError(
      PATH,
      `it states ${formatCount(cells)} cells; the viewer supports at most ${formatCount(MAX_CELLS)}`,
    );
  const manifest = { ...value } as Manifest;
  if (typeof manifest.dataset_name === 'string' && manifest.dataset_name.length > LIMITS.dataset_name)
    manifest.dataset_name = `${manifest.dataset_name.slice(0, LIMITS.dataset_name)}…`;
  if (manifest.columns)
    manifest.columns = manifest.columns.filter(({ kind }) => Object.hasOwn(KNOWN_KINDS, kind));
  return manifest;
}
