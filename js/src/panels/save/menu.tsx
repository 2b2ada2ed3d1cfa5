import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon, type IconName } from '../icons';

/** CSS pixels between the button and its sheet. */
const GAP = 8;

/** A button that opens a sheet below it. The sheet is rendered only while it is open. */
export function Menu(props: {
  open: Signal<boolean>;
  icon: IconName;
  /** Shown next to the icon, where there is room. */
  text?: string;
  label: string;
  shortcut?: string;
  /** Name of the sheet for screen readers. */
  name: string;
  children: () => ComponentChildren;
}): JSX.Element {
  const { open, icon, text, label, shortcut, name, children } = props;
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const before = useRef<Element | null>(null);
  /** True while a toggle event of the popover updates `open`, so that the effect below does not toggle it again. */
  const toggling = useRef(false);
  const shown = useSignal(false);

  useSignalEffect(() => {
    const wanted = open.value;
    if (toggling.current || !sheet.current || sheet.current.matches(':popover-open') === wanted) return;
    if (wanted) sheet.current.showPopover();
    else sheet.current.hidePopover();
  });
  const place = () => {
    // Align with the card that contains the button.
    const at = button.current?.parentElement?.getBoundingClientRect();
    if (!at || !sheet.current) return;
    sheet.current.style.top = `${at.bottom + GAP}px`;
    sheet.current.style.right = `${Math.max(GAP, document.documentElement.clientWidth - at.right)}px`;
    sheet.current.style.maxHeight = `calc(100vh - ${at.bottom + 2 * GAP}px)`;
  };

  return (
    <>
      <button
        type="button"
        class={`ks-icon-button${text ? ' ks-with-text' : ''}`}
        ref={button}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={shown.value}
        title={shortcut ? `${label} (${shortcut})` : label}
        popovertarget={id}
      >
        <Icon name={icon} />
        {text && <span class="ks-button-text">{text}</span>}
      </button>
      <div
        id={id}
        class="ks-card ks-save"
        popover="auto"
        role="dialog"
        aria-label={name}
        tabIndex={-1}
        ref={sheet}
        onBeforeToggle={(event) => {
          // Update now: the toggle event follows later, and a key may come in between.
          toggling.current = true;
          open.value = event.newState === 'open';
          toggling.current = false;
          if (event.newState !== 'open') return;
          before.current = document.activeElement;
          place();
        }}
        onToggle={(event) => {
          const focused = document.activeElement;
          const inside = sheet.current?.contains(focused) ?? false;
          shown.value = event.newState === 'open';
          if (shown.value) {
            // Keep the focus when closed and reopened quickly: the sheet is still the same.
            if (!inside) sheet.current?.querySelector<HTMLElement>(':checked, button')?.focus();
          } else if (inside || focused === document.body) {
            const back = before.current;
            if (back instanceof HTMLElement && back !== document.body) back.focus();
            else button.current?.focus();
          }
        }}
        // Keys pressed here must not act as shortcuts of the viewer.
        onKeyDown={(event) => event.stopPropagation()}
      >
        {shown.value && children()}
      </div>
    </>
  );
}
