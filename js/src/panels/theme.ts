import type { Theme } from '../state/view-state';

/** From the system's theme to its opposite, to the same chosen for good, and back: each step but the last shows. */
export function nextTheme(theme: Theme, systemDark: boolean): Theme {
  const [own, opposite] = systemDark ? (['dark', 'light'] as const) : (['light', 'dark'] as const);
  if (theme === 'auto') return opposite;
  return theme === opposite ? own : 'auto';
}
