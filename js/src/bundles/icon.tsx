import type { JSX } from 'preact';

const PATHS = {
  search: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.5 4.5',
  left: 'M14.500 6l-6 6 6 6',
  tissue:
    'M6 7.500h.01M10 5.500h.01M14.500 6.500h.01M18 9.500h.01M5.500 12h.01M9.500 10h.01M13.500 11h.01M18 14h.01M8 15.500h.01M12 15.500h.01M15.500 18h.01M10.500 19h.01',
} as const;

export function Icon({ name, size = 18 }: { name: keyof typeof PATHS; size?: number }): JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
