import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icons';
import { NameField } from './name-field';

interface Props {
  name: string;
  /** What has this name, such as: region. */
  noun: string;
  color?: string;
  /** Size of the item, after its name. */
  size: string;
  pressed: boolean;
  disabled?: boolean;
  label: string;
  title: string;
  onClick: (event: MouseEvent) => void;
  isTaken: (name: string) => boolean;
  /** Returns whether the item has the name now. */
  onRename: (next: string) => boolean;
  /** Returns the name of the item that takes the focus. */
  onRemove: () => string | null;
  /** Whether the pointer or the focus is on the item. */
  onPoint?: (on: boolean) => void;
  /** Additional buttons of the item. */
  children?: ComponentChildren;
  /** The name of the item whose button takes the focus once rendered. */
  back: Signal<string | null>;
}

/** An item of a list that can be shown with a click, renamed and removed. */
export function NamedChip(props: Props): JSX.Element {
  const { name, noun, color, size, pressed, disabled, label, title, onClick, isTaken, onPoint, back } = props;
  const renaming = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const takesFocus = back.value === name && !renaming.value;
  useLayoutEffect(() => {
    if (!takesFocus) return;
    back.value = null;
    button.current?.focus();
  }, [takesFocus, back]);
  const rename = () => {
    renaming.value = true;
  };
  const remove = () => {
    back.value = props.onRemove();
  };
  if (renaming.value) {
    return (
      <li class="ks-region ks-renaming">
        <NameField
          label={`New name for ${name}`}
          value={name}
          about={(next) =>
            next !== name && isTaken(next)
              ? { text: `Another ${noun} is already named “${next}”.`, refused: true }
              : null
          }
          onName={(next) => {
            if (props.onRename(next)) back.value = next.trim();
          }}
          onClose={(byKey) => {
            back.value = byKey ? (back.value ?? name) : null;
            renaming.value = false;
          }}
        />
      </li>
    );
  }
  return (
    <li
      class="ks-region"
      // Touch has no hover.
      onPointerEnter={(event) => event.pointerType !== 'touch' && onPoint?.(true)}
      onPointerLeave={() => onPoint?.(false)}
      onFocusIn={(event) => (event.target as Element).matches(':focus-visible') && onPoint?.(true)}
      onFocusOut={() => onPoint?.(false)}
    >
      <button
        type="button"
        class="ks-region-name"
        ref={button}
        aria-pressed={pressed}
        aria-disabled={disabled}
        aria-label={label}
        title={title}
        onClick={(event) => {
          // The second click of a double-click would only repeat the first.
          if (event.detail < 2 && !disabled) onClick(event);
        }}
        onDblClick={rename}
        onKeyDown={(event) => {
          if (event.key === 'F2') rename();
          else if (event.key === 'Delete') remove();
          else return;
          event.preventDefault();
        }}
      >
        {color && <span class="ks-dot" style={{ backgroundColor: color }} />}
        <span class="ks-clip">{name}</span>
        <span class="ks-muted">· {size}</span>
      </button>
      {props.children}
      <ItemButton icon="pencil" does="Rename" name={name} shortcut="F2" onClick={rename} />
      <ItemButton icon="close" does="Remove" name={name} shortcut="Delete" onClick={remove} />
    </li>
  );
}

/** A small button that acts on an item of a list. */
export function ItemButton(props: {
  icon: IconName;
  /** What it does, such as: Rename. */
  does: string;
  name: string;
  shortcut?: string;
  pressed?: boolean;
  tabIndex?: number;
  onClick: () => void;
}): JSX.Element {
  const { icon, does, name, shortcut, pressed, tabIndex, onClick } = props;
  return (
    <button
      type="button"
      class="ks-region-act"
      tabIndex={tabIndex}
      aria-label={`${does} ${name}`}
      aria-pressed={pressed}
      title={shortcut ? `${does} (${shortcut})` : does.replace(/ of$/, '')}
      onClick={onClick}
    >
      <Icon name={icon} size={14} />
    </button>
  );
}

/** Returns the neighbor of an item that is removed from a list. */
export function neighborOf(items: readonly { name: string }[], name: string): string | null {
  const at = items.findIndex((item) => item.name === name);
  return (items[at + 1] ?? items[at - 1])?.name ?? null;
}
