import type { JSX } from 'preact';
import { say } from '../translate';
import { Check, Field, Select, TextInput } from './fields';
import type { Traits } from './traits';

/** Lets the user choose the column whose markers are computed. */
export function Markers({ traits }: { traits: Traits }): JSX.Element {
  const { markers } = traits.options.value;
  const { help, columns } = traits.summary.value;
  const chosen = markers === null ? '' : markers.length === 0 ? 'none' : 'columns';
  const names = columns.filter(({ kind }) => kind === 'category').map(({ name }) => name);
  // Only Python can name several columns; they are kept until the user makes another choice.
  const text = markers?.join(', ') ?? '';
  const unlisted = chosen === 'columns' && !(markers?.length === 1 && names.includes(text)) ? [text] : [];
  // The prefix `of ` distinguishes columns, which may have any name, from the other choices.
  return (
    <Field label={say('Markers')} help={help.markers} problem={traits.estimate.value.problems.markers}>
      {({ id, describedBy }) => (
        <Select
          id={id}
          describedBy={describedBy}
          value={chosen === 'columns' ? `of ${text}` : chosen}
          choices={[
            ['', say('Automatic')],
            ...[...unlisted, ...names].map((name): [string, string] => [`of ${name}`, name]),
            ['none', say('No markers')],
          ]}
          onChange={(value) => {
            if (unlisted.length > 0 && value === `of ${text}`) return;
            const name = value.replace(/^of /, '');
            traits.change({ markers: value === '' ? null : value === 'none' ? [] : [name] });
          }}
        />
      )}
    </Field>
  );
}

/** Lets the user choose sections, embeddings, the initial color and the initial view. */
export function Places({ traits }: { traits: Traits }): JSX.Element {
  const { sections, embeddings, color, view } = traits.options.value;
  const { help, sections: found, section_columns: columns, embeddings: known } = traits.summary.value;
  const { problems, color: automatic } = traits.estimate.value;
  const colors = traits.summary.value.columns.filter(({ kind }) => kind !== 'other').map(({ name }) => name);
  const unlistedColor = color !== null && !colors.includes(color) ? [color] : [];
  const unlistedSections =
    sections !== null && sections !== 'none' && !columns.includes(sections) ? [sections] : [];
  const defaultKeys = traits.defaults.value.embeddings;
  const chosen = new Set(embeddings ?? defaultKeys);
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    // Keep the order of obsm. Keep keys that obsm no longer has, so that the error can name them.
    const available = known.map((embedding) => embedding.key);
    const lost = [...next].filter((name) => !available.includes(name));
    const keys = [...available.filter((name) => next.has(name)), ...lost];
    const isDefault = keys.length === defaultKeys.length && defaultKeys.every((name) => next.has(name));
    traits.change({ embeddings: isDefault ? null : keys });
  };
  return (
    <>
      <Field label={say('Sections')} help={help.sections} problem={problems.sections}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={sections ?? ''}
            choices={[
              ['', found ? say('Found: %1', found) : say('None found')],
              ...[...unlistedSections, ...columns].map((name): [string, string] => [name, name]),
              ['none', say('No sections')],
            ]}
            onChange={(value) => traits.change({ sections: value || null })}
          />
        )}
      </Field>
      <Field label={say('Initial color')} help={help.color} problem={problems.color}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={color ?? ''}
            choices={[
              ['', color === null && automatic ? say('Automatic: %1', automatic) : say('Automatic')],
              ...[...unlistedColor, ...colors].map((name): [string, string] => [name, name]),
            ]}
            onChange={(value) => traits.change({ color: value || null })}
          />
        )}
      </Field>
      <Field label={say('Initial view')} help={help.view} problem={problems.view}>
        {({ id, describedBy }) => (
          <TextInput
            id={id}
            describedBy={describedBy}
            value={view ?? ''}
            placeholder={say('Path to a saved view (JSON)')}
            onChange={(value) => traits.change({ view: value || null })}
          />
        )}
      </Field>
      {(known.length > 0 || problems.embeddings) && (
        <div class="kf-row">
          <Field label={say('Embeddings')} help={help.embeddings} problem={problems.embeddings} group>
            {() => (
              <div class="kf-checks">
                {known.map(({ key, label }) => (
                  <Check
                    key={key}
                    label={label}
                    help={`obsm['${key}']`}
                    checked={chosen.has(key)}
                    onChange={() => toggle(key)}
                  />
                ))}
              </div>
            )}
          </Field>
        </div>
      )}
    </>
  );
}
