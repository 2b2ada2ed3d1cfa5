import type { JSX } from 'preact';
import type { Bundle } from '../data/bundle';
import { arranged, arrangementOf, factsOf, sectionLayout } from '../state/arrangement';
import { layoutLabel } from '../state/layout';
import type { Model } from '../state/model';
import type { Layout } from '../state/view-state';
import { usePanels } from './context';
import { IconButton } from './icons';
import { SectionFilter, SectionOrderSelect } from './section-order';

/** About how wide a choice is, in CSS pixels. */
const LETTER = 7.5;
const AROUND = 22;
const WIDEST = 160;
/** What stands in the same line: the name of the data, what one does with all of it; order and filter of sections. */
const BESIDES = 400;
const ARRANGING = 240;

/** What a layout is called, and how one goes there. */
interface Choice {
  id: string;
  label: string;
  title: string;
  layout: () => Layout;
}

export function labelOf(layout: Layout, bundle: Bundle | null): string {
  return layoutLabel(layout, bundle?.manifest ?? null);
}

export function choicesOf(model: Model): Choice[] {
  const manifest = model.bundle.value?.manifest;
  const choices: Choice[] = [
    { id: 'tissue', label: 'Tissue', title: 'Cells where they lie', layout: () => ({ kind: 'tissue' }) },
  ];
  if (manifest?.sections)
    choices.push({
      id: 'sections',
      label: 'Sections',
      title: `Each of the ${manifest.sections.items.length} sections (${manifest.sections.column}) by itself`,
      layout: () => ({ kind: 'sections', ...arrangementOf(model.state.value.layout) }),
    });
  for (const { name, label } of manifest?.embeddings ?? [])
    choices.push({
      id: `embedding ${name}`,
      label,
      title: `Cells where ${name} puts them`,
      layout: () => ({ kind: 'embedding', name }),
    });
  return choices;
}

export function idOf(layout: Layout): string {
  if (layout.kind === 'embedding') return `embedding ${layout.name}`;
  return layout.kind === 'section' ? 'sections' : layout.kind;
}

/** What one would like to see beside this: an embedding beside the tissue, the tissue beside an embedding. */
export function partnerOf(model: Model): Layout | null {
  const { layout } = model.state.value;
  if (layout.kind === 'embedding') return { kind: 'tissue' };
  const first = model.bundle.value?.manifest.embeddings?.[0];
  return first ? { kind: 'embedding', name: first.name } : null;
}

/** The choices as a list, where there is little room. */
export function LayoutSelect(props: {
  label: string;
  layout: Layout;
  onLayout: (layout: Layout) => void;
}): JSX.Element {
  const { label, layout, onLayout } = props;
  const { model } = usePanels();
  const choices = choicesOf(model);
  return (
    <select
      class="ks-order"
      aria-label={label}
      value={idOf(layout)}
      onChange={(event) => {
        const chosen = choices.find(({ id }) => id === event.currentTarget.value);
        if (chosen) onLayout(chosen.layout());
      }}
    >
      {choices.map(({ id, label: name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Where the cells stand: in the tissue, section by section, in an embedding; and what stands beside. */
export function Layouts(): JSX.Element | null {
  const { model, actions } = usePanels();
  const choices = choicesOf(model);
  const { layout, beside } = model.state.value;
  if (choices.length < 2) return null;
  const partner = partnerOf(model);
  const sections = layout.kind === 'sections' || layout.kind === 'section';
  const room = model.viewport.value.width - BESIDES - (sections ? ARRANGING : 0);
  const wanted = choices.reduce(
    (sum, { label }) => sum + Math.min(WIDEST, label.length * LETTER + AROUND),
    0,
  );
  return (
    <div class="ks-card ks-layouts">
      {wanted > room ? (
        <LayoutSelect label="Where the cells stand" layout={layout} onLayout={actions.setLayout} />
      ) : (
        <fieldset class="ks-segments" aria-label="Where the cells stand">
          {choices.map(({ id, label, title, layout: to }) => (
            <button
              key={id}
              type="button"
              class="ks-segment"
              title={title}
              aria-pressed={idOf(layout) === id}
              onClick={() => actions.setLayout(to())}
            >
              {label}
            </button>
          ))}
        </fieldset>
      )}
      {layout.kind === 'sections' && (
        <>
          <SectionOrderSelect layout={layout} />
          <SectionFilter layout={layout} />
        </>
      )}
      {layout.kind === 'section' && <OneSection name={layout.name} />}
      {partner && (
        <IconButton
          icon="split"
          label={beside ? 'Close what stands beside' : `Show ${labelOf(partner, model.bundle.value)} beside`}
          shortcut="B"
          pressed={beside !== null}
          onClick={() => actions.setBeside(beside ? null : partner)}
        />
      )}
    </div>
  );
}

/** The section before or after this one; from where all of them are, the last or the first. */
export function neighbour(model: Model, by: 1 | -1): Layout | null {
  const { layout } = model.state.value;
  const manifest = model.bundle.value?.manifest;
  if (layout.kind === 'embedding' || !manifest?.sections) return null;
  const arrangement = arrangementOf(layout);
  const items = arranged(manifest.sections.items, factsOf(manifest), arrangement);
  const at =
    layout.kind === 'section' ? items.findIndex(({ name }) => name === layout.name) : by === 1 ? -1 : 0;
  const next = items[(at + by + items.length) % items.length];
  return next ? sectionLayout(next.name, arrangement) : null;
}

function OneSection({ name }: { name: string }): JSX.Element {
  const { model, actions } = usePanels();
  const go = (by: 1 | -1) => () => {
    const next = neighbour(model, by);
    if (next) actions.setLayout(next);
  };
  return (
    <div class="ks-one-section">
      <IconButton icon="left" label="The section before" shortcut="[" onClick={go(-1)} />
      <span title={name}>{name}</span>
      <IconButton icon="right" label="The next section" shortcut="]" onClick={go(1)} />
    </div>
  );
}
