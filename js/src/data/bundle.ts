import type { Coordinates, Embedding, ImageTransform, Manifest } from '../contract/manifest';
import type { LiveMatrix } from '../contract/to-page';
import { packBits } from '../lib/bits';
import { fromBase64 } from '../lib/bytes';
import type { Extent } from '../lib/camera';
import {
  asError,
  FormatError,
  isAbort,
  LooseFileError,
  OtherMatrixError,
  UnknownNameError,
  ViewerError,
} from '../lib/errors';
import { blurs, extentAt, extentFrom, type Origin, ZERO } from '../lib/origin';
import type { BundleSource, Column, LiveGenes, LiveStatistics, ReadContext } from '../source/bundle-source';
import { decode, readAsset } from './asset';
import { type CellNames, readCellIds } from './cell-ids';
import { asFloat32, asFloat64, assetReader, forgetting, readChunks } from './chunks';
import { type ColumnInfo, type ColumnValues, columnInfo, readColumn } from './column-values';
import type { Differences } from './compare/differences';
import { type GeneSearch, geneSearch } from './gene-search';
import { type GeneStore, geneStore } from './gene-store';
import { type GeneTable, tableOfFiles } from './gene-table';
import { loadManifest } from './load-manifest';
import { type Graph, readableNeighbors, readNeighbors } from './neighbors';
import { withPackedGenes } from './packed';
import { readingAhead } from './read-ahead';
import { SharedReads } from './shared-reads';
import { type CoordinateTable, type ObsTable, readCoordinateTable, readObsTable } from './tables';

export interface Positions {
  /** Interleaved x, y in coordinate units, relative to the origin. */
  coords: Float32Array;
  /** Relative to the origin. */
  extent: Extent;
  /** Coordinate of the source = coordinate here + origin. Omitted if zero. */
  origin?: Origin;
  yAxis: 'down' | 'up';
  /** µm per coordinate unit */
  unitUm: number | null;
  spotDiameter: number | null;
  /** Angle of the rows of bins, in degrees from x toward y. Omitted if zero. */
  binAngle?: number | undefined;
}

export interface TissuePicture {
  bitmap: ImageBitmap;
  /** Image size in pixels that the transform refers to; the bitmap may be smaller. */
  width: number;
  height: number;
  /** From coordinates relative to the origin of the tissue to image pixels. */
  transform: ImageTransform;
}

export interface TissueImage {
  /** Image of the whole tissue. */
  whole: TissuePicture | null;
  /** Images of sections that have their own, by section name. */
  bySection: ReadonlyMap<string, TissuePicture>;
  /** Reasons why images are missing or may be misplaced. */
  problems: readonly Error[];
  /** Frees the memory of the bitmaps. */
  close(): void;
}

/** An open bundle, through which the viewer reads all files. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly genes: GeneStore;
  readonly search: GeneSearch;
  /** All genes, to compare them here; null if a kernel compares those of a live object. */
  readonly table: GeneTable | null;
  /** Compares all genes of the live object in its kernel; groups as in a `Question`. */
  compareLive(group: Uint8Array, ctx: ReadContext): Promise<Differences>;
  positions(ctx: ReadContext): Promise<Positions>;
  columns(ctx: ReadContext): Promise<readonly ColumnInfo[]>;
  column(name: string, ctx: ReadContext): Promise<ColumnValues>;
  /** Names of the matrices that genes can be read from; the first is the default. */
  readonly matrices: readonly string[];
  /** Name of the matrix that genes are read from. */
  readonly matrixName: string;
  /** Appended to labels of genes: the matrix, unless it is the first of the bundle. */
  readonly matrixSuffix: string;
  /** Returns this bundle with the genes of another matrix; null for the first. */
  withMatrix(name: string | null, ctx: ReadContext): Promise<Bundle>;
  /** Returns this bundle with the genes of the live object instead of its own, read anew from this matrix. */
  withLiveGenes(matrix: LiveMatrix): Bundle;
  /** Reads the statistics of the genes of the live object, which `search` then uses. */
  liveStatistics(ctx: ReadContext): Promise<LiveStatistics>;
  /** Sets the columns of the live object. Returns all columns, and the names of those whose values have changed. */
  setLiveColumns(columns: readonly Column[]): { columns: readonly ColumnInfo[]; changed: readonly string[] };
  /** Reads the coordinates of an embedding; y points up, as in plots. */
  embedding(name: string, ctx: ReadContext): Promise<Positions>;
  cellNames(ctx: ReadContext): Promise<CellNames>;
  readonly hasNeighbors: boolean;
  neighbors(ctx: ReadContext): Promise<Graph>;
  /** Format violations in the files read so far, and how they were handled. */
  readonly remarks: readonly Error[];
  readonly hasImage: boolean;
  image(ctx: ReadContext): Promise<TissueImage | null>;
  preview(ctx: ReadContext): Promise<Blob | null>;
}

