import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { hashOf, leftOutText, savedView } from '../../state/save/saved-view';
import { usePanels } from '../context';
import { FileInput } from '../file-input';
import { Icon, type IconName } from '../icons';
import { copyText } from './download';
import { Menu } from './menu';
import { OutcomeText, useWork } from './outcome';

/** Links are offered on web hosts only: other addresses do not work for other people. */
const WEB = /^https?:$/.test(location.protocol);

/** The menu that shares, saves and opens the view: color, limits, hidden categories, camera, layout and regions. */
export function ShareMenu({ open }: { open: Signal<boolean> }): JSX.Element {
  return (
    <Menu open={open} icon="share" text="Share" label="Share, save or open this view" name="Share">
      {() => <Sheet />}
    </Menu>
  );
}

function Sheet(): JSX.Element | null {
  const { outcome, run } = useWork();
  const { model, actions, pictures, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const manifest = model.bundle.value?.manifest;
  if (!manifest) return null;
  const save = () =>
    run('Writing…', async () => {
      const name = pictures.fileName('view.json');
      download(new Blob([JSON.stringify(savedView(model))], { type: 'application/json' }), name);
      return `Saved as ${name}`;
    });
  const openFile = (file: File) =>
    run('Opening…', async () => {
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
    run('Copying…', async () => {
      const made = hashOf(savedView(model, { link: true }));
      try {
        await copyText(made.then(({ hash }) => location.href.split('#', 1)[0] + hash));
      } catch {
        // An error of the link itself takes precedence.
        await made;
        throw new Error(
          'The browser does not allow this page to copy. Copy the address of the page instead: it contains the view.',
        );
      }
      const { leftOut, setsLeftOut } = await made;
      const left = leftOutText(leftOut, setsLeftOut);
      return left === ''
        ? 'Link to this view copied to the clipboard'
        : `Link copied without ${left}, too large for a link. Save the view to share all of it`;
    });
  return (
    <>
      <h2 class="ks-heading">This view</h2>
      <ul class="ks-acts">
        {WEB && (
          <Act
            icon="link"
            name="Copy link"
            about="Opens this view for everyone with the link"
            onClick={link}
          />
        )}
        <Act
          icon="save"
          name="Save view"
          about="Colors, camera, layout, gene sets and regions as a file; karospace-export --view opens a bundle with it"
          onClick={save}
        />
        <Act
          icon="folder"
          name="Open view…"
          about="From a file that was saved here"
          onClick={() => input.current?.click()}
        />
      </ul>
      <FileInput input={input} accept=".json" label="View file" open={openFile} />
      <OutcomeText of={outcome.value} />
    </>
  );
}

function Act(props: { icon: IconName; name: string; about: string; onClick: () => void }): JSX.Element {
  const { icon, name, about, onClick } = props;
  return (
    <li>
      <button type="button" class="ks-act" onClick={onClick}>
        <Icon name={icon} />
        <span>
          {name} <span class="ks-note">{about}</span>
        </span>
      </button>
    </li>
  );
}
