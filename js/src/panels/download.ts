import type { Disposer } from '../lib/disposer';

const KEPT_MS = 60_000;

export type Download = (file: Blob, name: string) => void;

/** Hands files to the reader. A link of the page itself: frames that may download may do so by it alone. */
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
    // Some browsers begin to read only when the reader has chosen a folder.
    kept.set(
      url,
      setTimeout(() => drop(url), KEPT_MS),
    );
  };
}

/** Puts a picture on the clipboard. Given while it is still being drawn: later, the browser asks for a new click. */
export async function copyPicture(picture: Promise<Blob>): Promise<void> {
  if (!navigator.clipboard?.write || typeof ClipboardItem === 'undefined') {
    picture.catch(() => {});
    throw new DOMException('There is no clipboard for this page.', 'NotAllowedError');
  }
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
}
