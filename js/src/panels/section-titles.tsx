import type { JSX } from 'preact';
import { project } from '../lib/camera';
import { formatCount } from '../lib/format';
import { arrangementOf, noteOf, sectionLayout } from '../state/arrangement';
import { usePanels } from './context';

/** Narrower sections, in CSS pixels, have no room for a name. */
const LEAST_WIDTH = 36;

/** The names above sections that stand side by side; a click shows one alone. */
export function SectionTitles(): JSX.Element | null {
  const { model, actions } = usePanels();
  const view = model.view.value;
  const titles = model.titles.value;
  const manifest = model.bundle.value?.manifest;
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
        if (outside || right - left < LEAST_WIDTH) return null;
        return (
          <button
            key={name}
            type="button"
            class="ks-section-title"
            style={{ left: `${(left + right) / 2}px`, top: `${top}px`, maxWidth: `${right - left}px` }}
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
