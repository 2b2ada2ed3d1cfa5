import type { Bundle, Positions } from '../../data/bundle';
import type { CategoryValues, ColumnValues } from '../../data/column-values';
import { UnknownNameError } from '../../lib/errors';
import type { ReadContext } from '../../source/bundle-source';
import type { Model } from '../model';
import type { Told } from '../tasks';
import type { Layout } from '../view-state';
import { factsOf } from './arrangement';
import { embeddingLabel, type Sections } from './layout';

/** Loads the data of layouts and groupings. */
export interface Places {
  /** Loads the data that a layout needs. */
  prepare(layout: Layout | null, signal?: AbortSignal): Promise<void>;
  /** Loads the categories by which values are grouped. */
  group(column: string, signal?: AbortSignal): Promise<void>;
}

export function createPlaces(
  model: Model,
  closed: AbortSignal,
  keep: (column: ColumnValues) => void,
  startTask: (label: string) => Told,
): Places {
  const waitFor = async <T>(
    label: string,
    given: AbortSignal | undefined,
    read: (ctx: ReadContext) => Promise<T>,
  ): Promise<T> => {
    const signal = given ? AbortSignal.any([given, closed]) : closed;
    const task = startTask(label);
    try {
      const value = await read({ signal, progress: task.progress });
      signal.throwIfAborted();
      return value;
    } finally {
      task.end();
    }
  };

  const needSections = async (bundle: Bundle, signal?: AbortSignal): Promise<Sections> => {
    if (model.sections.value) return model.sections.value;
    const stated = bundle.manifest.sections;
    if (!stated) throw new UnknownNameError('section', '');
    const column = await waitFor(stated.column, signal, (ctx) => bundle.column(stated.column, ctx));
    const classes = classesOf(column);
    keep(classes);
    const categories = classes.categories.map(({ name }) => name);
    const facts = factsOf(bundle.manifest);
    const sections = { column: stated.column, items: stated.items, facts, categories, codes: classes.codes };
    model.sections.value = sections;
    return sections;
  };

  return {
    async prepare(layout, signal) {
      const bundle = model.bundle.value;
      if (!bundle || !layout || layout.kind === 'tissue') return;
      if (layout.kind === 'embedding') {
        if (model.embeddings.value.has(layout.name)) return;
        const label = embeddingLabel(layout, bundle.manifest) ?? layout.name;
        const read = (ctx: ReadContext): Promise<Positions> => bundle.embedding(layout.name, ctx);
        const embedding = await waitFor(label, signal, read);
        model.embeddings.value = new Map(model.embeddings.value).set(layout.name, embedding);
        return;
      }
      const { items } = await needSections(bundle, signal);
      if (layout.kind === 'section' && !items.some(({ name }) => name === layout.name))
        throw new UnknownNameError('section', layout.name);
    },
    async group(name, signal) {
      const bundle = model.bundle.value;
      if (bundle) keep(classesOf(await waitFor(name, signal, (ctx) => bundle.column(name, ctx))));
    },
  };
}

/** Returns a categorical column. Throws for a numeric one. */
export function classesOf(column: ColumnValues): CategoryValues {
  if (column.kind !== 'category') throw new UnknownNameError('categorical annotation', column.name);
  return column;
}
