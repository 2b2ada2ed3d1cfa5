import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { formatCount } from '../lib/format';

interface Button {
  title?: string;
  /** Accessible name; contains the visible text. For buttons whose text alone is not descriptive. */
  label?: string;
  /** For toggle buttons: whether it is on. */
  pressed?: boolean | undefined;
  /** For disclosure buttons: whether the content below is open. */
  expanded?: boolean | undefined;
  disabled?: boolean;
  onClick: (event: MouseEvent) => void;
  children: ComponentChildren;
}

const buttonWithClass = (className: string) =>
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
        class={className}
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

/** One of several choices in a row. */
export const Chip = buttonWithClass('ks-chip');

/** An action in the line of a heading. */
export const HeadingButton = buttonWithClass('ks-heading ks-text-button');

/** Expands or collapses a truncated list. */
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
