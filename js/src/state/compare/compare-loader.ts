import type { CategoryValues } from '../../data/column-values';
import { asCategories } from '../../data/column-values';
import { compareGenes } from '../../data/compare/compare';
import { inWorker } from '../../data/compare/engines';
import type { Scale } from '../../data/compare/gene-test';
import { dotsOf, type GeneDots } from '../../data/dots';
import { asError, isAbort } from '../../lib/errors';
import { keepColumn } from '../bundle-model';
import { geneMeaningOf } from '../color/gene-meaning';
import { grouped, groupsOf } from '../color/groups';
import type { LoadContext } from '../load-context';
import type { Model } from '../model';
import type { CellGroup, Comparison } from './compare-model';
import { cellsNow, sidesOf } from './groups-of-cells';

export interface CompareLoader {
  /** Compares all genes of two groups; a running comparison ends. Never rejects: what failed is in the model. */
  compare(groups: readonly [CellGroup, CellGroup]): Promise<void>;
  closeComparison(): void;
  /** Opens the dot plot with these genes, or closes it. */
  showDots(genes: readonly string[] | null): void;
  /** Reads genes and summarizes them in the categories of an annotation; `mask` as in `dotsOf`. */
  readDots(
    genes: readonly string[],
    column: CategoryValues,
    mask: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<GeneDots[]>;
}

/** How the means of the genes become a fold change, as the bundle states it. */
function scaleOf(model: Model): Scale {
  const values = model.bundle.value?.manifest.expression.values;
  if (geneMeaningOf(model).linear === null) return null;
  return values?.kind === 'counts' ? 0 : Math.log(values?.log_base ?? Math.E);
}

export function createCompareLoader(
  model: Model,
  { closed, readAsTask }: LoadContext,
  createWorker: () => Worker | null,
): CompareLoader {
  let running = new AbortController();

  const columnOf = async (name: string, signal: AbortSignal): Promise<CategoryValues | undefined> => {
    const { bundle, state } = model;
    const column = model.loaded.value.get(name) ?? (await bundle.value?.column(name, { signal }));
    if (!column) return undefined;
    keepColumn(model, column);
    return grouped(asCategories(column), groupsOf(state.value, name));
  };

  return {
    async compare(groups) {
      running.abort();
      running = new AbortController();
      const signal = AbortSignal.any([running.signal, closed]);
      const { bundle, comparison } = model;
      const table = bundle.value?.table ?? null;
      const cells = cellsNow(model);
      const total = table?.names.length ?? 0;
      const put = (change: Partial<Comparison>) => {
        if (!signal.aborted && comparison.value) comparison.value = { ...comparison.value, ...change };
      };
      comparison.value = { groups, cells, result: null, done: 0, total, problem: null };
      try {
        const columns = new Map<string, CategoryValues | undefined>();
        for (const group of groups)
          if (group.kind === 'category') columns.set(group.column, await columnOf(group.column, signal));
        const { group, sizes } = sidesOf(groups, cells, (name) => columns.get(name), model.noun.value);
        const scale = scaleOf(model);
        const found = table
          ? await compareGenes(table, { group, scale }, inWorker(createWorker), {
              signal,
              progress: (done) => put({ done }),
            })
          : await bundle.value?.compareLive(group, { signal });
        if (!found) return;
        put({ result: { ...found, sizes, scale, noun: geneMeaningOf(model).noun } });
      } catch (thrown) {
        if (!isAbort(thrown, signal)) put({ problem: asError(thrown).message });
      }
    },
    showDots(genes) {
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
    closeComparison() {
      running.abort();
      model.comparison.value = null;
    },
  };
}
