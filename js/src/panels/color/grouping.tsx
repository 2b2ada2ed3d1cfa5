import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { CategoryValues, GroupedCategory } from '../../data/column-values';
import { counted } from '../../lib/format';
import { freeGroupName, isTaken } from '../../state/color/groups';
import { usePanels } from '../context';
import { NameField } from '../name-field';
import { ItemButton } from '../named-chip';

const inUse = (name: string) => `Another category is already named “${name}”.`;

/** Names the checked categories and shows them as one. */
export function GroupForm(props: {
  column: CategoryValues;
  /** The checked rows */
  rows: readonly GroupedCategory[];
  /** Number of their cells */
  cells: number;
  /** The name takes the focus when this number grows. */
  focus: number;
  /** Checks all rows that the search finds; null if there is no search. */
  onAll: (() => void) | null;
  /** `name`: of the new group; null if canceled. */
  onDone: (name: string | null) => void;
}): JSX.Element {
  const { column, rows, cells, focus, onAll, onDone } = props;
  const input = useRef<HTMLInputElement>(null);
  const { model, actions } = usePanels();
  const typed = useSignal<string | null>(null);
  // A group to which categories are added keeps its name.
  const before = rows.filter(({ members }) => members);
  const name = typed.value ?? (before.length === 1 && before[0] ? before[0].name : freeGroupName(column));
  const taken = rows.length > 0 && isTaken(column, name.trim(), rows);
  // Focus before the next key event: the first letter of a name must not act as a shortcut.
  useLayoutEffect(() => {
    if (focus > 0) input.current?.focus();
  }, [focus]);
  return (
    <form
      class="ks-grouping"
      aria-label="Group categories"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onDone(null);
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (actions.groupCategories(column, rows, name)) onDone(name.trim());
      }}
    >
      <p class="ks-note" role="status">
        {rows.length === 0
          ? 'Check the categories to show as one.'
          : `${counted(rows.length, 'category', 'categories')}, ${counted(cells, model.noun.value)}`}{' '}
        {onAll && (
          <button type="button" class="ks-link" onClick={onAll}>
            Check all found
          </button>
        )}
      </p>
      <div class="ks-naming">
        <input
          ref={input}
          class="ks-name-field"
          type="text"
          aria-label="Group name"
          aria-invalid={taken}
          maxLength={120}
          spellcheck={false}
          value={name}
          // A typed name is continued rather than replaced.
          onFocus={(event) => typed.value === null && event.currentTarget.select()}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
        <button
          type="submit"
          class="ks-pill ks-strong"
          disabled={rows.length === 0 || taken || name.trim() === ''}
        >
          Group
        </button>
        <button type="button" class="ks-pill" onClick={() => onDone(null)}>
          Cancel
        </button>
        {taken && (
          <p class="ks-warning" role="status">
            {inUse(name.trim())}
          </p>
        )}
      </div>
    </form>
  );
}

/** The members of a group, and what can be done with it. */
export function GroupLine(props: {
  column: CategoryValues;
  row: GroupedCategory;
  renaming: boolean;
  onRename: (on: boolean) => void;
  /** `name`: of the row that takes the focus. */
  onDone: (name: string) => void;
}): JSX.Element {
  const { column, row, renaming, onRename, onDone } = props;
  const { actions } = usePanels();
  const { name, members = [] } = row;
  if (renaming) {
    return (
      <NameField
        label={`New name for ${name}`}
        value={name}
        about={(next) => (isTaken(column, next, [row]) ? { text: inUse(next), refused: true } : null)}
        onName={(next) => {
          if (actions.renameGroup(column, row, next)) onDone(next.trim());
        }}
        onClose={(byKey) => {
          onRename(false);
          if (byKey) onDone('');
        }}
      />
    );
  }
  const listed = members.join(', ');
  return (
    <div class="ks-group-line">
      <span class="ks-clip" title={listed}>
        {listed}
      </span>
      <ItemButton
        icon="pencil"
        does="Rename"
        name={name}
        shortcut="F2"
        tabIndex={-1}
        onClick={() => onRename(true)}
      />
      <ItemButton
        icon="close"
        does="Ungroup"
        name={name}
        shortcut="Delete"
        tabIndex={-1}
        onClick={() => actions.ungroup(column.name, name)}
      />
    </div>
  );
}
