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
