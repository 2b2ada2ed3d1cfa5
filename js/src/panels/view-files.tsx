import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { hashOf, savedView } from '../state/saved-view';
import { usePanels } from './context';
import { counted } from './title-card';

/** Elsewhere an address leads others nowhere. */
const WEB = /^https?:$/.test(location.protocol);

/** The whole view as a file: colour, limits, hidden classes, camera, layout and regions. */
export function ViewFiles(props: {
  /** Does the work and says what came of it. */
  run: (doing: string, work: () => Promise<string>) => void;
}): JSX.Element | null {
  const { model, actions, pictures, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const manifest = model.bundle.value?.manifest;
  if (!manifest) return null;
  const save = () =>
    props.run('Writing …', async () => {
      const name = pictures.fileName('view.json');
      download(new Blob([JSON.stringify(savedView(model))], { type: 'application/json' }), name);
      return `Saved as ${name}`;
    });
  const open = (file: File) =>
    props.run('Opening …', async () => {
      let given: unknown;
      try {
        given = JSON.parse(await file.text());
      } catch {
        throw new Error(`${file.name} is no JSON file. Choose one that was saved here.`);
      }
      await actions.openView(given);
      return `The view of ${file.name}`;
    });
  const link = () =>
    props.run('Copying …', async () => {
      const view = savedView(model);
      const { hash, leftOut } = await hashOf(view);
      try {
        await navigator.clipboard.writeText(location.href.split('#', 1)[0] + hash);
      } catch {
        throw new Error('The browser does not let this page copy: the address above holds the view, too.');
      }
      return leftOut === 0
        ? 'A link to this view is on the clipboard'
        : `Copied without ${counted(leftOut, 'region')}, too large for a link: save the view to share them`;
    });
  return (
    <div class="ks-pills">
      {WEB && (
        <button type="button" class="ks-pill" title="Copy a link that opens this view" onClick={link}>
          Copy link
        </button>
      )}
      <button
        type="button"
        class="ks-pill"
        title="Save colours, camera, layout and regions as a file; karospace-export --view lets a bundle open with it"
        onClick={save}
      >
        Save view
      </button>
      <button
        type="button"
        class="ks-pill"
        title="Open a view that was saved from this viewer"
        onClick={() => input.current?.click()}
      >
        Open…
      </button>
      <input
        ref={input}
        type="file"
        accept=".json"
        class="ks-offscreen"
        tabIndex={-1}
        aria-label="File of a view"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) open(file);
        }}
      />
    </div>
  );
}
