const KEPT_MS = 10_000;

/** Hands a file to the browser's downloads; a name is made fit for every system. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: systems refuse them in names
  link.download = name.replace(/[\u0000-\u001f\\/:*?"<>|]/g, '_').trim() || 'karospace';
  link.click();
  // The browser reads the address after the click.
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
