import type { JSX, RefObject } from 'preact';

/** Hidden file input: a button next to it clicks it to open the browser's file dialog. */
export function FileInput(props: {
  input: RefObject<HTMLInputElement | null>;
  /** Extensions, separated by commas. */
  accept: string;
  label: string;
  open: (file: File) => void;
}): JSX.Element {
  return (
    <input
      ref={props.input}
      type="file"
      accept={props.accept}
      class="ks-offscreen"
      tabIndex={-1}
      aria-label={props.label}
      onChange={(event) => {
        const file = event.currentTarget.files?.[0];
        // Choosing the same file again must fire a change event, too.
        event.currentTarget.value = '';
        if (file) props.open(file);
      }}
    />
  );
}
