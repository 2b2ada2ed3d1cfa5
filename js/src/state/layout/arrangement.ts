import type { Manifest, SectionFact } from '../../contract/manifest';
import type { Section } from '../../lib/section-grid';
import type { Arrangement, Layout } from '../view-state';

export type FactValue = SectionFact['values'][number];

/** Annotation with one value per section, by which sections can be sorted and filtered. */
export interface Fact {
  column: string;
  /** One value per section, in file order. */
  values: readonly FactValue[];
  /** Unique values: categories in the order of the annotation, numbers ascending; missing values last. */
  distinct: readonly FactValue[];
}

const NO_FACTS: readonly Fact[] = [];
/** Kept because facts are read in every frame in which the section titles move. */
const cache = new WeakMap<readonly SectionFact[], readonly Fact[]>();

export function factsOf({ sections, columns }: Pick<Manifest, 'sections' | 'columns'>): readonly Fact[] {
  if (!sections?.facts) return NO_FACTS;
  const known = cache.get(sections.facts);
  if (known) return known;
  const made = sections.facts
    .filter(({ values }) => values.length === sections.items.length)
    .map(({ column, values }) => {
      const stated = columns?.find(({ name }) => name === column);
      const categories = stated?.kind === 'category' ? stated.categories.map(({ name }) => name) : [];
      const codes = new Map<FactValue, number>(categories.map((name, code) => [name, code]));
      const rankOf = (value: FactValue) =>
        value === null
          ? Infinity
          : typeof value === 'number'
            ? value
            : (codes.get(value) ?? categories.length);
      const distinct = [...new Set(values)].sort((a, b) => {
        const [rankA, rankB] = [rankOf(a), rankOf(b)];
        return rankA === rankB ? 0 : rankA - rankB;
      });
      return { column, values, distinct };
    });
  cache.set(sections.facts, made);
  return made;
}

/** Returns the arrangement of sections in a layout; file order by default. */
export function arrangementOf(layout: Layout): Arrangement {
  if (layout.kind !== 'sections' && layout.kind !== 'section') return { order: 'file' };
  const { order = 'file', by, only } = layout;
  return { order, ...(by ? { by } : {}), ...(only && Object.keys(only).length > 0 ? { only } : {}) };
}

/** Filters and sorts sections. Ignores filters and orders by columns that do not exist. */
export function arranged(
  items: readonly Section[],
  facts: readonly Fact[],
  { order, by, only = {} }: Arrangement,
): Section[] {
  const factOf = (column: string) => {
    const fact = facts.find((candidate) => candidate.column === column);
    return fact && ((at: number) => fact.values[at] ?? null);
  };
  const tests = Object.entries(only).flatMap(([column, wanted]) => {
    const of = factOf(column);
    return of ? [(at: number) => wanted.includes(of(at))] : [];
  });
  const places = items.map((_, at) => at).filter((at) => tests.every((shown) => shown(at)));
  const item = (at: number) => items[at] as Section;
  if (order === 'name')
    places.sort((a, b) => item(a).name.localeCompare(item(b).name, 'en', { numeric: true }));
  if (order === 'cells') places.sort((a, b) => item(b).count - item(a).count);
  const fact = order === 'column' ? facts.find(({ column }) => column === by) : undefined;
  if (fact) {
    const rank = (at: number) => fact.distinct.indexOf(fact.values[at] ?? null);
    places.sort((a, b) => rank(a) - rank(b));
  }
  return places.map(item);
}

/** Returns the layout of a single section, whose neighbors are determined by an arrangement. */
export function sectionLayout(name: string, { order, ...rest }: Arrangement): Layout {
  return { kind: 'section', name, ...(order === 'file' ? {} : { order }), ...rest };
}

/**
 * Returns the values of a column that are shown; undefined if the column is not filtered. Checks own properties only,
 * because a column may be named `constructor`.
 */
export function shownValues({ only }: Arrangement, column: string): readonly FactValue[] | undefined {
  return only && Object.hasOwn(only, column) ? only[column] : undefined;
}

/** Returns the arrangement with one value of a column shown or hidden; removes the filter if all values are shown. */
export function withValue(
  arrangement: Arrangement,
  { column, distinct }: Fact,
  value: FactValue,
  shown: boolean,
): Arrangement {
  const before = shownValues(arrangement, column) ?? distinct;
  const now = distinct.filter((other) => (other === value ? shown : before.includes(other)));
  const { only, ...rest } = arrangement;
  const others = Object.entries(only ?? {}).filter(([name]) => name !== column);
  const next = now.length === distinct.length ? others : [...others, [column, now] as const];
  return next.length > 0 ? { ...rest, only: Object.fromEntries(next) } : rest;
}

/** Returns a function that gives the value by which a section is sorted, for display next to its name. */
export function noteOf(manifest: Manifest, arrangement: Arrangement): (name: string) => string {
  const { order, by } = arrangement;
  const fact = order === 'column' ? factsOf(manifest).find(({ column }) => column === by) : undefined;
  const places = new Map(manifest.sections?.items.map(({ name }, at) => [name, at]));
  return (name) => {
    const at = places.get(name);
    return fact && at !== undefined ? factText(fact.values[at] ?? null) : '';
  };
}

export const factText = (value: FactValue): string => (value === null ? 'no value' : String(value));
