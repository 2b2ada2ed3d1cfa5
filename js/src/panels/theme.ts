import type { Theme } from '../state/view-state';

/** Cycles from "auto" to the opposite of the system's theme, to the system's theme fixed, and back to "auto". */
export function nextTheme(theme: Theme, systemDark: boolean): Theme {
  const [own, opposite] = systemDark ? (['dark', 'light'] as const) : (['light', 'dark'] as const);
  if (theme === 'auto') return opposite;
  return theme === opposite ? own : 'auto';
}
