import { MOST_REGION_CELLS, MOST_REGIONS } from '../data/region-files';
import { packPlaces, placesIn, setIn } from '../lib/bits';
import { fromBase64, toBase64 } from '../lib/bytes';
import { LeftOutError, ViewFileError } from '../lib/errors';
import { formatCount } from '../lib/format';
import { inflate } from '../lib/inflate';
import type { Model } from './model';
import { INITIAL, type ViewState } from './view-state';

/** A view as a file or a link keeps it. */
export interface SavedView {
  karospace_view: 1;
  n_cells: number;
  state: Partial<ViewState>;
  /** `bits`: base64 of one bit for each cell of the bundle, the first in the lowest bit. Left out: nothing is said of them. */
  regions?: { name: string; color: string; bits: string }[];
  /** How many regions were too large for the link. */
  regions_left_out?: number;
}

export interface OpenedView {
  state: Partial<ViewState>;
  /** Null where the view says nothing of them. */
  regions: { name: string; color: string; cells: Uint32Array }[] | null;
  /** What of it is missing, to be told; null where nothing is. */
  leftOut: LeftOutError | null;
}

/** What differs from how a viewer opens; with all of it, the view is the same whatever later viewers begin with. */
export function savedView(model: Model, { whole = true } = {}): SavedView {
  const entries = Object.entries(shareable(model)).filter(
    ([key, value]) => whole || JSON.stringify(value) !== JSON.stringify(INITIAL[key as keyof ViewState]),
  );
  const total = model.bundle.value?.manifest.n_cells ?? 0;
  return {
    karospace_view: 1,
    n_cells: total,
    state: Object.fromEntries(entries),
    regions: model.regions.value.map(({ name, color, cells }) => ({
      name,
      color,
      bits: bitsOf(cells, total),
    })),
  };
}

/** Encoded once per region: its cells are never mutated. */
const texts = new WeakMap<Uint32Array, string>();

function bitsOf(cells: Uint32Array, total: number): string {
  const text = texts.get(cells) ?? toBase64(packPlaces(cells, total));
  texts.set(cells, text);
  return text;
}

/** Where one looks in rows of sections depends on how many stand in each: in another window it may be another number. */
function shareable(model: Model): ViewState {
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
 * The state of a saved view, or one that stands by itself; what of it is not sound is passed over when it is shown.
 * That of a tissue with other cells says nothing of where to look.
 */
export function stateIn(value: unknown, cells: number | null): Partial<ViewState> {
  if (value instanceof ViewFileError) throw value; // a link that could not be read
  if (!isObject(value)) throw new ViewFileError('it is no object');
  if (!('karospace_view' in value)) return value as Partial<ViewState>;
  if (value.karospace_view !== 1)
    throw new ViewFileError(`it is of version ${String(value.karospace_view)}; this viewer reads version 1`);
  if (!isObject(value.state)) throw new ViewFileError('it holds no state');
  const { camera, besideCamera, ...rest } = value.state as Partial<ViewState>;
  if (cells !== null && isOfOthers(value, cells)) return rest;
  return { ...rest, ...(camera ? { camera } : {}), ...(besideCamera ? { besideCamera } : {}) };
}

/** A view that does not say how many cells it is of is taken for one of these. */
const isOfOthers = ({ n_cells }: Record<string, unknown>, cells: number) =>
  n_cells !== undefined && n_cells !== cells;

/** Reads a saved view; of one of other cells, what holds for these, too. */
export function openedView(given: unknown, cells: number): OpenedView {
  const state = stateIn(given, cells);
  const value = given as Record<string, unknown>;
  if ('karospace_view' in value && isOfOthers(value, cells))
    return { state, regions: null, leftOut: ofOthers(value, cells) };
  const regions = Array.isArray(value.regions) ? value.regions : null;
  if (regions && regions.length > MOST_REGIONS)
    throw new ViewFileError(`it has ${regions.length} regions; the limit is ${MOST_REGIONS}`);
  const leftOut =
    typeof value.regions_left_out === 'number' && value.regions_left_out > 0
      ? tooLarge(value.regions_left_out)
      : null;
  const read = (region: unknown) => {
    if (!isObject(region) || typeof region.name !== 'string' || typeof region.bits !== 'string')
      throw new ViewFileError('one of its regions has no name or no cells');
    const color = typeof region.color === 'string' ? region.color : '';
    const bits = bytesOf(region.bits);
    if (bits.length !== Math.ceil(cells / 8))
      throw new ViewFileError(`the region “${region.name}” is of other cells`);
    return { name: region.name, color, bits };
  };
  const packed = regions?.map(read) ?? null;
  // Before any is unpacked: a damaged view would fill the memory.
  if ((packed ?? []).reduce((sum, { bits }) => sum + setIn(bits), 0) > MOST_REGION_CELLS)
    throw new ViewFileError(
      `its regions contain more than ${formatCount(MOST_REGION_CELLS)} cells in total, the limit`,
    );
  const unpacked =
    packed?.map(({ name, color, bits }) => ({ name, color, cells: placesIn(bits, cells) })) ?? null;
  return { state, leftOut, regions: unpacked };
}

function ofOthers({ n_cells, regions }: Record<string, unknown>, cells: number): LeftOutError {
  const others = typeof n_cells === 'number' ? formatCount(n_cells) : 'other';
  const what =
    Array.isArray(regions) && regions.length > 0 ? 'where it looks and its regions are' : 'where it looks is';
  return new LeftOutError(
    `The view was saved from ${others} cells, and this bundle has ${formatCount(cells)}: ${what} left out.`,
    'What else it says holds here, too, where the names are the same.',
  );
}

const tooLarge = (regions: number) =>
  new LeftOutError(
    `The link came without its ${regions === 1 ? 'region' : `${regions} regions`}: too large for an address.`,
    'Ask for the view as a file (S, “Save view”) to have them.',
  );

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw new ViewFileError('one of its regions is damaged');
  }
}

const PREFIX = '#view=';
/** Browsers and chat programs cut longer links. */
const LONGEST = 30_000;
/** Bytes that an address is unpacked to: links that this page makes hold a tenth of it. */
const LARGEST = 8_000_000;
/** Regions of so many characters do not become short enough: no need to try after each move. */
const HOPELESS = 100 * LONGEST;

/** As part of an address; without the regions, but with their number, where they would make it too long. */
export async function hashOf(view: SavedView): Promise<{ hash: string; leftOut: number }> {
  const encode = async (part: SavedView) => {
    const bytes = new TextEncoder().encode(JSON.stringify(part));
    const packed = await through(bytes, new CompressionStream('deflate-raw'));
    return PREFIX + toBase64(packed).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  };
  const { regions = [], ...rest } = view;
  const leftOut = regions.length;
  const size = regions.reduce((sum, { bits }) => sum + bits.length, 0);
  if (size <= HOPELESS) {
    const whole = await encode(view);
    if (whole.length <= LONGEST || leftOut === 0) return { hash: whole, leftOut: 0 };
  }
  return { hash: await encode({ ...rest, regions_left_out: leftOut }), leftOut };
}

/** Null where the address holds no view; of one that cannot be read the reason, which who opens it will tell. */
export async function viewOfHash(hash: string): Promise<unknown> {
  if (!hash.startsWith(PREFIX)) return null;
  try {
    const packed = fromBase64(hash.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = await inflate(packed, 'deflate-raw', LARGEST);
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return new ViewFileError('the link is damaged or was cut short');
  }
}

async function through(bytes: Uint8Array, stream: GenericTransformStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}
