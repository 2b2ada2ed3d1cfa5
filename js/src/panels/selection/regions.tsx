import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { counted, formatCount } from '../../lib/format';
import { distanceColumn } from '../../state/selection/distance-columns';
import { freeName, isSelected, modeOf, type Region } from '../../state/selection/selection';
import { HeadingButton } from '../buttons';
import { usePanels, useView } from '../context';
import { type About, NameField } from '../name-field';
import { ItemButton, NamedChip, neighborOf } from '../named-chip';
import { RegionFiles } from './region-files';

const isTaken = (regions: readonly Region[], name: string) => regions.some((region) => region.name === name);

/** Creates a function that checks whether the name of a new region would replace an existing region. */
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
  const { name, cells, outline } = region;
  const color = useView('color');
  const column = distanceColumn(name);
  // An element that is removed under the pointer gets no pointerleave event.
  useEffect(() => () => actions.glance(null), [actions, cells]);
  return (
    <NamedChip
      name={name}
      noun="region"
      color={region.color}
      size={formatCount(cells.length)}
      pressed={isSelected(cells, model.selection.value)}
      label={`Select ${name}, ${counted(cells.length, model.noun.value)}`}
      title={`${name}: click to select (Shift adds, Alt subtracts, both intersect), double-click to rename`}
      onClick={(event) => actions.selectRegion(name, modeOf(event))}
      isTaken={(next) => isTaken(model.regions.value, next)}
      onRename={(next) => actions.renameRegion(name, next)}
      onRemove={() => {
        const next = neighborOf(model.regions.value, name);
        actions.removeRegion(name);
        return next;
      }}
      onPoint={(on) => actions.glance(on ? cells : null)}
      back={back}
    >
      {outline && (
        <ItemButton
          icon="distance"
          does="Color by distance to border of"
          name={name}
          pressed={color.kind === 'annotation' && color.column === column}
          onClick={() => {
            // The selection, and the region under the pointer, would dim the cells outside; their distances matter, too.
            actions.clearSelection();
            actions.glance(null);
            actions.setColor({ kind: 'annotation', column });
          }}
        />
      )}
    </NamedChip>
  );
}
