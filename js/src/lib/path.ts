const UNSAFE = /(^|\/)\.\.?(\/|$)|^\/|^[A-Za-z]:|\\|\0|^$/;

/** Returns whether `path` is relative, `/`-separated and stays inside the bundle. */
export function isInside(path: string): boolean {
  return !UNSAFE.test(path);
}
