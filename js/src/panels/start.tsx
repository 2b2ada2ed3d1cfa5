import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { BundleSource } from '../source/bundle-source';
import { filesSource, handleSource } from '../source/folder-source';
import { Icon } from './icons';

interface DirectoryPicker {
  showDirectoryPicker?: () => Promise<FileSystemDirectoryHandle>;
}

interface HandleItem {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

/** Asks for the bundle's folder. Shown when the browser does not let the page read files, such as from `file:`. */
export function Start({ onChosen }: { onChosen: (source: BundleSource) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [note, setNote] = useState('');

  const chooseHandle = async (folder: FileSystemDirectoryHandle) => {
    try {
      await folder.getFileHandle('manifest.json');
      onChosen(handleSource(folder));
    } catch {
      setNote(`“${folder.name}” does not contain manifest.json. Choose the exported folder.`);
    }
  };
  const chooseFiles = (files: FileList | null) => {
    if (!files || files.length === 0) return;
    const has = [...files].some((file) => file.name === 'manifest.json');
    if (has) onChosen(filesSource([...files]));
    else setNote('That folder does not contain manifest.json. Choose the exported folder.');
  };
  const pick = async () => {
    const { showDirectoryPicker } = window as unknown as DirectoryPicker;
    if (!showDirectoryPicker) return input.current?.click();
    try {
      await chooseHandle(await showDirectoryPicker.call(window));
    } catch (thrown) {
      // AbortError: the user closed the picker. If the picker itself is blocked, the plain input still works.
      if (!(thrown instanceof DOMException && thrown.name === 'AbortError')) input.current?.click();
    }
  };
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const item = event.dataTransfer?.items[0] as unknown as HandleItem | undefined;
    const handle = await item?.getAsFileSystemHandle?.();
    if (handle?.kind === 'directory') await chooseHandle(handle as FileSystemDirectoryHandle);
    else setNote('Drop the folder itself, or use the button.');
  };
  return (
    <section
      class={`ks-start${over ? ' ks-over' : ''}`}
      aria-label="Open a bundle"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => void drop(event)}
    >
      <div class="ks-card ks-message">
        <Icon name="folder" size={24} />
        <h1>Open the bundle folder</h1>
        <p>
          A page opened from disk cannot read the files next to it until you choose their folder. Nothing
          leaves your computer.
        </p>
        <button type="button" class="ks-button ks-primary" onClick={() => void pick()}>
          Open the bundle folder
        </button>
        <p class="ks-note">Or drop the folder here: the one with this page and manifest.json.</p>
        {note && (
          <p class="ks-warning" role="alert">
            {note}
          </p>
        )}
        <input
          ref={(element) => {
            input.current = element;
            element?.setAttribute('webkitdirectory', '');
          }}
          class="ks-offscreen"
          type="file"
          multiple
          tabIndex={-1}
          aria-label="Bundle folder"
          onChange={(event) => chooseFiles(event.currentTarget.files)}
        />
      </div>
    </section>
  );
}
