import type { Plain } from '../../contract/plain';
import type { SavedView as Stored } from '../../contract/view';
import { SAVED_VIEW_SHAPE } from '../../contract/view-shape';
import { MAX_REGION_CELLS, MAX_REGIONS } from '../../data/region-files';
import { packPlaces, placesIn, setIn } from '../../lib/bits';
import { fromBase64, toBase64 } from '../../lib/bytes';
import type { Noun } from '../../lib/counts';
import { LeftOutError, ViewFileError } from '../../lib/errors';
import { counted, formatCount } from '../../lib/format';
import { inflate } from '../../lib/inflate';
import { differs } from '../../lib/shape';
import { type GeneSet, geneSetsOf, linkedSets, setsOfLink } from '../color/gene-sets';
import type { Model } from '../model';
import type { Region } from '../selection/selection';
import { INITIAL, type ViewState } from '../view-state';

/** View as stored in a file or a link. */
export type SavedView = Plain<Stored>;

export interface OpenedView {
  state: Partial<ViewState>;
  /** The gene sets of a link; null if those in the state apply. */
  geneSets: readonly GeneSet[] | null;
  /** Null if the view does not specify regions. */
  regions: Region[] | null;
  /** Describes the parts that were left out; null if the view is complete. */
  leftOut: LeftOutError | null;
}

/**
 * Saves the current view. With `whole`, stores all fields, so that the view does not depend on the defaults of later
 * versions; otherwise only those that differ from the defaults. With `link`, leaves out the genes of sets that the bundle
 * has, because a link opens the same bundle.
 */
export function savedView(model: Model, { whole = true, link = false } = {}): SavedView {
  const { geneSets, ...rest } = stateToSave(model);
  const { matrices = [] } = model.bundle.value ?? {};
  // The bundle in which the view is opened may have a different first matrix.
  if (whole && matrices.length > 1) rest.matrix ??= matrices[0] ?? null;
  const linked = link && geneSets !== null;
  const entries = Object.entries(linked ? rest : { ...rest, geneSets }).filter(
    ([key, value]) => whole || JSON.stringify(value) !== JSON.stringify(INITIAL[key as keyof ViewState]),
  );
  const total = model.bundle.value?.manifest.n_cells ?? 0;
  return {
    karospace_view: 1,
    n_cells: total,
    state: Object.fromEntries(entries),
    ...(linked ? { gene_sets: linkedSets(geneSets, geneSetsOf(null, model.bundle.value)) } : {}),
    regions: model.regions.value.map(({ name, color, cells, outline }) => ({
      name,
      color,
      bits: bitsOf(cells, total),
      ...(outline ? { outline } : {}),
    })),
  };
}

/** Base64 of the cells of each region, cached: the cells are never mutated. */
const encoded = new WeakMap<Uint32Array, string>();

function bitsOf(cells: Uint32Array, total: number): string {
  const text = encoded.get(cells) ?? toBase64(packPlaces(cells, total));
  encoded.set(cells, text);
  return text;
}

/**
 * Returns the state to save. The camera in a grid of sections depends on the number of columns, which may differ in
 * another window: stores that number for the main view, and drops the camera of the second view.
 */
