import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { project } from '../lib/camera';
import { formatCount } from '../lib/format';
import { arrangementOf, noteOf, sectionLayout } from '../state/arrangement';
import { usePanels } from './context';

/** Narrower sections, in CSS pixels, have no room for a name: only the one that is pointed at tells it. */
const LEAST_WIDTH = 36;
/** Names above narrower ones are small, to cover little of the section above. */
const ROOMY = 140;
/** So far from the window's sides stays the middle of a name that is wider than its section. */
const MARGIN = 80;

/** The names above sections that stand side by side; a click shows one alone. */
export function SectionTitles(): JSX.Element | null {
  const { model, actions } = usePanels();
  const view = model.view.value;
  const titles = model.titles.value;
  const manifest = model.bundle.value?.manifest;
  const pointed = useComputed(() => {
    const at = model.pointer.value;
    if (!at) return null;
    const [x, y] = at;
    return model.titles.value.find(({ field: [x0, y0, x1, y1] }) => x >= x0 && x <= x1 && y >= y0 && y <= y1)
      ?.section.name;
  }).value;
  if (!view || !manifest || titles.length === 0) return null;
  const arrangement = arrangementOf(model.state.value.layout);
  const note = noteOf(manifest, arrangement);
  return (
    <div class="ks-section-titles">
      {titles.map(({ section: { name, count }, box }) => {
        const [x0, y0] = project(view, box[0], box[1]);
        const [x1, y1] = project(view, box[2], box[3]);
        const [left, right, top] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1)];
        const outside = right < 0 || left > view.width || top > view.height || Math.max(y0, y1) < 0;
        const wide = right - left;
        const middle = (left + right) / 2;
        if (outside || (wide < LEAST_WIDTH && name !== pointed)) return null;
        // The one that is pointed at tells all of its name.
        const room = name === pointed ? Math.max(wide, 2 * MARGIN) : wide;
        const style = { left: `${middle}px`, top: `${top}px`, maxWidth: `${room}px` };
        if (wide < LEAST_WIDTH) {
          const left = Math.max(MARGIN, Math.min(view.width - MARGIN, middle));
          return (
            <div key={name} class="ks-section-title ks-passing" style={{ ...style, left: `${left}px` }}>
              {name}
            </div>
          );
        }
        return (
          <button
            key={name}
            type="button"
            class={`ks-section-title${wide < ROOMY ? ' ks-small' : ''}${name === pointed ? ' ks-pointed' : ''}`}
            style={style}
            title={`${name}: ${formatCount(count)} cells. Click to see it alone.`}
            onClick={() => actions.setLayout(sectionLayout(name, arrangement))}
          >
            {name}
            <span class="ks-muted"> {note(name)}</span>
          </button>
        );
      })}
    </div>
  );
}
