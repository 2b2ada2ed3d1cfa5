import type { JSX } from 'preact';
import { counted } from '../../lib/format';
import { arranged, arrangementOf, factsOf, sectionLayout } from '../../state/layout/arrangement';
import { embeddingLabel, layoutLabel } from '../../state/layout/layout';
import type { Model } from '../../state/model';
import type { Layout } from '../../state/view-state';
import { usePanels } from '../context';
import { IconButton } from '../icons';
import { SectionFilter, SectionOrderSelect } from './section-order';

/** Estimated width of a choice, in CSS pixels: per letter, for the padding, and the maximum. */
const LETTER = 7.5;
const AROUND = 22;
const WIDEST = 160;
/** Width of the other items in the same row, in CSS pixels: title and actions; order and filter of sections. */
const BESIDES = 400;
const ARRANGING = 240;

/** A layout to choose from. */
interface Choice {
  id: string;
  label: string;
  title: string;
  layout: () => Layout;
}

export function choicesOf(model: Model): Choice[] {
  const manifest = model.bundle.value?.manifest;
  const place = embeddingLabel({ kind: 'tissue' }, manifest ?? null);
  const choices: Choice[] = [
    {
      id: 'tissue',
      label: layoutLabel({ kind: 'tissue' }, manifest ?? null),
      title: place === null ? 'Cells at their tissue coordinates' : `Cells at their ${place} coordinates`,
      layout: () => ({ kind: 'tissue' }),
    },
  ];
  if (manifest?.sections)
    choices.push({
      id: 'sections',
      label: 'Sections',
      title: `Sections side by side: ${counted(manifest.sections.items.length, 'section')} by ${manifest.sections.column}`,
      layout: () => ({ kind: 'sections', ...arrangementOf(model.state.value.layout) }),
    });
  for (const { name, label } of manifest?.embeddings ?? [])
    choices.push({
      id: `embedding ${name}`,
      label,
      title: `Cells at their ${name} coordinates`,
      layout: () => ({ kind: 'embedding', name }),
    });
  return choices;
}

export function idOf(layout: Layout): string {
  if (layout.kind === 'embedding') return `embedding ${layout.name}`;
  return layout.kind === 'section' ? 'sections' : layout.kind;
}

/** The default layout of the second view: the first embedding for the tissue, the tissue for an embedding. */
export function partnerOf(model: Model): Layout | null {
  const { layout } = model.state.value;
  if (layout.kind === 'embedding') return { kind: 'tissue' };
  const first = model.bundle.value?.manifest.embeddings?.[0];
  return first ? { kind: 'embedding', name: first.name } : null;
}

/** The choices as a drop-down list, for narrow windows. */
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

/** Selects the layout (tissue, sections or an embedding) and toggles the second view. */
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
        <LayoutSelect label="Layout" layout={layout} onLayout={actions.setLayout} />
      ) : (
        <fieldset class="ks-segments" aria-label="Layout">
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
          label={
            beside
              ? 'Close second view'
              : `Show ${layoutLabel(partner, model.bundle.value?.manifest ?? null)} in second view`
          }
          shortcut="B"
          pressed={beside !== null}
          onClick={() => actions.setSecondLayout(beside ? null : partner)}
        />
      )}
    </div>
  );
}

/** Returns the next or previous section; if all sections are shown, the first or the last. */
export function neighborSection(model: Model, by: 1 | -1): Layout | null {
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
    const next = neighborSection(model, by);
    if (next) actions.setLayout(next);
  };
  return (
    <div class="ks-one-section">
      <IconButton icon="left" label="Previous section" shortcut="[" onClick={go(-1)} />
      <span title={name}>{name}</span>
      <IconButton icon="right" label="Next section" shortcut="]" onClick={go(1)} />
    </div>
  );
}
