import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { counted, formatCount } from '../../lib/format';
import { freeName, isSelected, modeOf, type Region } from '../../state/selection/selection';
import { HeadingButton } from '../buttons';
import { usePanels } from '../context';
import { Icon } from '../icons';
import { type About, NameField } from './name-field';
import { RegionFiles } from './region-files';

const isTaken = (regions: readonly Region[], name: string) => regions.some((region) => region.name === name);

/** Creates a check whether the name of a new region would replace an existing region. */
export const replaces =
  (regions: readonly Region[]) =>
  (name: string): About | null =>
    isTaken(regions, name) ? { text: `This replaces the cells of “${name}”.`, refused: false } : null;

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
            title="Save the selection as a region"
            onClick={() => {
              adding.value = true;
            }}
          >
            + New
          </HeadingButton>
        )}
      </div>
      {regions.length === 0 && selection && !adding.value && !note && (
        <p class="ks-note">A region stores the selected cells under a name.</p>
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
            <button type="button" class="ks-link" title="Undo (Ctrl+Z)" onClick={actions.undo}>
              Undo
            </button>
          )}
        </p>
      )}
      {adding.value && (
        <NameField
          label="Region name"
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
  /** The name of the region whose button takes the focus once rendered. */
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
  // An element that is removed under the pointer gets no pointerleave event.
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
          label={`New name for ${name}`}
          value={name}
          about={(next) =>
            next !== name && isTaken(model.regions.value, next)
              ? { text: `Another region is already named “${next}”.`, refused: true }
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
      // Touch has no hover.
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
        aria-label={`Select ${name}, ${counted(cells.length, model.noun.value)}`}
        title={`${name}: click to select (Shift adds, Alt subtracts, both intersect), double-click to rename`}
        onClick={(event) => {
          // The second click of a double-click would only add an undo step.
          if (event.detail < 2) actions.selectRegion(name, modeOf(event));
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
