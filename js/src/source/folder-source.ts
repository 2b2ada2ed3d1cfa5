import { NotFoundError } from '../lib/errors';
import { type BundleSource, checkLength } from './bundle-source';

const MANIFEST = 'manifest.json';

/** Reads files chosen with `<input webkitdirectory>`; the folder that contains the manifest is the root. */
export function filesSource(files: Iterable<File>): BundleSource {
  const byPath = new Map<string, File>();
  for (const file of files) byPath.set(file.webkitRelativePath || file.name, file);
  const manifests = [...byPath.keys()].filter((path) => path === MANIFEST || path.endsWith(`/${MANIFEST}`));
  const shallowest = manifests.sort((a, b) => a.split('/').length - b.split('/').length)[0] ?? MANIFEST;
  const root = shallowest.slice(0, -MANIFEST.length);
  return fromFiles(async (path) => byPath.get(root + path) ?? null);
}

/** Reads a folder from a browser handle, obtained from a folder picker or a drop. */
export function handleSource(folder: FileSystemDirectoryHandle): BundleSource {
  return fromFiles(async (path) => {
    const names = path.split('/');
    const last = names.pop() ?? '';
    try {
      let at = folder;
      for (const name of names) at = await at.getDirectoryHandle(name);
      return await (await at.getFileHandle(last)).getFile();
    } catch (cause) {
      if (cause instanceof DOMException && ['NotFoundError', 'TypeMismatchError'].includes(cause.name))
        return null;
      throw cause;
    }
  });
}

function fromFiles(find: (path: string) => Promise<File | null>): BundleSource {
  return {
    async read(path, ctx) {
      ctx.signal.throwIfAborted();
      const file = await find(path);
      if (!file) throw new NotFoundError(path);
      checkLength(path, file.size, ctx);
      const bytes = new Uint8Array(await file.arrayBuffer());
      ctx.signal.throwIfAborted();
      ctx.progress?.(bytes.byteLength, bytes.byteLength);
      return bytes;
    },
    dispose() {},
  };
}
