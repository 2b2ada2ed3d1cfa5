/** Export in the list of the panel. */
export interface Exported {
  title: string;
  /** Path of the bundle in the kernel's file system. */
  path: string;
  /** Path of the bundle on the Jupyter server; empty if it is not accessible there. */
  folder: string;
  kernel: string;
  bytes: number;
  at: number;
  /** Result of the last verification. */
  checked: string;
}

/** Returns the path of a file of a bundle on the Jupyter server; an empty folder is the server's root. */
export const inFolder = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

const MAX_EXPORTS = 50;

/** Adds an export to the list; replaces an earlier export to the same path. */
export function withExport(list: readonly Exported[], one: Exported): Exported[] {
  return [one, ...list.filter(({ path }) => path !== one.path)].slice(0, MAX_EXPORTS);
}

/** Reads a stored list; skips invalid entries. */
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
 * Converts a path relative to the kernel's working directory, which is the folder of the notebook, to a path on the
 * Jupyter server. Returns null for any other path.
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

/** Location of a bundle as reported by its kernel. */
export interface Written {
  /** All spellings of its path in the kernel's file system. */
  places: readonly string[];
  /** Path relative to the kernel's working directory. */
  path: string;
  /** Creation time, which distinguishes it from another bundle at the same path. */
  created: string;
}

/** Returns candidates for its folder on the Jupyter server. None is certain: the kernel may run on another machine. */
export function candidates(root: string, written: Written, sessionPath: string): string[] {
  const base = root.replace(/\/+$/, '');
  const inside = written.places
    .map((place) => place.replaceAll('\\', '/'))
    .filter((place) => place.startsWith(`${base}/`))
    .map((place) => place.slice(base.length + 1));
  const beside = folderOf(sessionPath, written.path);
  return [...new Set(beside === null ? inside : [...inside, beside])];
}

/**
 * Returns the folder of a bundle on the Jupyter server, given its path there or in the file system, or the path of its
 * manifest or page.
 */
export function folderFrom(path: string, root: string): string {
  const base = root.replace(/\/+$/, '');
  const inside =
    base !== '' && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) : path;
  return inside.replace(/(^|\/)(manifest\.json|index\.html)$/, '').replace(/^\/+|\/+$/g, '');
}
