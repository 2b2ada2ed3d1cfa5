import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { startingWith } from '../../lib/counts';
import { counted, formatShare } from '../../lib/format';
import { isolatedTest, visibleTest } from '../../state/color/layer';
import { outOfSight, selectedIn } from '../../state/color/scope';
import { hasGenes, REST } from '../../state/compare/groups-of-cells';
import { freeName, type Selection } from '../../state/selection/selection';
import { HeadingButton } from '../buttons';
import { usePanels, useView } from '../context';
import { Icon } from '../icons';
import { NameField } from '../name-field';
import { Against } from './comparison';
import { type Corner, type Side, useFreeCorner } from './corner';
import { replaces } from './regions';

/** Restricts the selection to visible cells: in a section that is shown and in no hidden category. */
function useSelectedHere(selection: Selection): Selection | null {
  const { model } = usePanels();
  const shown = model.shown.value;
  return useMemo(() => selectedIn(selection, shown), [selection, shown]);
}

function Count({ here }: { here: Selection | null }): JSX.Element {
  const { model } = usePanels();
  const shown = model.shown.value;
  if (!here) return <span role="status">No {model.noun.value}s here</span>;
  const { count, mask } = here;
  return (
    <span class="ks-selected" role="status">
      <strong>{counted(count, model.noun.value)}</strong> ·{' '}
      {formatShare(count / (shown?.count ?? mask.length))}
    </span>
  );
}

/** Names the cells that are compared, if not all, and counts the selected cells that are excluded. */
function ScopeNote({ selection }: { selection: Selection }): JSX.Element | null {
  const { model } = usePanels();
  const scope = model.scope.value;
  const shown = model.shown.value;
  const layer = model.layer.value;
  const hidden = useView('hidden');
  const visible = useMemo(() => visibleTest(layer, { hidden }), [layer, hidden]);
  const out = useMemo(
    () => outOfSight(selection, { scope, shown, visible }),
    [selection, scope, shown, visible],
  );
  const isolated = useView('isolated');
  const dimmed = useMemo(() => {
    const inFront = isolatedTest(layer, { hidden, isolated });
    const here = inFront && selectedIn(selection, shown);
    return here ? here.mask.reduce((sum, flag, cell) => sum + (flag && !inFront(cell) ? 1 : 0), 0) : 0;
  }, [layer, hidden, isolated, selection, shown]);
  if (!scope && !visible && out.unplaced === 0 && dimmed === 0) return null;
  const noun = model.noun.value;
  const are = (count: number) => (count === 1 ? 'is' : 'are');
  return (
    <p class="ks-note ks-break ks-selection-of">
      {scope && (
        <>
          In {scope.name}
          {out.elsewhere > 0 &&
            `; ${counted(out.elsewhere, `selected ${noun}`)} elsewhere ${are(out.elsewhere)} excluded`}
          .{' '}
        </>
      )}
      {visible &&
        (out.hidden > 0
          ? `${counted(out.hidden, `selected ${noun}`)} in hidden categories ${are(out.hidden)} excluded. `
          : `${startingWith(noun)} in hidden categories are excluded. `)}
      {out.unplaced > 0 &&
        `${counted(out.unplaced, `selected ${noun}`)} without coordinates in this embedding ${are(out.unplaced)} excluded. `}
      {dimmed > 0 && `Includes ${counted(dimmed, `dimmed ${noun}`)}.`}
    </p>
  );
}

function Buttons({ onCompare }: { onCompare: () => void }): JSX.Element {
  const { model, actions } = usePanels();
  const naming = useSignal(false);
  const returnFocus = useRef(false);
  if (naming.value) {
    return (
      <NameField
        label="Region name"
        value={freeName(model.regions.value)}
        about={replaces(model.regions.value)}
        onName={actions.addRegion}
        onClose={(byKey) => {
          returnFocus.current = byKey;
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
          if (!button || !returnFocus.current) return;
          returnFocus.current = false;
          button.focus();
        }}
        onClick={() => {
          naming.value = true;
        }}
      >
        Save as region
      </button>
      {hasGenes(model) && (
        <button
          type="button"
          class="ks-pill"
          title="Compare all genes between the selected cells and the rest"
          onClick={() => {
            onCompare();
            void actions.compare([{ kind: 'selection' }, REST]);
          }}
        >
          Compare genes
        </button>
      )}
      <button type="button" class="ks-pill" onClick={() => actions.invertSelection()}>
        Invert
      </button>
      <button
        type="button"
        class="ks-pill"
        title="Clear the selection (Esc)"
        onClick={() => actions.clearSelection()}
      >
        Clear
      </button>
    </div>
  );
}

function Content(props: {
  selection: Selection;
  onMore: () => void;
  /** Whether only the heading is shown; undefined if that cannot be changed. */
  folded?: Signal<boolean>;
}): JSX.Element {
  const { selection: all, onMore, folded } = props;
  const selection = useSelectedHere(all);
  return (
    <>
      <div class="ks-heading-line">
        <h2 class="ks-heading">Selection</h2>
        <Count here={selection} />
        {folded && (
          <HeadingButton
            label="Selection details"
            title={folded.value ? 'Show details' : 'Hide details'}
            expanded={!folded.value}
            onClick={() => {
              folded.value = !folded.value;
            }}
          >
            <Icon name={folded.value ? 'right' : 'down'} size={14} />
          </HeadingButton>
        )}
      </div>
      {!folded?.value && (
        <>
          <ScopeNote selection={all} />
          {selection && <Against selection={selection} />}
          <Buttons onCompare={onMore} />
        </>
      )}
    </>
  );
}

export type Room = 'card' | 'section' | 'line';

/** Chooses where the selection is shown: a card on the tissue if there is room, else the panel, else one line. */
export function roomFor(stage: { width: number; height: number }, panelOpen: boolean): Room {
  if (stage.width >= 640 && stage.height >= 600) return 'card';
  return panelOpen ? 'section' : 'line';
}

interface PanelOpener {
  /** Opens the panel. */
  onMore: () => void;
}

/** The selection in the panel, or as one line. */
export function SelectionPanel({ as, onMore }: PanelOpener & { as: 'section' | 'line' }): JSX.Element | null {
  const { model } = usePanels();
  const selection = model.selection.value;
  if (!selection) return null;
  if (as === 'line') return <Line selection={selection} onMore={onMore} />;
  return (
    <section class="ks-section ks-selection" aria-label="Selection">
      <Content selection={selection} onMore={onMore} />
    </section>
  );
}

/** The selection in one corner of the tissue. Rendered for both corners; shown in the free one. */
export function SelectionCard({
  side,
  corner,
  onMore,
}: PanelOpener & { side: Side; corner: Corner }): JSX.Element | null {
  const { model } = usePanels();
  const selection = model.selection.value;
  return selection && corner.side.value === side ? <Card {...{ selection, corner, onMore }} /> : null;
}

function Card(props: PanelOpener & { selection: Selection; corner: Corner }): JSX.Element {
  const { selection, corner, onMore } = props;
  const card = useRef<HTMLElement>(null);
  useFreeCorner(card, corner, selection);
  return (
    <section
      class={`ks-card ks-selection ks-selection-card${corner.folded.value ? ' ks-folded' : ''}`}
      aria-label="Selection"
      ref={card}
    >
      <Content selection={selection} onMore={onMore} folded={corner.folded} />
    </section>
  );
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
        aria-label="Clear selection"
        title="Clear the selection (Esc)"
        onClick={() => actions.clearSelection()}
      >
        <Icon name="close" size={16} />
      </button>
    </section>
  );
}
