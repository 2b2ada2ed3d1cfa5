import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { ColumnInfo } from '../../data/column-values';
import type { Color } from '../../state/view-state';
import { usePanels } from '../context';

export type Tab = 'annotation' | 'gene' | 'value';

const TABS: readonly [Tab, string][] = [
  ['annotation', 'Annotation'],
  ['gene', 'Gene'],
  ['value', 'Value'],
];

/** Coordinate columns are not offered as the first color: the map already shows them. */
const PLACE = /^(x|y|z|in_tissue|array_(row|col)|image(row|col)|pxl_\w+|\w*centroid\w*|\w*_[xyz])$/i;

export function tabOf(color: Color, columns: readonly ColumnInfo[], genes: number): Tab {
  if (color.kind === 'gene' || 'genes' in color) return 'gene';
  if (color.kind === 'annotation') {
    return columns.find(({ name }) => name === color.column)?.kind === 'number' ? 'value' : 'annotation';
  }
  return columns.length === 0 && genes > 0 ? 'gene' : 'annotation';
}

/** `panel` is the id of the tab panel; the selected tab gets the same id with the suffix `-tab`. */
export function ColorTabs(props: { tab: Tab; panel: string; onTab: (tab: Tab) => void }): JSX.Element {
  const { tab, panel, onTab } = props;
  const { model, actions } = usePanels();
  const group = useRef<HTMLDivElement>(null);
  const columns = model.columns.value;
  // The annotation and value tabs color at once; the gene tab waits for a gene unless one was used recently.
  const choose = (next: Tab) => {
    onTab(next);
    const kind = next === 'annotation' ? 'category' : next === 'value' ? 'number' : null;
    const current = model.state.value.color;
    if (kind) {
      const shown = columns.find(({ name }) => current.kind === 'annotation' && name === current.column);
      if (shown?.kind === kind) return;
      const last = columns.find(
        (column) => column.kind === kind && column.name === model.state.value.groupBy,
      );
      const all = columns.filter((column) => column.kind === kind);
      const first = last ?? all.find((column) => !PLACE.test(column.name)) ?? all[0];
      if (first) actions.setColor({ kind: 'annotation', column: first.name });
    } else if (current.kind !== 'gene' && !('genes' in current)) {
      const recent = model.recentGenes.value[0];
      if (recent) actions.setColor({ kind: 'gene', gene: recent });
    }
  };
  const step = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    const at = (TABS.findIndex(([name]) => name === tab) + by + TABS.length) % TABS.length;
    const next = TABS[at]?.[0];
    if (next) choose(next);
    (group.current?.children[at] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="ks-tabs" role="tablist" aria-label="Color by" ref={group}>
      {TABS.map(([name, label]) => (
        <button
          key={name}
          type="button"
          role="tab"
          class="ks-tab"
          id={tab === name ? `${panel}-tab` : undefined}
          aria-selected={tab === name}
          aria-controls={tab === name ? panel : undefined}
          tabIndex={tab === name ? 0 : -1}
          onClick={() => choose(name)}
          onKeyDown={step}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
