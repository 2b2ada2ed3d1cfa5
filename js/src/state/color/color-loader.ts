import { batch } from '@preact/signals';
import type { Bundle } from '../../data/bundle';
import { asCategories } from '../../data/column-values';
import type { GeneValues } from '../../data/gene-store';
import { proportionsOf, readAmounts } from '../../data/proportions';
import { summarizeGeneInTurns } from '../../data/summary';
import { asError, HostError, isAbort } from '../../lib/errors';
import { pause } from '../../lib/pause';
import type { ReadContext } from '../../source/bundle-source';
import { forgetColumn, keepColumn } from '../bundle-model';
import type { LoadContext } from '../load-context';
import type { Model } from '../model';
import { distanceRegion, readDistances, tissueUm } from '../selection/border';
import { update } from '../state-model';
import { notify } from '../status';
import { type Color, sameColor } from '../view-state';
import { mixed } from './blend';
import { colorLabel, type Layer, NO_LAYER } from './layer';
import { Score } from './score';

/** Loads the values that color the tissue, and those by which they are grouped. */
export interface ColorLoader {
  /** Loads a color. A categorical annotation also becomes the grouping, unless `keepGroup` is set. */
  load(color: Color, options?: { keepGroup?: boolean }): Promise<void>;
  /** Resolves when no color is being loaded, whether it succeeded or failed. */
  settled(): Promise<void>;
  /** Loads the categories by which values are grouped. */
  group(column: string, signal?: AbortSignal): Promise<void>;
  /** Loads the statistics by which genes are sorted. */
  rank(): Promise<void>;
}

const RECENT_GENES = 5;

export function createColorLoader(
  model: Model,
  { closed, startTask, readAsTask, checkLater }: LoadContext,
): ColorLoader {
  let current = new AbortController();
  let pending: Promise<void> = Promise.resolve();
  let amounts: Promise<void> = Promise.resolve();

  const refuse = (error: Error) =>
    batch(() => {
      // Do not show the old colors under the new name.
      model.loadedLayer.value = NO_LAYER;
      model.problem.value = error;
    });

  const damaged = (color: Color) => (error: Error) => {
    if (color.kind === 'annotation') forgetColumn(model, color.column);
    if (sameColor(model.state.value.color, color)) return refuse(error);
    // The user saw wrong values before choosing another color, so report the failure.
    if (sameColor(model.loadedLayer.value.color, color)) model.loadedLayer.value = NO_LAYER;
    notify(model, error);
  };

  const show = (layer: Layer, keepGroup: boolean) =>
    batch(() => {
      model.loadedLayer.value = layer;
      if (layer.kind === 'category' && !keepGroup) update(model, { groupBy: layer.column.name });
      if (layer.color.kind !== 'gene') return;
      const { gene } = layer.color;
      const others = model.recentGenes.value.filter((other) => other !== gene);
      model.recentGenes.value = [gene, ...others].slice(0, RECENT_GENES);
    });

  /** Loads the amounts of proportions, which are drawn as pie charts. */
  const addAmounts = async (bundle: Bundle, layer: Layer & { kind: 'category' }, signal: AbortSignal) => {
    const { name, categories } = layer.column;
    const found = proportionsOf(bundle.manifest, name);
    if (!found) return;
    // Without amounts, the most abundant types are still shown.
    const without = (error: Error) => {
      const shown = model.loadedLayer.value;
      if (shown.kind === 'category' && shown.column === layer.column) model.loadedLayer.value = layer;
      notify(model, error);
    };
    try {
      const amounts = await readAmounts(bundle, found, categories, { signal, later: checkLater(without) });
      if (amounts && model.loadedLayer.value === layer) model.loadedLayer.value = { ...layer, amounts };
    } catch (thrown) {
      if (!isAbort(thrown, signal)) without(asError(thrown));
    }
  };

  const loadColor = async (color: Color, signal: AbortSignal, keepGroup: boolean) => {
    const bundle = model.bundle.value;
    if (!bundle) return;
    model.problem.value = null;
    const task = startTask(colorLabel(color));
    const ctx = { signal, later: checkLater(damaged(color)), progress: task.progress };
    try {
      const layer = await readLayer(model, bundle, color, ctx);
      if (signal.aborted) throw signal.reason;
      show(layer, keepGroup);
      // Do not wait for the amounts.
      amounts = layer.kind === 'category' ? addAmounts(bundle, layer, signal) : Promise.resolve();
    } catch (thrown) {
      if (isAbort(thrown, signal)) throw thrown;
      const lost = model.lost.value;
      // The shown color stays, and the legend with it.
      if (lost && thrown instanceof HostError && model.loadedLayer.value !== NO_LAYER)
        batch(() => {
          update(model, { color: model.loadedLayer.value.color });
          model.lost.value = { ...lost, wanted: colorLabel(color) };
        });
      else refuse(asError(thrown));
      throw thrown;
    } finally {
      task.end();
    }
  };

  return {
    load(color, { keepGroup = false } = {}) {
      current.abort(new DOMException('Another color was chosen.', 'AbortError'));
      current = new AbortController();
      pending = loadColor(color, AbortSignal.any([current.signal, closed]), keepGroup);
      pending.catch(() => {});
      return pending;
    },
    settled: () => pending.then(() => amounts).catch(() => {}),
    async group(name, signal) {
      const bundle = model.bundle.value;
      if (!bundle) return;
      keepColumn(model, asCategories(await readAsTask(name, signal, (ctx) => bundle.column(name, ctx))));
    },
    async rank() {
      const bundle = model.bundle.value;
      if (bundle) bundle.search.take(await readAsTask('gene order', undefined, bundle.liveStatistics));
    },
  };
}

