const KEPT_MS = 60_000;

/** Hands a file to the reader. A link of the page itself: frames that may download may do so by it alone. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers begin to read only when the reader has chosen a folder.
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Puts a picture on the clipboard. Given while it is still being drawn: later, the browser asks for a new click. */
export async function copyPicture(picture: Promise<Blob>): Promise<void> {
  if (!navigator.clipboard?.write || typeof ClipboardItem === 'undefined') {
    picture.catch(() => {});
    throw new DOMException('There is no clipboard for this page.', 'NotAllowedError');
  }
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]);
}
