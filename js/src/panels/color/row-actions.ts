import { useEffect, useMemo } from 'preact/hooks';
import type { CategoryValues } from '../../data/column-values';
import { flagsOf } from '../../state/color/layer';
import { usePanels } from '../context';

/** The categories of a legend row: one, or the members of a group. Null stands for cells without a value. */
export type RowNames = readonly (string | null)[];

/** Returns the event handlers of a legend row: they hide, isolate, select and emphasize its categories. */
export function useRowActions(
  column: CategoryValues,
  names: RowNames,
  /** The row that was clicked last in this legend. */
  last: { current: string | undefined },
) {
  const { model, actions } = usePanels();
  // Rows are rebuilt on each render; their categories rarely change.
  const key = JSON.stringify(names);
  const stable = useMemo(() => names, [key]);
  const isolate = () => actions.isolateCategories(column.name, stable);
  const select = (event: MouseEvent | KeyboardEvent) => {
    const flags = flagsOf(column, stable);
    const { codes, categories } = column;
    const wanted = (cell: number) =>
      flags[Math.min(codes[cell] ?? categories.length, categories.length)] === 1;
    actions.selectWhere(wanted, event.shiftKey ? 'add' : 'replace');
  };
  /** Touch has no Alt key: with a selection tool active, a tap selects the category. */
  const selects = (event: MouseEvent) => {
    const finger = event instanceof PointerEvent && event.pointerType === 'touch';
    return event.altKey || (finger && (model.tool.value === 'lasso' || model.tool.value === 'rect'));
  };
  const leave = () => actions.emphasize(null);
  // A row that is removed under the pointer gets no pointerleave event.
  useEffect(
    () => () => {
      const emphasis = model.emphasis.peek();
      if (emphasis?.column === column.name && emphasis.names === stable) actions.emphasize(null);
    },
    [model, actions, column, stable],
  );
  return {
    point: () => actions.emphasize({ column: column.name, names: stable }),
    leave,
    click(event: MouseEvent) {
      // The browser reports quick taps on two rows as a double-click on the second.
      const same = last.current === key;
      // Ignore the third and later clicks of a fast series.
      if (same && event.detail > 2) return;
      const again = same && event.detail === 2;
      last.current = key;
      if (selects(event)) return select(event);
      // The second click of a double-click undoes the toggle of the first.
      actions.toggleCategories(column.name, stable);
      if (again) isolate();
    },
    keyDown(event: KeyboardEvent) {
      if (event.key !== 'Enter' || !(event.shiftKey || event.altKey)) return;
      event.preventDefault();
      if (event.altKey) select(event);
      else isolate();
    },
  };
}
