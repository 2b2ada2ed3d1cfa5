/** An export of this session, as the panel remembers it. */
export interface Exported {
  title: string;
  /** Of the bundle, in the kernel's file system. */
  path: string;
  /** The same, as Jupyter's files know it; empty where they do not. */
  folder: string;
  kernel: string;
  bytes: number;
  at: number;
  /** What the last check said. */
  checked: string;
}

/** The path of a bundle's file in Jupyter's files; the folder is empty when it is the server's own. */
export const inFolder = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

const MOST = 50;

/** The list with one more; an earlier export to the same place is replaced. */
export function withExport(list: readonly Exported[], one: Exported): Exported[] {
  return [one, ...list.filter(({ path }) => path !== one.path)].slice(0, MOST);
}

/** The list as it was stored, without what does not look like it. */
export function storedExports(value: unknown): Exported[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (one): one is Exported =>
      typeof one === 'object' &&
      one !== null &&
      ['title', 'path', 'folder', 'kernel', 'checked'].every((name) => typeof one[name] === 'string') &&
      ['bytes', 'at'].every((name) => Number.isFinite(one[name])),
  );
}

/**
 * Where a folder lies in Jupyter's files: the kernel works beside its notebook, so a path inside of its working folder
 * is known there. Null for every other path.
 */
export function folderOf(sessionPath: string, path: string): string | null {
  if (path === '' || path.startsWith('/') || path.startsWith('~') || /^[A-Za-z]:/.test(path)) return null;
  const parts: string[] = sessionPath.split('/').slice(0, -1);
  for (const part of path.split(/[\\/]+/)) {
    if (part === '..') {
      if (parts.length === 0) return null;
      parts.pop();
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** A bundle as its kernel knows it. */
export interface Written {
  /** Its folder in the kernel's file system, in every way to write it. */
  places: readonly string[];
  /** The same, as seen from the kernel's working folder. */
  path: string;
  /** When it was made: what tells it from another bundle at a place of the same name. */
  created: string;
}

/** Candidates for its folder in Jupyter's files: none is sure, for the kernel may work on another machine. */
export function candidates(root: string, written: Written, sessionPath: string): string[] {
  const base = root.replace(/\/+$/, '');
  const inside = written.places
    .map((place) => place.replaceAll('\\', '/'))
    .filter((place) => place.startsWith(`${base}/`))
    .map((place) => place.slice(base.length + 1));
  const beside = folderOf(sessionPath, written.path);
  return [...new Set(beside === null ? inside : [...inside, beside])];
}

/** A bundle's folder in Jupyter's files, by its path there or in the file system, or that of its manifest or page. */
export function folderFrom(path: string, root: string): string {
  const base = root.replace(/\/+$/, '');
  const inside =
    base !== '' && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) : path;
  return inside.replace(/(^|\/)(manifest\.json|index\.html)$/, '').replace(/^\/+|\/+$/g, '');
}
