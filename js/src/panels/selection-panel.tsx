import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { formatShare } from '../lib/format';
import { selectedIn } from '../state/scope';
import { freeName, type Selection } from '../state/selection';
import { Against } from './against';
import { usePanels } from './context';
import { Icon } from './icons';
import { NameField } from './name-field';
import { replaces } from './regions';
import { counted } from './title-card';

/** Of a selection that reaches into sections that are not shown, what lies here. */
function useSelectedHere(selection: Selection): Selection | null {
  const { model } = usePanels();
  const scope = model.scope.value;
  return useMemo(() => selectedIn(selection, scope), [selection, scope]);
}

function Count({ here }: { here: Selection | null }): JSX.Element {
  const { model } = usePanels();
  const scope = model.scope.value;
  if (!here) return <span role="status">No cell here</span>;
  const { count, mask } = here;
  return (
    <span class="ks-selected" role="status">
      <strong>{counted(count, 'cell')}</strong> · {formatShare(count / (scope?.count ?? mask.length))}
    </span>
  );
}

/** Whose cells are counted, where not all are, and how many are selected beyond them. */
function Elsewhere({
  selection,
  here,
}: {
  selection: Selection;
  here: Selection | null;
}): JSX.Element | null {
  const { model } = usePanels();
  const scope = model.scope.value;
  if (!scope) return null;
  const beyond = selection.count - (here?.count ?? 0);
  return (
    <p class="ks-note ks-break ks-selection-of">
      Of {scope.name}
      {beyond > 0 && `; ${counted(beyond, 'cell')} elsewhere ${beyond === 1 ? 'is' : 'are'} selected, too`}.
    </p>
  );
}

function Buttons(): JSX.Element {
  const { model, actions } = usePanels();
  const naming = useSignal(false);
  const back = useRef(false);
  if (naming.value) {
    return (
      <NameField
        label="Name of the region"
        value={freeName(model.regions.value)}
        about={replaces(model.regions.value)}
        onName={actions.addRegion}
        onClose={(byKey) => {
          back.current = byKey;
          naming.value = false;
        }}
      />
    );
  }
  return (
    <div class="ks-pills">
      <button
        type="button"
        class="ks-pill ks-strong"
        ref={(button) => {
          if (!button || !back.current) return;
          back.current = false;
          button.focus();
        }}
        onClick={() => {
          naming.value = true;
        }}
      >
        Save as region
      </button>
      <button type="button" class="ks-pill" onClick={() => actions.invertSelection()}>
        Invert
      </button>
      <button type="button" class="ks-pill" title="Clear (Esc)" onClick={() => actions.clearSelection()}>
        Clear
      </button>
    </div>
  );
}

function Whole({ selection: all }: { selection: Selection }): JSX.Element {
  const selection = useSelectedHere(all);
  return (
    <>
      <div class="ks-heading-line">
        <h2 class="ks-heading">Selection</h2>
        <Count here={selection} />
      </div>
      <Elsewhere selection={all} here={selection} />
      {selection && <Against selection={selection} />}
      <Buttons />
    </>
  );
}

export type Room = 'card' | 'section' | 'line';

/** A card on the tissue where there is room for it, else a section of the panel, else one line. */
export function roomFor(stage: { width: number; height: number }, panelOpen: boolean): Room {
  if (stage.width >= 640 && stage.height >= 600) return 'card';
  return panelOpen ? 'section' : 'line';
}

export function SelectionPanel({ as, onMore }: { as: Room; onMore: () => void }): JSX.Element | null {
  const { model } = usePanels();
  const selection = model.selection.value;
  if (!selection) return null;
  if (as === 'section') {
    return (
      <section class="ks-section ks-selection" aria-label="Selection">
        <Whole selection={selection} />
      </section>
    );
  }
  if (as === 'card') {
    return (
      <section class="ks-card ks-selection ks-selection-card" aria-label="Selection">
        <Whole selection={selection} />
      </section>
    );
  }
  return <Line selection={selection} onMore={onMore} />;
}

function Line({ selection, onMore }: { selection: Selection; onMore: () => void }): JSX.Element {
  const { actions } = usePanels();
  const here = useSelectedHere(selection);
  return (
    <section class="ks-card ks-selection-line" aria-label="Selection">
      <button type="button" class="ks-text-button" title="Show the selection in the panel" onClick={onMore}>
        <Count here={here} />
      </button>
      <button
        type="button"
        class="ks-icon-button"
        aria-label="Clear the selection"
        title="Clear the selection (Esc)"
        onClick={() => actions.clearSelection()}
      >
        <Icon name="close" size={16} />
      </button>
    </section>
  );
}