function stateToSave(model: Model): ViewState {
  const { beside } = model.state.value;
  const state =
    beside?.kind === 'sections' && !beside.columns
      ? { ...model.state.value, besideCamera: null }
      : model.state.value;
  const { layout, camera } = state;
  if (layout.kind !== 'sections' || layout.columns || !camera) return state;
  if (camera.zoom === 1 && camera.x === 0 && camera.y === 0) return state;
  return { ...state, layout: { ...layout, columns: model.gridColumns.value } };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Returns the state of a saved view, or of a bare state. Invalid fields are ignored when it is applied. Cameras are
 * dropped if the view was saved for a different number of cells.
 */
export function stateIn(value: unknown, cells: number | null): Partial<ViewState> {
  if (value instanceof ViewFileError) throw value; // a link that could not be read
  if (!isObject(value)) throw new ViewFileError('not a JSON object');
  if (!('karospace_view' in value)) return value as Partial<ViewState>;
  if (value.karospace_view !== 1)
    throw new ViewFileError(`it has version ${String(value.karospace_view)}; this viewer reads version 1`);
  if (!isObject(value.state)) throw new ViewFileError('it has no object “state”');
  const { camera, besideCamera, ...rest } = value.state as Partial<ViewState>;
  if (cells !== null && hasOtherCellCount(value, cells)) return rest;
  return { ...rest, ...(camera ? { camera } : {}), ...(besideCamera ? { besideCamera } : {}) };
}

/** Returns whether a view states a different number of cells. */
const hasOtherCellCount = ({ n_cells }: { n_cells?: unknown }, cells: number) =>
  n_cells !== undefined && n_cells !== cells;

/**
 * Reads a saved view. Ignores cameras and regions if it was saved for a different number of cells. `stored` are the gene
 * sets of the bundle.
 */
export function openedView(
  given: unknown,
  cells: number,
  noun: Noun = 'cell',
  stored: readonly GeneSet[] = [],
): OpenedView {
  const state = stateIn(given, cells);
  if (!isSaved(given)) return { state, geneSets: null, regions: null, leftOut: null };
  const [geneSets, missing] = given.gene_sets ? setsOfLink(given.gene_sets, stored) : [null, []];
  if (hasOtherCellCount(given, cells))
    return { state, geneSets, regions: null, leftOut: cellCountError(given, cells, noun) };
  const { regions, regions_left_out: regionsLeftOut = 0, gene_sets_left_out: setsLeftOut = 0 } = given;
  if (regions && regions.length > MAX_REGIONS)
    throw new ViewFileError(`it has ${regions.length} regions; the limit is ${MAX_REGIONS}`);
  const packed = regions?.map(({ name, color = '', bits: text, outline = [] }) => {
    const bits = bytesOf(text);
    if (bits.length !== Math.ceil(cells / 8))
      throw new ViewFileError(
        `the region “${name}” was made for a different number of ${noun}s than ${formatCount(cells)}`,
      );
    if (outline.length % 2 === 1 || (outline.length > 0 && outline.length < 6))
      throw new ViewFileError(`the outline of the region “${name}” needs x and y of at least three corners`);
    return { name, color, bits, ...(outline.length > 0 ? { outline } : {}) };
  });
  // Check before unpacking: a damaged view could exhaust the memory.
  if ((packed ?? []).reduce((sum, { bits }) => sum + setIn(bits), 0) > MAX_REGION_CELLS)
    throw new ViewFileError(
      `its regions contain more than ${counted(MAX_REGION_CELLS, noun)} in total, which is the limit`,
    );
  const unpacked = packed?.map(({ bits, ...rest }) => ({ ...rest, cells: placesIn(bits, cells) })) ?? null;
  const [name] = missing;
  const leftOut =
    regionsLeftOut + setsLeftOut > 0
      ? tooLarge(regionsLeftOut, setsLeftOut)
      : name === undefined
        ? null
        : notStored(name, missing.length);
  return { state, geneSets, leftOut, regions: unpacked };
}

/** Returns whether a value is a saved view; false for a bare state. Throws if a saved view is invalid. */
function isSaved(value: unknown): value is SavedView {
  if (!isObject(value) || !('karospace_view' in value)) return false;
  const problem = differs(value, SAVED_VIEW_SHAPE, { exact: true });
  if (problem) throw new ViewFileError(problem);
  return true;
}

function cellCountError({ n_cells = 0, regions = [] }: SavedView, cells: number, noun: Noun): LeftOutError {
  const what = regions.length > 0 ? 'camera and regions were' : 'camera was';
  return new LeftOutError(
    `The view was saved for ${counted(n_cells, noun)}, but this bundle has ${formatCount(cells)}: the saved ${what} ignored.`,
    'All other settings were applied where the names of genes and annotations match.',
  );
}

const tooLarge = (regions: number, sets: number) =>
  new LeftOutError(
    `The link omits its ${leftOutText(regions, sets)}: too large for a URL.`,
    'Ask the sender for the view as a file (S, “Save view”), which contains everything.',
  );

const notStored = (name: string, count: number) =>
  new LeftOutError(
    `The link refers to the gene set “${name}”${count > 1 ? ` and ${count - 1} more` : ''}, which this bundle does not contain.`,
    'Ask the sender for the view as a file (S, “Save view”), which contains everything.',
  );

/** Lists what was left out of a link. */
export function leftOutText(regions: number, sets: number): string {
  const named = (count: number, noun: string) =>
    count === 0 ? [] : [count === 1 ? noun : `${count} ${noun}s`];
  return [...named(regions, 'region'), ...named(sets, 'gene set')].join(' and ');
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw new ViewFileError('one of its regions is damaged');
  }
}

const PREFIX = '#view=';
/** Maximum length of a link in characters; browsers and chat programs truncate longer ones. */
const LONGEST = 30_000;
/** Maximum decompressed size of a link in bytes, ten times that of the links created here. */
const LARGEST = 8_000_000;
/** Regions with more characters cannot fit into a link; compressing them after each move would be slow. */
const HOPELESS = 100 * LONGEST;

/** Encodes a view as a URL fragment. Replaces its regions, then also its gene sets, with their number if the link is too long. */
export async function hashOf(
  view: SavedView,
): Promise<{ hash: string; leftOut: number; setsLeftOut: number }> {
  const encode = async (part: SavedView) => {
    const bytes = new TextEncoder().encode(JSON.stringify(part));
    const packed = await through(bytes, new CompressionStream('deflate-raw'));
    return PREFIX + toBase64(packed).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  };
  const { regions = [], ...rest } = view;
  const leftOut = regions.length;
  const size = regions.reduce((sum, { bits, outline = [] }) => sum + bits.length + outline.length, 0);
  if (size <= HOPELESS) {
    const whole = await encode(view);
    if (whole.length <= LONGEST) return { hash: whole, leftOut: 0, setsLeftOut: 0 };
  }
  const part = leftOut > 0 ? { ...rest, regions_left_out: leftOut } : view;
  const hash = await encode(part);
  const setsLeftOut = hash.length > LONGEST ? (view.gene_sets?.length ?? 0) : 0;
  if (setsLeftOut === 0) return { hash, leftOut, setsLeftOut };
  return {
    hash: await encode({ ...part, gene_sets: undefined, gene_sets_left_out: setsLeftOut }),
    leftOut,
    setsLeftOut,
  };
}

/** Decodes a view from a URL fragment. Returns null if it has none, or a ViewFileError if it cannot be read. */
export async function viewOfHash(hash: string): Promise<unknown> {
  if (!hash.startsWith(PREFIX)) return null;
  try {
    const packed = fromBase64(hash.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = await inflate(packed, 'deflate-raw', LARGEST);
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return new ViewFileError('the link is damaged or truncated');
  }
}

async function through(bytes: Uint8Array, stream: GenericTransformStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
