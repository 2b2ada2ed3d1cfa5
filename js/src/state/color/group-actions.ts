import type { CategoryValues, GroupedCategory } from '../../data/column-values';
import type { Model } from '../model';
import type { History } from '../selection/history';
import { update } from '../state-model';
import { hiddenOf, isolatedOf, type ViewState, withNames } from '../view-state';
import { type Group, groupsOf, isTaken, membersOf, withGroups } from './groups';

export interface GroupActions {
  /**
   * Shows rows of a legend (categories and groups) as one category. Returns false if there is none, or the name is empty
   * or used by another category.
   */
  groupCategories(column: CategoryValues, rows: readonly GroupedCategory[], name: string): boolean;
  /** Renames a group. Returns false if the name is empty or used by another category. */
  renameGroup(column: CategoryValues, group: GroupedCategory, name: string): boolean;
  /** Sets the color of a group, `#rrggbb`. */
  recolorGroup(column: string, name: string, color: string): void;
  /** Shows the members of a group as categories again. */
  ungroup(column: string, name: string): void;
}

export function createGroupActions(model: Model, history: History): GroupActions {
  const put = (column: string, groups: readonly Group[], more: Partial<ViewState> = {}) =>
    update(model, { ...more, groups: withGroups(model.state.value.groups, column, groups) });

  const isFree = (column: CategoryValues, name: string, rows: readonly GroupedCategory[]) =>
    name !== '' && !isTaken(column, name, rows);

  /** A group is hidden or isolated as a whole, or not at all. */
  const asWhole = (names: readonly (string | null)[], members: readonly string[]) =>
    members.every((member) => names.includes(member))
      ? names
      : names.filter((name) => name === null || !members.includes(name));

  return {
    groupCategories(column, rows, given) {
      const name = given.trim();
      if (rows.length === 0 || !isFree(column, name, rows)) return false;
      const state = model.state.value;
      const members = rows.flatMap(membersOf);
      const merged = new Set(rows.flatMap((row) => (row.members ? [row.name] : [])));
      const others = groupsOf(state, column.name)
        .filter((group) => !merged.has(group.name))
        // Groups that this bundle cannot show may still list these categories.
        .map((group) => ({ ...group, members: group.members.filter((one) => !members.includes(one)) }))
        .filter((group) => group.members.length > 0 && group.name !== name);
      const color = rows.find(({ ownColor }) => ownColor)?.ownColor ?? null;
      history.keepView(['groups', 'hidden', 'isolated'], () =>
        put(column.name, [...others, { name, members, color }], {
          hidden: withNames(state.hidden, column.name, asWhole(hiddenOf(state, column.name), members)),
          isolated: withNames(state.isolated, column.name, asWhole(isolatedOf(state, column.name), members)),
        }),
      );
      return true;
    },
    renameGroup(column, row, given) {
      const name = given.trim();
      if (!isFree(column, name, [row])) return false;
      if (name === row.name) return true;
      const groups = groupsOf(model.state.value, column.name);
      history.keepView(['groups'], () =>
        put(
          column.name,
          groups.map((group) => (group.name === row.name ? { ...group, name } : group)),
        ),
      );
      return true;
    },
    recolorGroup(column, name, color) {
      const groups = groupsOf(model.state.value, column);
      put(
        column,
        groups.map((group) => (group.name === name ? { ...group, color: color.toLowerCase() } : group)),
      );
    },
    ungroup(column, name) {
      const others = groupsOf(model.state.value, column).filter((group) => group.name !== name);
      history.keepView(['groups'], () => put(column, others));
    },
  };
}
