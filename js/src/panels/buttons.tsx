import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { formatCount } from '../lib/format';

interface Button {
  title?: string;
  /** For screen readers and with the words that are seen, where the text alone does not say it. */
  label?: string;
  /** Of a switch: whether it is on. */
  pressed?: boolean | undefined;
  /** Of what opens something below: whether it is open. */
  expanded?: boolean | undefined;
  disabled?: boolean;
  onClick: () => void;
  children: ComponentChildren;
}

const made = (look: string) =>
  function PlainButton({
    title,
    label,
    pressed,
    expanded,
    disabled,
    onClick,
    children,
  }: Button): JSX.Element {
    return (
      <button
        type="button"
        class={look}
        title={title}
        aria-label={label}
        aria-pressed={pressed}
        aria-expanded={expanded}
        disabled={disabled}
        onClick={onClick}
      >
        {children}
      </button>
    );
  };

/** A choice among several that stand in a line. */
export const Chip = made('ks-chip');

/** What one can do about a heading, beside it. */
export const HeadingButton = made('ks-heading ks-text-button');

/** Below a list that is cut short. */
export function More({ whole, more }: { whole: Signal<boolean>; more: number }): JSX.Element | null {
  if (more <= 0) return null;
  return (
    <button
      type="button"
      class="ks-link"
      aria-expanded={whole.value}
      onClick={() => {
        whole.value = !whole.value;
      }}
    >
      {whole.value ? 'Fewer' : `${formatCount(more)} more`}
    </button>
  );
}
