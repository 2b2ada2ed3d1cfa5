import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** What there is to say about a name before it is kept. */
export interface About {
  text: string;
  refused: boolean;
}

/** A name, in place: Enter and the button keep it, Escape and leaving it empty do not. */
export function NameField(props: {
  label: string;
  value: string;
  /** What the name would do to one that is there; null where there is none. */
  about: (name: string) => About | null;
  onName: (name: string) => void;
  /** By a key, the focus goes back to where it came from. */
  onClose: (byKey: boolean) => void;
}): JSX.Element {
  const { label, value, about, onName, onClose } = props;
  const input = useRef<HTMLInputElement>(null);
  const name = useSignal(value);
  const said = about(name.value.trim());
  // Leaving the field by Enter or Escape blurs it, too.
  const settled = useRef(false);
  // Before the next key arrives: the first letter of a name must not be a shortcut.
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
    if (settled.current || said?.refused) return;
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
        aria-invalid={said?.refused ?? false}
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
          // What would change another one is not done in passing.
          if (!settled.current && !said && name.value !== value && name.value.trim()) onName(name.value);
          close(false);
        }}
      />
      <button
        type="button"
        class="ks-pill ks-strong"
        disabled={said?.refused || name.value.trim() === ''}
        // A press would take the focus, and the field close before the click.
        onMouseDown={(event) => event.preventDefault()}
        onClick={keep}
      >
        {said && !said.refused ? 'Replace' : 'Save'}
      </button>
      {said && (
        <p class={said.refused ? 'ks-warning' : 'ks-note'} role="status">
          {said.text}
        </p>
      )}
    </div>
  );
}
