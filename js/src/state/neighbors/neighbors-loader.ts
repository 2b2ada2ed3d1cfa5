import { computed, effect, untracked } from '@preact/signals';
import { asCategories, type CategoryValues } from '../../data/column-values';
import { type Neighborhoods, neighborhoodsOf } from '../../data/neighborhoods';
import type { Graph } from '../../data/neighbors';
import { asError, isAbort } from '../../lib/errors';
import type { LoadContext } from '../load-context';
import type { Model } from '../model';
import { update } from '../state-model';
import { notify } from '../status';

export interface NeighborsLoader {
  /** Shows or hides neighbors. */
  setNeighbors(on: boolean): void;
  /** Opens or closes the neighborhoods of categories. */
  showNeighborhoods(open: boolean): void;
  /** Counts the neighbors of categories among the cells of a mask (null for all cells), and compares them with chance. */
  readNeighborhoods(
    column: CategoryValues,
    mask: Uint8Array | null,
    signal: AbortSignal,
  ): Promise<Neighborhoods>;
}

export function createNeighborsLoader(model: Model, { closed, readAsTask }: LoadContext): NeighborsLoader {
  const readGraph = (signal?: AbortSignal): Promise<Graph> =>
    readAsTask('neighbors', signal, (ctx) => {
      const bundle = model.bundle.value;
      if (!bundle) throw new Error('The bundle is not open.');
      return bundle.neighbors(ctx);
    });
  const wanted = computed(
    () =>
      model.status.value.kind === 'ready' &&
      model.state.value.neighbors &&
      model.bundle.value?.hasNeighbors === true,
  );
  const stop = effect(() => {
    model.graph.value = null;
    if (!wanted.value) return;
    untracked(() => readGraph()).then(
      (graph) => {
        if (wanted.value) model.graph.value = graph;
      },
      (thrown) => {
        update(model, { neighbors: false });
        if (!isAbort(thrown, closed)) notify(model, asError(thrown));
      },
    );
  });
  closed.addEventListener('abort', stop, { once: true });
  return {
    setNeighbors: (neighbors) => update(model, { neighbors }),
    showNeighborhoods(open) {
      // Neighborhoods replace the dot plot.
      if (open) model.dotGenes.value = null;
      model.neighborhoods.value = open;
    },
    async readNeighborhoods(column, mask, signal) {
      const graph = await readGraph(signal);
      const bundle = model.bundle.value;
      const name = bundle?.manifest.sections?.column;
      const sections = name && bundle ? asCategories(await bundle.column(name, { signal })) : null;
      return neighborhoodsOf(graph, column, sections?.codes ?? null, mask, signal);
    },
  };
}
