import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { counted } from '../../lib/format';
import { hashOf, savedView } from '../../state/save/saved-view';
import { usePanels } from '../context';

/** Links are offered on web hosts only: other addresses do not work for other people. */
const WEB = /^https?:$/.test(location.protocol);

/** Saves and opens the whole view: color, limits, hidden categories, camera, layout and regions. */
export function ViewFiles(props: {
  /** Runs the work and shows its result. */
  run: (doing: string, work: () => Promise<string>) => void;
}): JSX.Element | null {
  const { model, actions, pictures, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const manifest = model.bundle.value?.manifest;
  if (!manifest) return null;
  const save = () =>
    props.run('Writing…', async () => {
      const name = pictures.fileName('view.json');
      download(new Blob([JSON.stringify(savedView(model))], { type: 'application/json' }), name);
      return `Saved as ${name}`;
    });
  const open = (file: File) =>
    props.run('Opening…', async () => {
      let view: unknown;
      try {
        view = JSON.parse(await file.text());
      } catch {
        throw new Error(`${file.name} is not a JSON file. Choose a view that was saved from this viewer.`);
      }
      await actions.openView(view);
      return `Opened the view from ${file.name}`;
    });
  const link = () =>
    props.run('Copying…', async () => {
      const view = savedView(model);
      const { hash, leftOut } = await hashOf(view);
      try {
        await navigator.clipboard.writeText(location.href.split('#', 1)[0] + hash);
      } catch {
        throw new Error(
          'The browser does not allow this page to copy. Copy the address of the page instead: it contains the view.',
        );
      }
      return leftOut === 0
        ? 'Link to this view copied to the clipboard'
        : `Link copied without ${counted(leftOut, 'region')}, too large for a link. Save the view to share them`;
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
        title="Save colors, camera, layout and regions as a file; karospace-export --view makes it the initial view of a bundle"
        onClick={save}
      >
        Save view
      </button>
      <button type="button" class="ks-pill" title="Open a saved view" onClick={() => input.current?.click()}>
        Open…
      </button>
      <input
        ref={input}
        type="file"
        accept=".json"
        class="ks-offscreen"
        tabIndex={-1}
        aria-label="View file"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) open(file);
        }}
      />
    </div>
  );
}