/** Returns the transform that stretches an image over the extent of the cells, with its first row at the top. */
export function stretched(
  [x0, y0, x1, y1]: Extent,
  { width, height }: { width: number; height: number },
  yAxis: Positions['yAxis'],
): ImageTransform {
  const across = width / (x1 - x0 || 1);
  const down = height / (y1 - y0 || 1);
  return yAxis === 'down'
    ? { scale: [across, down], offset: [-x0 * across, -y0 * down] }
    : { scale: [across, -down], offset: [-x0 * across, y1 * down] };
}

const STRETCHED =
  'the manifest does not state the position of the image, so it is stretched over the extent of the cells and may be misaligned';

export async function openBundle(source: BundleSource, ctx: ReadContext): Promise<Bundle> {
  const remarks: Error[] = [];
  let [manifest, live, columns] = await Promise.all([
    loadManifest(source, ctx, remarks),
    liveFile<LiveGenes>(source, 'genes', { names: [], matrix: null }, ctx),
    liveFile<readonly Column[]>(source, 'columns', [], ctx),
  ]);
  let liveByName = byName(columns);
  let reader = assetReader(source, manifest);
  if (source.ahead) reader = readingAhead(reader);
  const files = reader;
  /** The table of all packed genes; without packed genes, created when it is first needed. */
  let table: GeneTable | null = null;
  if (manifest.packed && !live.matrix) {
    try {
      ({ manifest, reader, table } = await withPackedGenes(manifest, manifest.packed, reader, ctx));
    } catch (thrown) {
      if (isAbort(thrown, ctx.signal)) throw thrown;
      // Any other error comes from a manifest whose `packed` is invalid.
      remarks.push(
        thrown instanceof ViewerError
          ? thrown
          : new FormatError('manifest.json', 'the packed genes cannot be read', thrown),
      );
    }
  }
  const cells = manifest.n_cells;
  const loaded = new Map<string, ColumnValues>();
  let coordinateTable: Promise<CoordinateTable> | null = null;
  let obsTable: Promise<ObsTable> | null = null;
  let names: Promise<CellNames> | null = null;
  const neighborsEntry = readableNeighbors(manifest);
  let graph: Graph | null = null;
  const graphReads = new SharedReads<Graph>();
  const remarked = <T extends { remarks: readonly Error[] }>(read: T): T => {
    for (const remark of read.remarks)
      if (!remarks.some(({ message }) => message === remark.message)) remarks.push(remark);
    return read;
  };
  const ownImages = (manifest.sections?.items ?? []).flatMap(({ name, image }) =>
    image ? [{ section: name, image }] : [],
  );
  // If sections have their own images, `manifest.image` repeats one of them for readers of format 1.0.
  const images =
    ownImages.length > 0 ? ownImages : manifest.image ? [{ section: null, image: manifest.image }] : [];

  let stored: readonly ColumnInfo[] = [];
  const allColumns = (): readonly ColumnInfo[] => {
    const live = new Map([...liveByName.values()].map((column) => [column.name, columnInfo(column)]));
    const own = new Set(stored.map(({ name }) => name));
    return [
      ...stored.map((column) => live.get(column.name) ?? column),
      ...[...live.values()].filter(({ name }) => !own.has(name)),
    ];
  };

  const once = <T>(promise: Promise<T>, forget: () => void): Promise<T> => {
    promise.catch(forget);
    return promise;
  };
  const fromTable = (at: ReadContext) => {
    coordinateTable ??= once(readCoordinateTable(reader, manifest, at).then(remarked), () => {
      coordinateTable = null;
    });
    return coordinateTable;
  };
  const stated = manifest.coordinates;
  // Bundles from before origins were introduced: read the tables, which keep the digits that float32 lost.
  const blurred = stated && !stated.origin && blurs(stated.extent, cells);
  const columnar = stated && !blurred ? stated : null;
  const originOfTissue = async (at: ReadContext): Promise<Origin> =>
    columnar ? (columnar.origin ?? ZERO) : (await fromTable(at)).origin;
  const fromObs = (at: ReadContext) => {
    const coordinateIds = async () => (manifest.coordinates ? null : (await fromTable(at)).ids);
    obsTable ??= once(readObsTable(reader, manifest, coordinateIds, at).then(remarked), () => {
      obsTable = null;
    });
    return obsTable;
  };
  const readNames = async (at: ReadContext): Promise<CellNames> => {
    if (manifest.cell_ids) return readCellIds(reader, manifest.cell_ids, cells, at);
    const read = await fromTable(at).catch((thrown) => {
      // Bundles with columnar coordinates may lack this table.
      if (isAbort(thrown, at.signal) || !manifest.coordinates) throw thrown;
      return { ids: null };
    });
    const ids = read.ids ?? (await fromObs(at)).ids;
    return (cell) => ids?.[cell] ?? `Cell ${cell + 1}`;
  };
  /** Returns the extent of the cells of a section, or of all cells, in coordinates of the source. */
  const fieldOf = async (section: string | null, at: ReadContext) => {
    const stated =
      section === null
        ? manifest.coordinates?.extent
        : manifest.sections?.items.find(({ name }) => name === section)?.extent;
    if (stated?.every(Number.isFinite)) return stated;
    if (manifest.coordinates) return null;
    const { coords, origin } = await fromTable(at);
    return extentAt(origin, extentOf(coords));
  };

  const fitted = async (
    section: string | null,
    size: { width: number; height: number },
    at: ReadContext,
  ): Promise<ImageTransform> => {
    const extent = await fieldOf(section, at);
    if (!extent)
      throw new FormatError(
        'manifest.json',
        'it states neither the transform of the image nor the extent of the cells',
      );
    return stretched(extent, size, manifest.coordinates?.y_axis ?? 'down');
  };

  const firstMatrix = manifest.expression.source ?? manifest.packed?.source ?? 'X';
  const named = (name: string) => ({
    matrixName: name,
    matrixSuffix: name === firstMatrix ? '' : ` (${name})`,
  });
  // Validated here, like `packed`: the bundle is usable without other matrices.
  const listed =
    Array.isArray(manifest.other_matrices) && live.names.length === 0 ? manifest.other_matrices : [];
  const others = new Map(
    listed.flatMap((one) =>
      typeof one?.packed?.source === 'string' ? [[one.packed.source, one] as const] : [],
    ),
  );
  others.delete(firstMatrix);
  /** The last matrix that was read, other than the first. */
  let other: { name: string; bundle: Bundle } | null = null;

  const bundle: Bundle = {
    manifest,
    matrices: [firstMatrix, ...others.keys()],
    ...named(firstMatrix),

    async withMatrix(name, at) {
      if (name === null || name === firstMatrix) return bundle;
      if (live.names.length > 0) throw new OtherMatrixError(name, firstMatrix);
      if (other?.name === name) return other.bundle;
      const wanted = others.get(name);
      if (!wanted) throw new UnknownNameError('matrix', name);
      const { packed, values } = wanted;
      const expression = { ...manifest.expression, genes: [], source: name, values: values ?? null };
      const empty = { ...manifest, expression, packed, gene_list: [], gene_labels: [] };
      const read = await withPackedGenes(empty, packed, files, at);
      const shown = {
        ...bundle,
        ...named(name),
        manifest: read.manifest,
        genes: geneStore(read.reader, read.manifest),
        search: geneSearch(read.manifest),
        table: read.table,
      };
      other = { name, bundle: shown };
      return shown;
    },

    genes: geneStore(reader, manifest, live.names),
    search: geneSearch(manifest, live.names),
    get table() {
      if (live.names.length > 0) return null;
      table ??= tableOfFiles(reader, manifest);
      return table;
    },

    compareLive: async (group, at) => ({
      genes: live.names,
      columns: await compareLive(source, group, at),
      problems: [],
    }),

    withLiveGenes({ source, values }) {
      const expression = { ...manifest.expression, genes: [], source, values };
      // The labels are in the order of the exported genes.
      const at = new Map(manifest.gene_list.map((gene, index) => [gene, index]));
      const gene_labels = (manifest.gene_labels ?? []).map((column) => ({
        ...column,
        labels: live.names.map((gene) => column.labels[at.get(gene) ?? -1] ?? ''),
      }));
      const without = { ...manifest, expression, gene_list: [], gene_labels };
      const shown: Bundle = {
        ...bundle,
        ...named(source),
        manifest: without,
        matrices: [source],
        async withMatrix(name) {
          if (name === null || name === source) return shown;
          throw new OtherMatrixError(name, source);
        },
        genes: geneStore(reader, without, live.names),
        search: geneSearch(without, live.names),
      };
      return shown;
    },

    liveStatistics: (at) => liveFile(source, 'statistics', NO_STATISTICS, at),

    async positions(at) {
      const meaning = {
        yAxis: stated?.y_axis ?? 'down',
        unitUm: stated?.unit_um ?? null,
        spotDiameter: stated?.spot_diameter ?? null,
        binAngle: stated?.bin_angle ?? undefined,
      };
      if (!columnar) {
        const { coords, origin } = await fromTable(at);
        return { ...meaning, coords, extent: extentOf(coords), origin };
      }
      const coords = asFloat32(await readChunks(reader, columnar.chunks, cells, 8, 'the coordinates', at));
      return { ...meaning, coords, ...placed(columnar, coords) };
    },

    async columns(at) {
      stored = (manifest.columns ?? (await fromObs(at)).columns).map(columnInfo);
      return allColumns();
    },

    setLiveColumns(now) {
      const before = liveByName;
      liveByName = byName(now);
      // The path of a column changes with its values.
      const pathOf = (column: Column | undefined) => column?.chunks[0]?.path;
      const changed = [...new Set([...before.keys(), ...liveByName.keys()])].filter(
        (name) => pathOf(before.get(name)) !== pathOf(liveByName.get(name)),
      );
      for (const name of changed) loaded.delete(name);
      return { columns: allColumns(), changed };
    },

    async column(name, at) {
      const known = loaded.get(name);
      if (known) return known;
      const stated = liveByName.get(name) ?? manifest.columns?.find((column) => column.name === name);
      const column = stated
        ? await readColumn(reader, stated, cells, {
            ...at,
            later: forgetting(at.later, () => loaded.delete(name)),
          })
        : manifest.columns
          ? undefined
          : (await fromObs(at)).columns.find((candidate) => candidate.name === name);
      if (!column) throw new UnknownNameError('annotation', name);
      // The live object may have changed while the column was read.
      const current = liveByName.get(name);
      if (current === undefined || current === stated) loaded.set(name, column);
      return column;
    },

    async embedding(name, at) {
      const stated = manifest.embeddings?.find((embedding) => embedding.name === name);
      if (!stated) throw new UnknownNameError('embedding', name);
      const bytes = await readChunks(reader, stated.chunks, cells, 8, `the embedding “${name}”`, at);
      const coords = asFloat32(bytes);
      return { coords, ...placed(stated, coords), yAxis: 'up', unitUm: null, spotDiameter: null };
    },

    cellNames(at) {
      names ??= once(readNames(at), () => {
        names = null;
      });
      return names;
    },

    hasNeighbors: neighborsEntry !== null,

    neighbors(at) {
      if (!neighborsEntry) throw new FormatError('manifest.json', 'the bundle has no neighbors');
      if (graph) return Promise.resolve(graph);
      return graphReads.run('', at.signal, async (signal) => {
        graph = await readNeighbors(reader, neighborsEntry, cells, { signal, progress: at.progress });
        return graph;
      });
    },

    remarks,

    hasImage: images.length > 0,

    async image(at) {
      if (images.length === 0) return null;
      // Several sections may share a file.
      const files = new Map(images.map(({ image }) => [image.path, image]));
      const pictures = new Map<string, TissuePicture>();
      const origin = await originOfTissue(at);
      const problems: Error[] = [];
      for (const { path, width, height, transform } of files.values()) {
        try {
          const bitmap = await bitmapOf(path, await reader.read(path, undefined, at));
          const size = { width: width || bitmap.width, height: height || bitmap.height };
          const section = images.find(({ image }) => image.path === path)?.section ?? null;
          const inSource = transform ?? (await fitted(section, size, at));
          if (!transform) problems.push(new LooseFileError(path, STRETCHED));
          pictures.set(path, { bitmap, ...size, transform: movedTo(origin, inSource) });
        } catch (thrown) {
          if (isAbort(thrown, at.signal)) throw thrown;
          problems.push(asError(thrown));
        }
      }
      const found = images.flatMap(({ section, image }) => {
        const picture = pictures.get(image.path);
        return picture ? [{ section, picture }] : [];
      });
      return {
        whole: found.find(({ section }) => section === null)?.picture ?? null,
        bySection: new Map(
          found.flatMap(({ section, picture }) => (section === null ? [] : [[section, picture] as const])),
        ),
        problems,
        close: () => {
          for (const { bitmap } of pictures.values()) bitmap.close();
        },
      };
    },

    async preview(at) {
      const path = manifest.preview_path;
      return path ? new Blob([(await reader.read(path, undefined, at)) as Uint8Array<ArrayBuffer>]) : null;
    },
  };
  return live.matrix ? bundle.withLiveGenes(live.matrix) : bundle;
}

