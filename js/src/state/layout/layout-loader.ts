import type { Bundle } from '../../data/bundle';
import { asCategories } from '../../data/column-values';
import { asError, isAbort, NoSectionsError, UnknownNameError } from '../../lib/errors';
import { keepColumn } from '../bundle-model';
import type { LoadContext } from '../load-context';
import type { Model } from '../model';
import { firstLayout } from '../save/first-view';
import { update } from '../state-model';
import { notify } from '../status';
import { type Layout, sameLayout } from '../view-state';
import { factsOf } from './arrangement';
import { embeddingLabel, type Sections } from './layout';

/** Loads the coordinates of layouts. */
export interface LayoutLoader {
  /** Loads the data that a layout needs. */
  prepare(layout: Layout | null, signal?: AbortSignal): Promise<void>;
  /** Loads the initial layouts; reports those that the bundle does not have and replaces them by defaults. */
  prepareFirst(bundle: Bundle): Promise<void>;
}

export function createLayoutLoader(model: Model, { closed, readAsTask }: LoadContext): LayoutLoader {
  const loadSections = async (bundle: Bundle, signal?: AbortSignal): Promise<Sections> => {
    if (model.sections.value) return model.sections.value;
    const listed = bundle.manifest.sections;
    if (!listed) throw new NoSectionsError();
    const read = await readAsTask(listed.column, signal, (ctx) => bundle.column(listed.column, ctx));
    const column = asCategories(read);
    keepColumn(model, column);
    const sections = {
      column: listed.column,
      items: listed.items,
      facts: factsOf(bundle.manifest),
      categories: column.categories.map(({ name }) => name),
      codes: column.codes,
    };
    model.sections.value = sections;
    return sections;
  };

  const loadEmbedding = async (
    bundle: Bundle,
    layout: Layout & { kind: 'embedding' },
    signal?: AbortSignal,
  ) => {
    const { name } = layout;
    if (model.embeddings.value.has(name)) return;
    const label = embeddingLabel(layout, bundle.manifest) ?? name;
    const embedding = await readAsTask(label, signal, (ctx) => bundle.embedding(name, ctx));
    model.embeddings.value = new Map(model.embeddings.value).set(name, embedding);
  };

  const prepare: LayoutLoader['prepare'] = async (layout, signal) => {
    const bundle = model.bundle.value;
    if (!bundle || !layout || layout.kind === 'tissue') return;
    if (layout.kind === 'embedding') return loadEmbedding(bundle, layout, signal);
    if (
      layout.kind === 'section' &&
      !bundle.manifest.sections?.items.some(({ name }) => name === layout.name)
    )
      throw new UnknownNameError('section', layout.name);
    await loadSections(bundle, signal);
  };

  /** Returns whether the layout could be loaded; otherwise adds a notice. */
  const prepareOrNotify = async (layout: Layout | null): Promise<boolean> => {
    try {
      await prepare(layout);
      return true;
    } catch (thrown) {
      if (isAbort(thrown, closed)) throw thrown;
      notify(model, asError(thrown));
      return false;
    }
  };

  return {
    prepare,
    async prepareFirst(bundle) {
      const { layout, beside } = model.state.value;
      if (!(await prepareOrNotify(layout))) {
        const fallback = firstLayout(bundle.manifest);
        const available =
          !sameLayout(fallback, layout) &&
          (await prepare(fallback).then(
            () => true,
            () => false,
          ));
        update(model, { layout: available ? fallback : { kind: 'tissue' }, camera: null });
      }
      if (!(await prepareOrNotify(beside))) update(model, { beside: null, besideCamera: null });
    },
  };
}
