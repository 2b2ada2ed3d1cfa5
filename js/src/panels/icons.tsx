import type { JSX } from 'preact';

const PATHS = {
  move: 'M12 3v18M3 12h18M9.500 5.500L12 3l2.500 2.500M9.500 18.500L12 21l2.500-2.500M5.500 9.500L3 12l2.500 2.500M18.500 9.500L21 12l-2.500 2.500',
  lasso:
    'M7.600 15.200C5.200 14.300 3.500 12.500 3.500 10.300 3.500 6.900 7.300 4.500 12 4.500s8.500 2.400 8.500 5.800-3.800 5.800-8.500 5.800c-.900 0-1.700-.100-2.500-.200M7.900 13.400a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7.400 17.400c-.100 1.400-.800 2.500-2.100 3.300',
  rect: 'M4 8V6a1 1 0 0 1 1-1h2M10.500 5h3M17 5h2a1 1 0 0 1 1 1v2M20 11v2.500M20 16.500V18a1 1 0 0 1-1 1h-2M13.500 19h-3M7 19H5a1 1 0 0 1-1-1v-1.500M4 13.500V11',
  pencil:
    'M4.500 19.500l.900-3.700L16.200 5a1.500 1.500 0 0 1 2.100 0l.700.700a1.500 1.500 0 0 1 0 2.100L8.200 18.600zM14.500 6.800l2.700 2.700',
  distance: 'M4 5v14M20 5v14M7 12h10M9.500 9.500L7 12l2.500 2.500M14.500 9.500L17 12l-2.500 2.500',
  fit: 'M4 9V5a1 1 0 0 1 1-1h4M15 4h4a1 1 0 0 1 1 1v4M20 15v4a1 1 0 0 1-1 1h-4M9 20H5a1 1 0 0 1-1-1v-4',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  reset: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5',
  moon: 'M20 14.5A8.2 8.2 0 0 1 9.5 4 8.2 8.2 0 1 0 20 14.5z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  auto: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 3.5v17M12 8h6.5M12 12h8.5M12 16h6.5',
  help: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9.6 9.4a2.4 2.4 0 1 1 3.5 2.2c-.7.4-1.1.9-1.1 1.7M12 16.4v.1',
  panel: 'M4 5h16v14H4zM15 5v14',
  one: 'M6 6h12v12H6z',
  checked: 'M6 6h12v12H6zM9 12l2.300 2.300 3.900-4.300',
  both: 'M4 4h11v5h5v11H9v-5H4z',
  less: 'M4 4h11v5H9v6H4zM13 20h7v-7M20 13v7h-7',
  common: 'M9 9h6v6H9zM4 10V4h6M14 20h6v-6',
  undo: 'M4.500 9.500H15a5 5 0 0 1 0 10H9.500M8.500 5.500l-4 4 4 4',
  redo: 'M19.500 9.500H9a5 5 0 0 0 0 10h5.500M15.500 5.500l4 4-4 4',
  zoom: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.5 4.5M10.5 8v5M8 10.5h5',
  turn: 'M20 12a8 8 0 1 1-2.6-5.9M20 4v4.5h-4.5',
  mirror: 'M12 3.500v17M9 7.500L3.500 17H9zM15 7.500l5.500 9.500H15z',
  search: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l4.5 4.5',
  eye: 'M2.5 12S6 5.8 12 5.8 21.500 12 21.500 12 18 18.200 12 18.200 2.500 12 2.500 12zM12 9.300a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400z',
  hidden:
    'M4 4l16 16M9.500 6.200A9.500 9.500 0 0 1 12 5.800c6 0 9.500 6.200 9.500 6.200a16 16 0 0 1-3 3.600M6.300 7.700A16 16 0 0 0 2.500 12S6 18.200 12 18.200a9.300 9.300 0 0 0 4.200-1',
  save: 'M12 4v10.500M8 10.800l4 4 4-4M4.500 16.500v2a1.500 1.500 0 0 0 1.500 1.500h12a1.500 1.500 0 0 0 1.500-1.500v-2',
  down: 'M6 9.500l6 6 6-6',
  left: 'M14.500 6l-6 6 6 6',
  right: 'M9.500 6l6 6-6 6',
  split: 'M4 5h16v14H4zM12 5v14',
  swap: 'M4 9h14l-3.500-3.500M20 15H6l3.500 3.500',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M8.500 8.500h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1zM15.500 8.500v-3a1 1 0 0 0-1-1h-9a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3',
  link: 'M10 13.500a4 4 0 0 0 5.700.400l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10.500a4 4 0 0 0-5.700-.400l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500',
  share:
    'M17 3.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM7 9.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM17 15.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5zM9.200 10.900l5.600-3.500M9.200 13.200l5.600 3.400',
  folder: 'M3.500 18V6.500a1 1 0 0 1 1-1H9l2 2.500h8.500a1 1 0 0 1 1 1V18a1 1 0 0 1-1 1h-15a1 1 0 0 1-1-1z',
  alert: 'M12 4L2.800 19.500h18.400zM12 10v4.500M12 17v.1',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="ks-icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function IconButton(props: {
  icon: IconName;
  label: string;
  shortcut?: string | undefined;
  pressed?: boolean;
  disabled?: boolean;
  /** Whether this is one of a group of buttons, one of which is pressed. */
  tool?: boolean;
  onClick: (event: MouseEvent) => void;
}): JSX.Element {
  const { icon, label, shortcut, pressed, disabled, tool, onClick } = props;
  return (
    <button
      type="button"
      class={`ks-icon-button${tool ? ' ks-tool' : ''}`}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      title={shortcut ? `${label} (${shortcut})` : label}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
