import { type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { asError, ViewerError } from '../../lib/errors';
import { counted, formatCount } from '../../lib/format';
import { type PictureOptions, SCALES } from '../../picture/pictures';
import { usePanels } from '../context';
import { Icon } from '../icons';
import { copyPicture } from './download';
import { ViewFiles } from './view-files';

type Part = 'legend' | 'scaleBar' | 'title' | 'beside' | 'transparent';

const PARTS: readonly [Part, string][] = [
  ['legend', 'Legend'],
  ['scaleBar', 'Scale bar'],
  ['title', 'Title'],
  ['beside', 'Second view'],
  ['transparent', 'Transparent background'],
];
const SVG_SCALE = 2;
const GAP = 8;

/** The result of the last action. */
interface Outcome {
  text: string;
  failed: boolean;
}

type Choice = Required<Pick<PictureOptions, Part | 'scale'>>;

export function SaveMenu({ open }: { open: Signal<boolean> }): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const before = useRef<Element | null>(null);
  /** True during the popover's own toggle events, which the browser also fires on its own. */
  const toggling = useRef(false);
  const shown = useSignal(false);
  // The choices are kept while the page is open.
  const choice = useSignal<Choice>({
    scale: 2,
    legend: true,
    scaleBar: true,
    title: true,
    beside: true,
    transparent: false,
  });

  useSignalEffect(() => {
    const wanted = open.value;
    if (toggling.current || !sheet.current || sheet.current.matches(':popover-open') === wanted) return;
    if (wanted) sheet.current.showPopover();
    else sheet.current.hidePopover();
  });
  const place = () => {
    // Align with the card that contains the button.
    const at = button.current?.parentElement?.getBoundingClientRect();
    if (!at || !sheet.current) return;
    sheet.current.style.top = `${at.bottom + GAP}px`;
    sheet.current.style.right = `${Math.max(GAP, document.documentElement.clientWidth - at.right)}px`;
    sheet.current.style.maxHeight = `calc(100vh - ${at.bottom + 2 * GAP}px)`;
  };

  return (
    <>
      <button
        type="button"
        class="ks-icon-button"
        ref={button}
        aria-label="Save picture or table"
        aria-haspopup="dialog"
        aria-expanded={shown.value}
        title="Save picture or table (S)"
        popovertarget={id}
      >
        <Icon name="save" />
      </button>
      <div
        id={id}
        class="ks-card ks-save"
        popover="auto"
        role="dialog"
        aria-label="Save"
        tabIndex={-1}
        ref={sheet}
        onBeforeToggle={(event) => {
          // Update now: the toggle event follows later, and a key may come in between.
          toggling.current = true;
          open.value = event.newState === 'open';
          toggling.current = false;
          if (event.newState !== 'open') return;
          before.current = document.activeElement;
          place();
        }}
        onToggle={(event) => {
          const focused = document.activeElement;
          const inside = sheet.current?.contains(focused) ?? false;
          shown.value = event.newState === 'open';
          if (shown.value) {
            // Keep the focus when closed and reopened quickly: the sheet is still the same.
            if (!inside) sheet.current?.querySelector<HTMLElement>(':checked')?.focus();
          } else if (inside || focused === document.body) {
            const back = before.current;
            if (back instanceof HTMLElement && back !== document.body) back.focus();
            else button.current?.focus();
          }
        }}
        // Keys pressed here must not act as shortcuts of the viewer.
        onKeyDown={(event) => event.stopPropagation()}
      >
        {shown.value && <Sheet choice={choice} />}
      </div>
    </>
  );
}

