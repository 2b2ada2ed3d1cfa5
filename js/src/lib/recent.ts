/** Keeps `value` as the most recently used; drops the least recently used, never `value`, down to `most` in total. */
export function keepRecent<T>(
  kept: Map<string, T>,
  key: string,
  value: T,
  most: number,
  size: (value: T) => number = () => 1,
): void {
  kept.delete(key);
  kept.set(key, value);
  let total = 0;
  for (const one of kept.values()) total += size(one);
  for (const [oldest, one] of kept) {
    if (total <= most || oldest === key) break;
    kept.delete(oldest);
    total -= size(one);
  }
}
