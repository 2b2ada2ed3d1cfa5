import type { CategoryValues, ColumnInfo, GroupedCategory } from '../../data/column-values';
import { LeftOutError } from '../../lib/errors';
import type { ViewState } from '../view-state';

/** Several categories of a column that are shown as one. */
export type Group = ViewState['groups'][string][number];

const NONE: readonly Group[] = [];

export function groupsOf({ groups }: Pick<ViewState, 'groups'>, column: string): readonly Group[] {
  return Object.hasOwn(groups, column) ? (groups[column] ?? NONE) : NONE;
}

/** Returns `groups` with those of one column replaced; a column without groups is left out. */
export function withGroups(
  groups: ViewState['groups'],
  column: string,
  next: readonly Group[],
): ViewState['groups'] {
  const others = Object.entries(groups).filter(([other]) => other !== column);
  // `Object.fromEntries` rather than assignment: a column may be named `__proto__`.
  return Object.fromEntries(next.length > 0 ? [...others, [column, next]] : others) as ViewState['groups'];
}

/** Names of the categories that a row of a legend stands for. */
export const membersOf = ({ name, members }: GroupedCategory): readonly string[] => members ?? [name];

/**
 * Returns why a group cannot be shown; null if it can. A group must not have the name of a category outside it, because
 * the names in a legend are unique.
 */
function problemOf({ name, members }: Group, names: ReadonlySet<string>): string | null {
  if (names.has(name) && !members.includes(name)) return 'a category outside it has the same name';
  const unknown = members.filter((member) => !names.has(member));
  if (unknown.length === 0) return null;
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
  const are = unknown.length === 1 ? 'is no category' : 'are no categories';
  return `there ${are} ${unknown.slice(0, 3).map(quoted).join(', ')}${more}`;
}

const quoted = (text: string) => `“${text}”`;

/** Describes the groups that do not fit the annotations; null if all do. */
export function misfitOf(groups: ViewState['groups'], columns: readonly ColumnInfo[]): LeftOutError | null {
  const problems = Object.entries(groups).flatMap(([name, listed]) => {
    const column = columns.find((other) => other.name === name);
    if (column?.kind !== 'category')
      return [`${quoted(name)} is not a categorical annotation of this bundle`];
    const names = new Set(column.categories.map((category) => category.name));
    return listed.flatMap((group) => {
      const problem = problemOf(group, names);
      return problem ? [`${quoted(group.name)} of ${quoted(name)}: ${problem}`] : [];
    });
  });
  if (problems.length === 0) return null;
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
  return new LeftOutError(
    `Groups of categories were left out or are incomplete: ${problems.slice(0, 3).join('; ')}${more}.`,
    'All other groups and settings were applied.',
  );
}

const known = new WeakMap<CategoryValues, { groups: readonly Group[]; found: CategoryValues }>();

/**
 * Returns the column with each group as one category, at the place of its first member. Ignores groups without known
 * members or with the name of a category outside them. Remembers the last result for each column.
 */
export function grouped(column: CategoryValues, groups: readonly Group[]): CategoryValues {
  if (groups.length === 0) return column;
  const last = known.get(column);
  if (last?.groups === groups) return last.found;
  const found = fold(column, groups);
  known.set(column, { groups, found });
  return found;
}

function fold(column: CategoryValues, groups: readonly Group[]): CategoryValues {
  const all = new Map(column.categories.map((category) => [category.name, category]));
  const groupOf = new Map<string, Group>();
  for (const group of groups) {
    if (all.has(group.name) && !group.members.includes(group.name)) continue;
    for (const member of group.members) if (all.has(member)) groupOf.set(member, group);
  }
  if (groupOf.size === 0) return column;
  const categories: GroupedCategory[] = [];
  const placeOf = new Map<Group, number>();
  const codeOf = column.categories.map((category) => {
    const group = groupOf.get(category.name);
    const place = group && placeOf.get(group);
    if (place !== undefined) return place;
    if (!group) return categories.push(category) - 1;
    const members = group.members.flatMap((name) => all.get(name) ?? []).sort((a, b) => b.count - a.count);
    const code = categories.length;
    placeOf.set(group, code);
    categories.push({
      name: group.name,
      color: group.color ?? members[0]?.color ?? category.color,
      count: members.reduce((sum, { count }) => sum + count, 0),
      members: members.map(({ name }) => name),
      ...(group.color ? { ownColor: group.color } : {}),
    });
    return code;
  });
  // Cells without a value have a code beyond the last category.
  codeOf.push(categories.length);
  const codes = column.codes.slice();
  for (let cell = 0; cell < codes.length; cell++) codes[cell] = codeOf[codes[cell] ?? 0] ?? categories.length;
  return { ...column, categories, codes, ungrouped: column };
}

/** Returns a name for a new group that the column does not have yet. */
export function freeGroupName({ categories, ungrouped }: CategoryValues): string {
  const taken = new Set([...categories, ...(ungrouped?.categories ?? [])].map(({ name }) => name));
  let number = 1;
  while (taken.has(`Group ${number}`)) number++;
  return `Group ${number}`;
}

/** Returns whether a name is in use in the column, other than by the rows that get it. */
export function isTaken(
  { categories, ungrouped }: CategoryValues,
  name: string,
  rows: readonly GroupedCategory[],
): boolean {
  const free = new Set(rows.flatMap((row) => [row.name, ...membersOf(row)]));
  return (
    !free.has(name) && [...categories, ...(ungrouped?.categories ?? [])].some((one) => one.name === name)
  );
}
