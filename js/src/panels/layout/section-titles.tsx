import { useComputed } from '@preact/signals';
import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Manifest } from '../../contract/manifest';
import { project, type View } from '../../lib/camera';
import { counted } from '../../lib/format';
import type { Placed } from '../../lib/section-grid';
import { arrangementOf, noteOf, sectionLayout } from '../../state/layout/arrangement';
import type { Layout } from '../../state/view-state';
import { usePanels } from '../context';

/** Sections narrower than this, in CSS pixels, show their name only while the pointer is on them. */
const MIN_WIDTH = 36;
/** Sections narrower than this, in CSS pixels, have small names, which cover less of the section above. */
const ROOMY = 140;
/** Minimum distance between the middle of a wide name and the sides of the window, in CSS pixels. */
const MARGIN = 80;

/**
 * Returns the window-sized field around the view and a view of its center. Titles are laid out for the field and moved
 * as a whole: a new layout is needed only when the view leaves the field.
 */
function fieldOf(view: View): { column: number; row: number; anchor: View } {
  const column = Math.round((view.x * view.scale) / view.width);
  const row = Math.round((view.y * view.scale) / view.height);
  const anchor = { ...view, x: (column * view.width) / view.scale, y: (row * view.height) / view.scale };
  return { column, row, anchor };
}

/** The names above sections that are shown side by side. A click shows only that section. */
export function SectionTitles(): JSX.Element | null {
  const { model } = usePanels();
  const view = model.view.value;
  const titles = model.titles.value;
  const manifest = model.bundle.value?.manifest;
  const pointed =
    useComputed(() => {
      const at = model.pointer.value;
      if (!at) return null;
      const [x, y] = at;
      return model.titles.value.find(
        ({ field: [x0, y0, x1, y1] }) => x >= x0 && x <= x1 && y >= y0 && y <= y1,
      )?.section.name;
    }).value ?? null;
  const { layout } = model.state.value;
  const field = view && fieldOf(view);
  const key = field && [field.column, field.row, view.scale, view.width, view.height, view.axes].join();
  // `key` replaces the anchor in the dependencies: the anchor is a new object on each movement.
  const all = useMemo(
    () => field && manifest && <Titles view={field.anchor} {...{ titles, manifest, layout, pointed }} />,
    [key, titles, manifest, layout, pointed],
  );
  if (!field || titles.length === 0) return null;
  const [x, y] = project(view, field.anchor.x, field.anchor.y);
  const style = {
    transform: `translate(${Math.round(x - view.width / 2)}px, ${Math.round(y - view.height / 2)}px)`,
  };
  return (
    <div class="ks-section-titles">
      <div style={style} role="toolbar" aria-label="Sections" onKeyDown={moveFocus}>
        {all}
      </div>
    </div>
  );
}

/** Moves focus between the names with the arrow keys: they are a single tab stop. */
function moveFocus(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
  const names = [...event.currentTarget.querySelectorAll('button')];
  const at = names.indexOf(event.target as HTMLButtonElement);
  if (by === undefined || at === -1) return;
  event.preventDefault();
  names[at + by]?.focus();
}

function Titles(props: {
  view: View;
  titles: readonly Placed[];
  manifest: Manifest;
  layout: Layout;
  pointed: string | null;
}): JSX.Element {
  const { view, titles, manifest, layout, pointed } = props;
  const { model, actions } = usePanels();
  const arrangement = arrangementOf(layout);
  const note = noteOf(manifest, arrangement);
  let stops = 0;
  return (
    <>
      {titles.map(({ section: { name, count }, box }) => {
        const [x0, y0] = project(view, box[0], box[1]);
        const [x1, y1] = project(view, box[2], box[3]);
        const [left, right, top] = [Math.min(x0, x1), Math.max(x0, x1), Math.min(y0, y1)];
        // Keep titles up to one window size outside the view: they move with the field.
        const { width, height } = view;
        const outside = right < -width || left > 2 * width || top > 2 * height || Math.max(y0, y1) < -height;
        const wide = right - left;
        const middle = (left + right) / 2;
        if (outside || (wide < MIN_WIDTH && name !== pointed)) return null;
        // The section under the pointer shows its full name.
        const room = name === pointed ? Math.max(wide, 2 * MARGIN) : wide;
        const at = (x: number) => ({
          transform: `translate(${x}px, ${top}px) translate(-50%, -100%)`,
          maxWidth: `${room}px`,
        });
        if (wide < MIN_WIDTH) {
          const within = Math.max(MARGIN, Math.min(width - MARGIN, middle));
          return (
            <div key={name} class="ks-section-title ks-passing" style={at(within)}>
              {name}
            </div>
          );
        }
        return (
          <button
            key={name}
            type="button"
            class={`ks-section-title${wide < ROOMY ? ' ks-small' : ''}${name === pointed ? ' ks-pointed' : ''}`}
            style={at(middle)}
            tabIndex={stops++ === 0 ? 0 : -1}
            title={`${name}: ${counted(count, model.noun.value)}. Click to show only this section.`}
            onClick={() => actions.setLayout(sectionLayout(name, arrangement))}
          >
            {name}
            <span class="ks-muted"> {note(name)}</span>
          </button>
        );
      })}
    </>
  );
}
