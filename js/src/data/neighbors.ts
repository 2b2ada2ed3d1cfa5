import type { Manifest, Neighbors } from '../contract/manifest';
import { joined } from '../lib/bytes';
import { FormatError } from '../lib/errors';
import { turns } from '../lib/pause';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asUint32 } from './chunks';

/** The graph of neighboring cells. Each edge is listed for both of its cells. */
export interface Graph {
  /** Where the neighbors of each cell start in `cells`; then the length of `cells`. */
  starts: Uint32Array;
  /** The neighbors of each cell, ascending. */
  cells: Uint32Array;
}

const VERSION = 1;
const MAGIC = 0x4e50534b;
/** Size of the header, in bytes. */
const HEADER = 16;
/** Maximum length of an encoded number, in bytes. */
const LONGEST = 5;
/** Maximum number of edges per cell, on average; an edge has two cells. */
const MAX_EDGES_PER_CELL = 50;
/** Number of cells between two checks of the time. */
const STEP = 1 << 13;

/** Returns the entry of neighbors in the manifest; null if there is none that this viewer can read. */
export const readableNeighbors = ({ neighbors }: Manifest): Neighbors | null =>
  neighbors?.version === VERSION ? neighbors : null;

/** Reads the neighbors of a bundle, with pauses that keep the page responsive. */
export async function readNeighbors(
  reader: AssetReader,
  { paths, n_edges: edges }: Neighbors,
  cells: number,
  ctx: ReadContext,
): Promise<Graph> {
  const damaged = () => new FormatError(paths[0] ?? 'manifest.json', 'the neighbors are damaged');
  if (!(edges <= MAX_EDGES_PER_CELL * cells)) throw damaged();
  const bytes = joined(await Promise.all(paths.map((path) => reader.read(path, undefined, ctx))));
  const words = asUint32(bytes.subarray(0, bytes.length & ~3));
  if ([MAGIC, VERSION, cells, edges].some((word, i) => word !== words[i])) throw damaged();
  let at = HEADER;
  const next = () => {
    let value = 0;
    for (let byte = 0; byte < LONGEST; byte++) {
      const part = bytes[at++];
      if (part === undefined) break;
      value += (part & 127) * 2 ** (7 * byte);
      if (part < 128) return value;
    }
    throw damaged();
  };
  const turn = turns();
  const pauseIfDue = async () => {
    await turn();
    ctx.signal.throwIfAborted();
  };
  // The file lists for each cell only its later neighbors, those with a higher index.
  const laterCounts = new Uint32Array(cells);
  const degrees = new Uint32Array(cells + 1);
  let total = 0;
  for (let cell = 0; cell < cells; cell++) {
    if (cell % STEP === 0) await pauseIfDue();
    const count = next();
    total += count;
    if (total > edges) throw damaged();
    laterCounts[cell] = count;
    degrees[cell] = count;
  }
  if (total !== edges) throw damaged();
  const laterNeighbors = new Uint32Array(edges);
  let edge = 0;
  for (let cell = 0; cell < cells; cell++) {
    if (cell % STEP === 0) await pauseIfDue();
    let other = cell;
    for (let end = edge + (laterCounts[cell] as number); edge < end; edge++) {
      other += 1 + next();
      if (other >= cells) throw damaged();
      laterNeighbors[edge] = other;
      (degrees[other] as number)++;
    }
  }
  if (at !== bytes.length) throw damaged();
  const starts = new Uint32Array(cells + 1);
  for (let cell = 0; cell < cells; cell++)
    starts[cell + 1] = (starts[cell] as number) + (degrees[cell] as number);
  const found = new Uint32Array(2 * edges);
  const ends = starts.slice();
  edge = 0;
  // Cells in ascending order add the earlier neighbors of a cell before its later ones.
  for (let cell = 0; cell < cells; cell++) {
    if (cell % STEP === 0) await pauseIfDue();
    for (let end = edge + (laterCounts[cell] as number); edge < end; edge++) {
      const other = laterNeighbors[edge] as number;
      found[(ends[cell] as number)++] = other;
      found[(ends[other] as number)++] = cell;
    }
  }
  return { starts, cells: found };
}

/** Returns the neighbors of a cell. */
export const neighborsOf = ({ starts, cells }: Graph, cell: number): Uint32Array =>
  cells.subarray(starts[cell] ?? 0, starts[cell + 1] ?? 0);
