import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { say } from '../translate';

/** Labeled field with a help button and the current problem below. */
export function Field(props: {
  label: string;
  help?: string | undefined;
  problem?: string | undefined;
  group?: boolean;
  children: (ids: { id: string; describedBy: string | undefined }) => ComponentChildren;
}): JSX.Element {
  // Ids must be unique among all widgets on the page, which are rendered independently.
  const id = useMemo(() => `kf-${Math.random().toString(36).slice(2)}`, []);
  const { label, help, problem, group } = props;
  const describedBy = problem ? `${id}-problem` : help ? `${id}-help` : undefined;
  const body = props.children({ id, describedBy });
  const title = (
    <span class="kf-label-line">
      {group ? (
        <span class="kf-label" id={`${id}-label`}>
          {label}
        </span>
      ) : (
        <label class="kf-label" for={id}>
          {label}
        </label>
      )}
      {help && (
        <button
          type="button"
          class="kf-help"
          aria-label={say('Help for %1: %2', label, help)}
          data-help={help}
        >
          ?
        </button>
      )}
    </span>
  );
  return (
    <div
      class={`kf-field${problem ? ' kf-wrong' : ''}`}
      {...(group ? { role: 'group', 'aria-labelledby': `${id}-label` } : {})}
    >
      {title}
      {body}
      {problem && (
        <p class="kf-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

export function Segmented<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}): JSX.Element {
  const { value, choices, onChange } = props;
  const move = (event: KeyboardEvent, at: number) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = choices[(at + step + choices.length) % choices.length];
    if (step === 0 || !next) return;
    event.preventDefault();
    onChange(next[0]);
    const buttons = (event.currentTarget as HTMLElement).parentElement?.querySelectorAll('button');
    buttons?.[(at + step + choices.length) % choices.length]?.focus();
  };
  return (
    <div class="kf-segments" role="radiogroup" aria-label={props.label}>
      {choices.map(([name, text], at) => (
        // biome-ignore lint/a11y/useSemanticElements: native radio buttons cannot be styled as a segmented control in every notebook application
        <button
          key={name}
          type="button"
          role="radio"
          aria-checked={value === name}
          tabIndex={value === name ? 0 : -1}
          onClick={() => onChange(name)}
          onKeyDown={(event) => move(event, at)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

/** Number input; if `optional`, an empty field means null. */
export function NumberInput(props: {
  id: string;
  describedBy?: string | undefined;
  value: number | null;
  min: number;
  step?: number;
  placeholder?: string;
  optional?: boolean;
  note?: string | undefined;
  onChange: (value: number | null) => void;
}): JSX.Element {
  return (
    <div class="kf-input">
      <input
        id={props.id}
        type="number"
        aria-describedby={props.describedBy}
        min={props.min}
        step={props.step ?? 1}
        placeholder={props.placeholder}
        value={props.value ?? ''}
        onInput={(event) => {
          const text = event.currentTarget.value;
          if (text === '') {
            if (props.optional) props.onChange(null);
            return;
          }
          const value = Number(text);
          if (Number.isFinite(value)) props.onChange(value);
        }}
      />
      {props.note && <span class="kf-note">{props.note}</span>}
    </div>
  );
}

export function TextInput(props: {
  id: string;
  describedBy?: string | undefined;
  value: string;
  placeholder?: string;
  note?: string | undefined;
  onChange: (value: string) => void;
}): JSX.Element {
  return (
    <div class="kf-input">
      <input
        id={props.id}
        type="text"
        spellcheck={false}
        autocomplete="off"
        aria-describedby={props.describedBy}
        placeholder={props.placeholder}
        value={props.value}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      {props.note && <span class="kf-note">{props.note}</span>}
    </div>
  );
}

export function Select<Value extends string>(props: {
  id: string;
  label?: string;
  describedBy?: string | undefined;
  value: Value;
  choices: readonly (readonly [Value, string])[];
  note?: string | undefined;
  onChange: (value: Value) => void;
}): JSX.Element {
  return (
    <div class="kf-input kf-select">
      <select
        id={props.id}
        aria-label={props.label}
        aria-describedby={props.describedBy}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value as Value)}
      >
        {props.choices.map(([value, text]) => (
          <option key={value} value={value} selected={value === props.value}>
            {text}
          </option>
        ))}
      </select>
      {props.note && <span class="kf-note">{props.note}</span>}
    </div>
  );
}

export function Check(props: {
  label: string;
  checked: boolean;
  help?: string | undefined;
  onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label class="kf-check" title={props.help}>
      <input
        type="checkbox"
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      {props.label}
    </label>
  );
}