function Sheet({ choice }: { choice: Signal<Choice> }): JSX.Element {
  const { model, pictures, download } = usePanels();
  const outcome = useSignal<Outcome | null>(null);
  const busy = useSignal(false);
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus({ preventScroll: true }), []);
  const { scale, ...parts } = choice.value;
  const size = pictures.size(parts);
  // Computed: projects every cell, which must not happen on each change of a checkbox.
  const rows = useComputed(() => pictures.cells().length).value;
  const selected = model.selection.value !== null;

  const run = async (doing: string, work: () => Promise<string>) => {
    if (busy.value) return;
    busy.value = true;
    outcome.value = { text: doing, failed: false };
    try {
      outcome.value = { text: await work(), failed: false };
    } catch (thrown) {
      const error = asError(thrown);
      const advice = error instanceof ViewerError ? ` ${error.advice}` : '';
      outcome.value = { text: `${error.message}${advice}`, failed: true };
    }
    busy.value = false;
  };
  const save = (ending: string, doing: string, make: () => Promise<Blob>) =>
    run(doing, async () => {
      await painted();
      const name = pictures.fileName(ending);
      download(await make(), name);
      return `Saved as ${name}`;
    });
  const copy = () =>
    run('Drawing…', async () => {
      const picture = painted().then(() => pictures.picture({ ...parts, scale }));
      try {
        await copyPicture(picture);
      } catch (thrown) {
        // An error of the picture itself takes precedence.
        await picture;
        if (!(thrown instanceof DOMException)) throw thrown;
        throw new Error('The browser does not allow this page to copy pictures. Save the picture instead.');
      }
      return 'Copied to the clipboard';
    });

  return (
    <>
      <h2 class="ks-heading">Picture</h2>
      <div class="ks-scales" role="radiogroup" aria-label="Resolution">
        {SCALES.map((times) => (
          <label key={times} class="ks-scale-choice">
            <input
              type="radio"
              class="ks-offscreen"
              name="ks-scale"
              ref={times === scale ? first : null}
              aria-label={`${times}×`}
              checked={times === scale}
              onChange={() => {
                choice.value = { ...choice.value, scale: times };
              }}
            />
            <span>{times}×</span>
          </label>
        ))}
      </div>
      {size && (
        <p class="ks-note ks-save-note">
          {formatCount(Math.round(size.width * scale))} × {formatCount(Math.round(size.height * scale))}{' '}
          pixels
        </p>
      )}
      <div class="ks-checks">
        {PARTS.filter(([part]) => part !== 'beside' || model.state.value.beside).map(([part, label]) => (
          <label key={part} class="ks-check">
            <input
              type="checkbox"
              checked={parts[part]}
              onChange={(event) => {
                choice.value = { ...choice.value, [part]: event.currentTarget.checked };
              }}
            />
            {label}
          </label>
        ))}
      </div>
      <div class="ks-pills">
        <button
          type="button"
          class="ks-pill ks-strong"
          title="Save the picture as PNG"
          onClick={() => save('png', 'Drawing…', () => pictures.picture({ ...parts, scale }))}
        >
          PNG
        </button>
        <button
          type="button"
          class="ks-pill"
          title="Save as SVG: text and legend as vector graphics, the tissue as an image at 2×"
          onClick={() =>
            save('svg', 'Drawing…', () => pictures.picture({ ...parts, scale: SVG_SCALE, format: 'svg' }))
          }
        >
          SVG
        </button>
        <button type="button" class="ks-pill" title="Copy the picture to the clipboard" onClick={copy}>
          Copy
        </button>
      </div>
      <h2 class="ks-heading ks-gap">Table</h2>
      <div class="ks-save-line">
        <span class="ks-note">{counted(rows, selected ? 'selected cell' : 'cell')} in view</span>
        <button
          type="button"
          class="ks-pill"
          title="Save the cells in view as CSV: ID, coordinates and displayed values"
          onClick={() => save('csv', 'Writing…', () => pictures.table())}
        >
          CSV
        </button>
      </div>
      <h2 class="ks-heading ks-gap">View</h2>
      <ViewFiles run={run} />
      <p class={`ks-save-said ks-break${outcome.value?.failed ? ' ks-warning' : ''}`} role="status">
        {outcome.value?.text}
      </p>
    </>
  );
}

/** Resolves after the browser has had time to show the status: drawing a large picture blocks the page. */
function painted(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 40));
}
