import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { CategoryValues, GroupedCategory } from '../../data/column-values';
import { formatCategory, formatCount, formatShare } from '../../lib/format';
import { hasGenes, REST } from '../../state/compare/groups-of-cells';
import { usePanels } from '../context';
import { Icon } from '../icons';
import { GroupLine } from './grouping';
import { type RowNames, useRowActions } from './row-actions';

/** A category in the legend, a group of categories, or the cells without a value. */
export interface Row {
  name: string | null;
  /** The categories that it stands for */
  names: RowNames;
  color: string;
  count: number;
  code: number;
  /** Set for a group of categories */
  group?: GroupedCategory;
}

export function LegendRow(props: {
  row: Row;
  column: CategoryValues;
  hidden: boolean;
  dimmed: boolean;
  /** Total number of cells */
  of: number;
  /** Width of the bar, 0 to 1 */
  width: number;
  tabStop: boolean;
  onFocus: () => void;
  last: { current: string | undefined };
  /** Whether it is checked to be grouped; null unless categories are being grouped. */
  checked: boolean | null;
  onCheck: (name: string, range: boolean, event: Event) => void;
  /** Focuses the row with this name once it is rendered; null for the current one. */
  focusOn: (name: string | null) => void;
}): JSX.Element {
  const { row, column, hidden, dimmed, of, width, tabStop, onFocus, last, checked, onCheck, focusOn } = props;
  const { model, actions } = usePanels();
  const renaming = useSignal(false);
  const { color, count, group } = row;
  const check = (range: boolean, event: Event) => row.name !== null && onCheck(row.name, range, event);
  const name = formatCategory(row.name);
  const share = formatShare(count / Math.max(1, of));
  const { point, leave, click, keyDown } = useRowActions(column, row.names, last);
  const recolor = (next: string) => {
    if (group) actions.recolorGroup(column.name, group.name, next);
    else actions.recolorCategory(column.name, row.name ?? '', next);
  };
  const about = group ? `, group of ${row.names.join(', ')}` : '';
  return (
    <li
      class={`ks-class-row${hidden ? ' ks-hidden' : dimmed ? ' ks-dimmed' : ''}`}
      // Touch has no hover.
      onPointerEnter={(event) => event.pointerType !== 'touch' && point()}
      onPointerLeave={leave}
      onFocusIn={(event) => {
        onFocus();
        if ((event.target as Element).matches(':focus-visible')) point();
      }}
      onFocusOut={leave}
    >
      {row.name === null || checked !== null ? (
        <span class="ks-dot" style={{ background: color }} />
      ) : (
        <input
          type="color"
          class="ks-swatch-dot"
          tabIndex={-1}
          aria-label={`Color of ${name}`}
          title={`Change the color of ${name}`}
          value={color}
          onInput={(event) => recolor(event.currentTarget.value)}
        />
      )}
      <button
        type="button"
        class="ks-class"
        tabIndex={tabStop ? 0 : -1}
        {...(checked === null ? { 'aria-pressed': !hidden } : { role: 'checkbox', 'aria-checked': checked })}
        disabled={checked !== null && row.name === null}
        aria-label={`${name}, ${formatCount(count)}, ${share}${dimmed && !hidden ? ', dimmed' : ''}${about}`}
        title={
          checked !== null
            ? `${name}: click to check, Shift+click to check a range`
            : `${name}: click to hide, double-click to isolate, Alt+click to select its cells (with Shift, add them to the selection), Ctrl+click to group`
        }
        onClick={(event) => {
          if (checked !== null) check(event.shiftKey, event);
          else if ((event.ctrlKey || event.metaKey) && row.name !== null) check(false, event);
          else click(event);
        }}
        onKeyDown={(event) => {
          const { key, ctrlKey, metaKey } = event;
          if (key === 'Enter' && (ctrlKey || metaKey)) check(false, event);
          else if (group && checked === null && key === 'F2') renaming.value = true;
          else if (group && checked === null && key === 'Delete') {
            actions.ungroup(column.name, group.name);
            focusOn(group.members?.[0] ?? null);
          } else return checked === null && keyDown(event);
          event.preventDefault();
        }}
      >
        <span class={`ks-class-name${row.name === null ? ' ks-muted' : ''}`}>{name}</span>{' '}
        <span class="ks-number ks-muted">{formatCount(count)}</span>{' '}
        <span class="ks-number ks-muted ks-share">{share}</span>
        <span class="ks-bar">
          <span style={{ width: `${Math.max(4, width * 100)}%`, background: color }} />
        </span>
        <Icon name={checked === null ? (hidden ? 'hidden' : 'eye') : checked ? 'checked' : 'one'} size={16} />
      </button>
      {row.name !== null && checked === null && hasGenes(model) && (
        <button
          type="button"
          class="ks-pill ks-row-genes"
          tabIndex={-1}
          aria-label={`Markers of ${name}`}
          title={`Markers of ${name}: compare all genes between this category and the rest`}
          onClick={() =>
            void actions.compare([{ kind: 'category', column: column.name, name: row.name ?? '' }, REST])
          }
        >
          Markers
        </button>
      )}
      {group && checked === null && (
        <GroupLine
          column={column}
          row={group}
          renaming={renaming.value}
          onRename={(on) => {
            renaming.value = on;
          }}
          onDone={focusOn}
        />
      )}
    </li>
  );
}
