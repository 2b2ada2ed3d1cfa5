import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { formatCount } from '../lib/format';
import { freeName, howOf, isSelected, type Region } from '../state/selection';
import { HeadingButton } from './buttons';
import { usePanels } from './context';
import { Icon } from './icons';
import { type About, NameField } from './name-field';
import { RegionFiles } from './region-files';

const isTaken = (regions: readonly Region[], name: string) => regions.some((region) => region.name === name);

/** What the name of a new region does to one that is there. */
export const replaces =
  (regions: readonly Region[]) =>
  (name: string): About | null =>
    isTaken(regions, name) ? { text: `The cells of “${name}” are replaced.`, refused: false } : null;

export function Regions(): JSX.Element | null {
  const { model, actions } = usePanels();
  const adding = useSignal(false);
  const back = useSignal<string | null>(null);
  const regions = model.regions.value;
  const selection = model.selection.value;
  const note = model.regionNote.value;
  return (
    <section class="ks-section ks-regions" aria-label="Regions">
      <div class="ks-heading-line">
        <h2 class="ks-heading">Regions</h2>
        <RegionFiles />
        {selection && (
          <HeadingButton
            title="Keep the selection as a region"
            onClick={() => {
              adding.value = true;
            }}
          >
            + New
          </HeadingButton>
        )}
      </div>
      {regions.length === 0 && selection && !adding.value && !note && (
        <p class="ks-note">A region keeps the selected cells under a name.</p>
      )}
      {regions.length > 0 && (
        <ul class="ks-region-list">
          {regions.map((region) => (
            <Chip key={region.name} region={region} back={back} />
          ))}
        </ul>
      )}
      {note && (
        <p
          class={`ks-break ${note.problem ? 'ks-warning' : 'ks-note'}`}
          role={note.problem ? 'alert' : 'status'}
        >
          {note.text}{' '}
          {note.undo && (
            <button type="button" class="ks-link" title="Take it back (Ctrl Z)" onClick={actions.undo}>
              Undo
            </button>
          )}
        </p>
      )}
      {adding.value && (
        <NameField
          label="Name of the new region"
          value={freeName(regions)}
          about={replaces(regions)}
          onName={(name) => {
            actions.addRegion(name);
            back.value = name.trim();
          }}
          onClose={(byKey) => {
            if (!byKey) back.value = null;
            adding.value = false;
          }}
        />
      )}
    </section>
  );
}

interface ChipProps {
  region: Region;
  /** The region whose button takes the focus when it is there. */
  back: Signal<string | null>;
}

function Chip({ region, back }: ChipProps): JSX.Element {
  const { model, actions } = usePanels();
  const renaming = useSignal(false);
  const { name, color, cells } = region;
  const button = useRef<HTMLButtonElement>(null);
  const takesFocus = back.value === name && !renaming.value;
  useLayoutEffect(() => {
    if (!takesFocus) return;
    back.value = null;
    button.current?.focus();
  }, [takesFocus, back]);
  // What is taken away under the pointer never says that the pointer left.
  useEffect(() => () => actions.glance(null), [actions, cells]);
  const rename = () => {
    renaming.value = true;
  };
  const remove = () => {
    const regions = model.regions.value;
    const at = regions.indexOf(region);
    back.value = (regions[at + 1] ?? regions[at - 1])?.name ?? null;
    actions.removeRegion(name);
  };
  if (renaming.value) {
    return (
      <li class="ks-region ks-renaming">
        <NameField
          label={`New name of ${name}`}
          value={name}
          about={(next) =>
            next !== name && isTaken(model.regions.value, next)
              ? { text: `Another region is called “${next}”.`, refused: true }
              : null
          }
          onName={(next) => {
            if (actions.renameRegion(name, next)) back.value = next.trim();
          }}
          onClose={(byKey) => {
            back.value = byKey ? (back.value ?? name) : null;
            renaming.value = false;
          }}
        />
      </li>
    );
  }
  return (
    <li
      class="ks-region"
      // A finger has no place before it presses.
      onPointerEnter={(event) => event.pointerType !== 'touch' && actions.glance(cells)}
      onPointerLeave={() => actions.glance(null)}
      onFocusIn={(event) => (event.target as Element).matches(':focus-visible') && actions.glance(cells)}
      onFocusOut={() => actions.glance(null)}
    >
      <button
        type="button"
        class="ks-region-name"
        ref={button}
        aria-pressed={isSelected(cells, model.selection.value)}
        aria-label={`Select ${name}, ${formatCount(cells.length)} cells`}
        title={`${name}: click selects, Shift adds, Alt takes away, both keep what is in both, double click renames`}
        onClick={(event) => {
          // The second click of a double click would only add a step to undo.
          if (event.detail < 2) actions.selectRegion(name, howOf(event));
        }}
        onDblClick={rename}
        onKeyDown={(event) => {
          if (event.key === 'F2') rename();
          else if (event.key === 'Delete') remove();
          else return;
          event.preventDefault();
        }}
      >
        <span class="ks-dot" style={{ backgroundColor: color }} />
        <span class="ks-clip">{name}</span>
        <span class="ks-muted">· {formatCount(cells.length)}</span>
      </button>
      <button
        type="button"
        class="ks-region-act"
        aria-label={`Rename ${name}`}
        title="Rename (F2)"
        onClick={rename}
      >
        <Icon name="pencil" size={14} />
      </button>
      <button
        type="button"
        class="ks-region-act"
        aria-label={`Remove ${name}`}
        title="Remove (Delete)"
        onClick={remove}
      >
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}
