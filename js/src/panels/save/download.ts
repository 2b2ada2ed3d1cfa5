import type { Disposer } from '../../lib/disposer';

const KEPT_MS = 60_000;

export type Download = (file: Blob, name: string) => void;

/** Creates a function that downloads files through a link in the page, as `allow-downloads` frames require. */
export function downloads(disposer: Disposer): Download {
  const kept = new Map<string, ReturnType<typeof setTimeout>>();
  const drop = (url: string) => {
    clearTimeout(kept.get(url));
    kept.delete(url);
    URL.revokeObjectURL(url);
  };
  disposer.add(() => [...kept.keys()].forEach(drop));
  return (file, name) => {
    const url = URL.createObjectURL(file);
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    // Some browsers start reading only after the user has chosen a folder.
    kept.set(
      url,
      setTimeout(() => drop(url), KEPT_MS),
    );
  };
}

/** Copies a picture to the clipboard. Takes a promise: after an await, browsers require another user gesture. */
export async function copyPicture(picture: Promise<Blob>): Promise<void> {
  if (!navigator.clipboard?.write || typeof ClipboardItem === 'undefined') {
    picture.catch(() => {});
    throw new DOMException('The clipboard is not available to this page.', 'NotAllowedError');
  }
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
}

/** Copies text to the clipboard. Passes the promise on, as `copyPicture` does, where the browser supports it. */
export async function copyText(text: Promise<string>): Promise<void> {
  const { clipboard } = navigator;
  if (typeof ClipboardItem === 'undefined') return clipboard.writeText(await text);
  const type = 'text/plain';
  return clipboard.write([new ClipboardItem({ [type]: text.then((all) => new Blob([all], { type })) })]);
}
