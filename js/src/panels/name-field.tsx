import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A name, in place: Enter keeps it, Escape and leaving it empty do not. */
export function NameField(props: {
  label: string;
  value: string;
  onName: (name: string) => void;
  /** By a key, the focus goes back to where it came from. */
  onClose: (byKey: boolean) => void;
}): JSX.Element {
  const { label, value, onName, onClose } = props;
  const input = useRef<HTMLInputElement>(null);
  // Leaving the field by Enter or Escape blurs it, too.
  const settled = useRef(false);
  // Before the next key arrives: the first letter of a name must not be a shortcut.
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const settle = (name: string | null, byKey: boolean) => {
    if (settled.current) return;
    settled.current = true;
    if (name?.trim()) onName(name);
    onClose(byKey);
  };
  return (
    <input
      ref={input}
      class="ks-name-field"
      type="text"
      aria-label={label}
      maxLength={120}
      spellcheck={false}
      value={value}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && !event.isComposing) settle(event.currentTarget.value, true);
        else if (event.key === 'Escape') settle(null, true);
        else return;
        event.preventDefault();
      }}
      onBlur={(event) =>
        settle(event.currentTarget.value === value ? null : event.currentTarget.value, false)
      }
    />
  );
}