/** Reads the values of a color; keeps those of an annotation in the model. */
async function readLayer(
  model: Pick<Model, 'loaded' | 'dark' | 'state' | 'tissue' | 'bundle' | 'regions' | 'storedColumns'>,
  bundle: Bundle,
  color: Color,
  ctx: ReadContext & Required<Pick<ReadContext, 'progress'>>,
): Promise<Layer> {
  const of = bundle.matrixSuffix;
  const label = colorLabel(color) + (color.kind === 'annotation' ? '' : of);
  // For several genes, progress counts genes rather than bytes.
  const { progress, ...geneContext } = ctx;
  switch (color.kind) {
    case 'none':
      return NO_LAYER;
    case 'gene': {
      const { values, summary } = await bundle.genes.read(color.gene, ctx);
      return { kind: 'value', color, label, values, summary };
    }
    case 'blend': {
      const parts: GeneValues[] = [];
      for (const gene of color.genes) {
        parts.push(await bundle.genes.read(gene, geneContext));
        progress(parts.length, color.genes.length);
      }
      return { kind: 'blend', color, parts, of, mixed: await mixed(parts, model.dark.value) };
    }
    case 'score': {
      // Keep only the sum: the gene set may be larger than the cache.
      const score = new Score(bundle.manifest.n_cells);
      for (const [done, gene] of color.genes.entries()) {
        score.add(await bundle.genes.read(gene, geneContext));
        await pause();
        progress(done + 1, color.genes.length);
      }
      const { values, partial } = score.mean();
      await pause();
      return { kind: 'value', color, label, values, summary: await summarizeGeneInTurns(values), partial };
    }
    case 'annotation': {
      const region = distanceRegion(model, color.column);
      const column = region
        ? await readDistances(model, region, ctx)
        : await bundle.column(color.column, ctx);
      keepColumn(model, column);
      if (column.kind === 'category') return { kind: 'category', color, column };
      const { values } = column;
      const unit = region ? ` (${tissueUm(model) === null ? 'coordinate units' : 'µm'})` : '';
      const summary = await column.summarize();
      // Pause so that the panels count a million values in a separate task.
      await pause();
      return { kind: 'value', color, label: label + unit, values, summary };
    }
  }
}
