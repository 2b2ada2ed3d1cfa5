import type { Bundle } from '../../data/bundle';
import type { CategoryValues } from '../../data/column-values';
import { asCategories } from '../../data/column-values';
import { compareGenes } from '../../data/compare/compare';
import { inWorker } from '../../data/compare/engines';
import { MIN_CELLS, type Scale } from '../../data/compare/gene-test';
import { dotsOf, type GeneDots } from '../../data/dots';
import { logFactor } from '../../data/value-meaning';
import { asError, isAbort } from '../../lib/errors';
import { keepColumn } from '../bundle-model';
import { geneMeaningOf } from '../color/gene-meaning';
import type { LoadContext } from '../load-context';
import type { Model } from '../model';
import type { Basis, CellGroup, Comparison } from './compare-model';
import { basisNow, columnOf, sidesOf } from './groups-of-cells';

export interface CompareLoader {
  /** Compares all genes of two groups; aborts a running comparison. Never rejects: errors are stored in the model. */
  compare(groups: readonly [CellGroup, CellGroup]): Promise<void>;
  closeComparison(): void;
  /** Opens the dot plot with these genes, or closes it. */
  showDots(genes: readonly string[] | null): void;
  /** Reads genes and summarizes each by the categories of an annotation; `mask` as in `dotsOf`. */
  readDots(
    genes: readonly string[],
    column: CategoryValues,
    mask: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<GeneDots[]>;
}

/** Returns how the means of genes become a fold change, as stated in the manifest. */
function scaleOf({ manifest, table }: Bundle): Scale {
  const { source, values } = manifest.expression;
  // `values` of the manifest describes a different matrix.
  if (table && table.source !== source) return null;
  if (values?.kind === 'counts') return 0;
  return values?.kind === 'log1p' ? logFactor(values.log_base ?? null) : null;
}

/**
 * Finds the markers computed at export if they answer this comparison: one category against all other cells,
 * without hidden or grouped categories. Returns null otherwise.
 */
function storedMarkers(
  [a, b]: readonly [CellGroup, CellGroup],
  { scope, hidden, columns }: Basis,
  { table, manifest }: Bundle,
  scale: Scale,
) {
  if (a.kind !== 'category' || b.kind !== 'rest' || scope || hidden.length > 0) return null;
  const column = columns.get(a.column);
  const code = column?.categories.findIndex(({ name }) => name === a.name) ?? -1;
  const count = column?.categories[code]?.count ?? 0;
  const rest = manifest.n_cells - count;
  // With too few cells, run the comparison instead: it reports the problem.
  if (!column || column.ungrouped || count < MIN_CELLS || rest < MIN_CELLS) return null;
  const read = table?.markers?.(a.column, code, scale);
  return read ? { read, sizes: [count, rest] as const } : null;
}

/** Returns the name of the current matrix; null if the bundle has only one. */
export const matrixOf = ({ manifest, matrices }: Bundle): string | null =>
  matrices.length > 1 ? (manifest.expression.source ?? null) : null;

export function createCompareLoader(
  model: Model,
  { closed, readAsTask }: LoadContext,
  createWorker: () => Worker | null,
): CompareLoader {
  let running = new AbortController();

  const readColumn = async (name: string, signal: AbortSignal): Promise<CategoryValues | undefined> => {
    const column = model.loaded.value.get(name) ?? (await model.bundle.value?.column(name, { signal }));
    if (column) keepColumn(model, asCategories(column));
    return columnOf(model, name);
  };

  const compare: CompareLoader['compare'] = async (groups) => {
    running.abort();
    running = new AbortController();
    const signal = AbortSignal.any([running.signal, closed]);
    const { comparison } = model;
    const put = (change: Partial<Comparison>) => {
      if (!signal.aborted && comparison.value) comparison.value = { ...comparison.value, ...change };
    };
    const columns = new Map<string, CategoryValues>();
    const total = model.bundle.value?.table?.names.length ?? 0;
    const basis = basisNow(model, columns);
    comparison.value = { groups, basis, result: null, done: 0, total, problem: null };
    try {
      for (const group of groups) {
        if (group.kind !== 'category') continue;
        const column = await readColumn(group.column, signal);
        if (column) columns.set(group.column, column);
      }
      const bundle = model.bundle.value;
      if (!bundle) return;
      const scale = scaleOf(bundle);
      const { noun } = geneMeaningOf(model);
      const problems: Error[] = [];
      try {
        const known = storedMarkers(groups, basis, bundle, scale);
        if (known) {
          const read = await known.read({ signal });
          const { sizes } = known;
          return put({ result: { ...read, sizes, scale, noun, matrix: matrixOf(bundle), stored: true } });
        }
      } catch (thrown) {
        // The viewer can still compare the genes itself.
        if (isAbort(thrown, signal)) throw thrown;
        problems.push(asError(thrown));
      }
      const { group, sizes } = sidesOf(groups, basis, bundle.manifest.n_cells, model.noun.value);
      const matrix = matrixOf(bundle);
      const found = bundle.table
        ? await compareGenes(bundle.table, { group, scale }, inWorker(createWorker), {
            signal,
            progress: (done) => put({ done }),
          })
        : await bundle.compareLive(group, { signal });
      // The kernel may meanwhile read another matrix.
      if (!bundle.table && bundle !== model.bundle.value) return compare(groups);
      problems.push(...found.problems);
      put({ result: { ...found, problems, sizes, scale, noun, matrix, stored: false } });
    } catch (thrown) {
      if (!isAbort(thrown, signal)) put({ problem: asError(thrown).message });
    }
  };

  return {
    compare,
    closeComparison() {
      running.abort();
      model.comparison.value = null;
    },
    showDots(genes) {
      if (genes) model.neighborhoods.value = false;
      model.dotGenes.value = genes;
    },
    async readDots(genes, column, mask, signal) {
      const found: GeneDots[] = [];
      for (const gene of genes) {
        const { bundle } = model;
        await readAsTask(gene, signal, async (ctx) => {
          const read = await bundle.value?.genes.read(gene, ctx);
          if (read) found.push(dotsOf(gene, read.values, column, mask));
        });
      }
      return found;
    },
  };
}