const NO_STATISTICS: LiveStatistics = { mean: [], fraction: [], rank: null };

/** Reads a file of the live object. */
async function liveFile<T>(
  source: BundleSource,
  file: 'genes' | 'columns' | 'statistics',
  without: T,
  ctx: ReadContext,
): Promise<T> {
  if (!source.live) return without;
  return JSON.parse(new TextDecoder().decode(await readAsset(source, source.live[file], {}, ctx)));
}

async function compareLive(
  source: BundleSource,
  group: Uint8Array,
  ctx: ReadContext,
): Promise<Differences['columns']> {
  if (!source.live) throw new Error('This view has no live object.');
  const [a, b] = [1, 2].map((side) => packBits(group.map((of) => Number(of === side)))) as [
    Uint8Array,
    Uint8Array,
  ];
  const path = 'live/compare.json';
  const bytes = await decode(path, await source.live.compare(a, b, ctx), {}, ctx.signal);
  const stored = Object.entries(JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>);
  const columns = stored.map(([name, text]) => [name, asFloat64(fromBase64(text))]);
  return Object.fromEntries(columns) as Differences['columns'];
}

const byName = (columns: readonly Column[]) => new Map(columns.map((column) => [column.name, column]));

async function bitmapOf(path: string, bytes: Uint8Array): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  } catch (cause) {
    throw new FormatError(path, 'the browser cannot decode the image', cause);
  }
}

/** Returns the extent and origin stated in the manifest; computes the extent if the stated one is not finite. */
function placed(
  stated: Pick<Coordinates | Embedding, 'extent' | 'origin'>,
  coords: Float32Array,
): Required<Pick<Positions, 'extent' | 'origin'>> {
  const origin = stated.origin ?? ZERO;
  const sound = stated.extent.every(Number.isFinite);
  return { origin, extent: sound ? extentFrom(origin, stated.extent) : extentOf(coords) };
}

/** Adapts a transform to coordinates relative to an origin. */
function movedTo([x, y]: Origin, { scale, offset }: ImageTransform): ImageTransform {
  return { scale, offset: [offset[0] + x * scale[0], offset[1] + y * scale[1]] };
}

export function extentOf(coords: Float32Array): Extent {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < coords.length; i += 2) {
    const x = coords[i] ?? Number.NaN;
    const y = coords[i + 1] ?? Number.NaN;
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  return x0 <= x1 ? [x0, y0, x1, y1] : [0, 0, 1, 1];
}
