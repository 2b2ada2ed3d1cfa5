import type { JSX } from 'preact';
import { Icon } from '../icons';

export function ColumnSelect(props: {
  label: string;
  names: readonly string[];
  value: string;
  note: string;
  onChange: (name: string) => void;
}): JSX.Element {
  const { label, names, value, note, onChange } = props;
  return (
    <div class="ks-field ks-select">
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!names.includes(value) && (
          <option value="" disabled>
            Choose
          </option>
        )}
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <span>{note}</span>
      <Icon name="down" size={14} />
    </div>
  );
}
