import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A message about a name before it is saved. */
export interface About {
  text: string;
  refused: boolean;
}

/** Edits a name in place: Enter or the button saves it; Escape or an empty name discards it. */
export function NameField(props: {
  label: string;
  value: string;
  /** Returns a message if the name is already in use, else null. */
  about: (name: string) => About | null;
  onName: (name: string) => void;
  /** `byKey`: closed by keyboard, so the focus returns to its origin. */
  onClose: (byKey: boolean) => void;
}): JSX.Element {
  const { label, value, about, onName, onClose } = props;
  const input = useRef<HTMLInputElement>(null);
  const name = useSignal(value);
  const message = about(name.value.trim());
  // Closing by Enter or Escape also blurs the field, which must not save again.
  const settled = useRef(false);
  // Focus before the next key event: the first letter of a name must not act as a shortcut.
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const close = (byKey: boolean) => {
    if (settled.current) return;
    settled.current = true;
    onClose(byKey);
  };
  const keep = () => {
    if (settled.current || message?.refused) return;
    if (name.value.trim()) onName(name.value);
    close(true);
  };
  return (
    <div class="ks-naming">
      <input
        ref={input}
        class="ks-name-field"
        type="text"
        aria-label={label}
        aria-invalid={message?.refused ?? false}
        maxLength={120}
        spellcheck={false}
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.isComposing) keep();
          else if (event.key === 'Escape') close(true);
          else return;
          event.preventDefault();
        }}
        onBlur={() => {
          // Leaving the field saves the name, unless that would replace another region.
          if (!settled.current && !message && name.value !== value && name.value.trim()) onName(name.value);
          close(false);
        }}
      />
      <button
        type="button"
        class="ks-pill ks-strong"
        disabled={message?.refused || name.value.trim() === ''}
        // A mousedown would blur the input and close the field before the click.
        onMouseDown={(event) => event.preventDefault()}
        onClick={keep}
      >
        {message && !message.refused ? 'Replace' : 'Save'}
      </button>
      {message && (
        <p class={message.refused ? 'ks-warning' : 'ks-note'} role="status">
          {message.text}
        </p>
      )}
    </div>
  );
}
