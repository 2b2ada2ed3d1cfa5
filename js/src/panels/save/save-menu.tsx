import { type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { counted, formatCount } from '../../lib/format';
import { type PictureOptions, SCALES } from '../../picture/pictures';
import { usePanels } from '../context';
import { copyPicture } from './download';
import { Menu } from './menu';
import { OutcomeText, useWork } from './outcome';

type Part = 'legend' | 'scaleBar' | 'title' | 'beside' | 'transparent';

const PARTS: readonly [Part, string][] = [
  ['legend', 'Legend'],
  ['scaleBar', 'Scale bar'],
  ['title', 'Title'],
  ['beside', 'Second view'],
  ['transparent', 'Transparent background'],
];
const SVG_SCALE = 2;

type Choice = Required<Pick<PictureOptions, Part | 'scale'>>;

export function SaveMenu({ open }: { open: Signal<boolean> }): JSX.Element {
  // The choices are kept while the page is open.
  const choice = useSignal<Choice>({
    scale: 2,
    legend: true,
    scaleBar: true,
    title: true,
    beside: true,
    transparent: false,
  });
  return (
    <Menu open={open} icon="save" label="Save picture or table" shortcut="S" name="Save">
      {() => <Sheet choice={choice} />}
    </Menu>
  );
}

function Sheet({ choice }: { choice: Signal<Choice> }): JSX.Element {
  const { model, pictures, download } = usePanels();
  const { outcome, run } = useWork();
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => first.current?.focus({ preventScroll: true }), []);
  const { scale, ...parts } = choice.value;
  const size = pictures.size(parts);
  // Computed: projects every cell, which must not happen on each change of a checkbox.
  const rows = useComputed(() => pictures.cells().length).value;
  const selected = model.selection.value !== null;

  const save = (extension: string, doing: string, make: () => Promise<Blob>) =>
    run(doing, async () => {
      await painted();
      const name = pictures.fileName(extension);
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
        <span class="ks-note">
          {counted(rows, selected ? `selected ${model.noun.value}` : model.noun.value)} in view
        </span>
        <button
          type="button"
          class="ks-pill"
          title={`Save the ${model.noun.value}s in view as CSV: ID, coordinates and displayed values`}
          onClick={() => save('csv', 'Writing…', () => pictures.table())}
        >
          CSV
        </button>
      </div>
      <OutcomeText of={outcome.value} />
    </>
  );
}

/** Resolves after the browser has had time to show the status: drawing a large picture blocks the page. */
function painted(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 40));
}
