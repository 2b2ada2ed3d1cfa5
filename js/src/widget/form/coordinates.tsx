import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { say } from '../translate';
import { Field, Select } from './fields';
import type { Traits } from './traits';

const spelled = (spec: string): string =>
  spec.startsWith('obsm:') ? `obsm['${spec.slice(5)}']` : spec.replace('obs:', 'obs: ').replace(',', ', ');

const pairOf = (spec: string | null | undefined) =>
  spec?.startsWith('obs:') ? spec.slice(4).split(',') : [];

/** Lets the user choose the coordinates: the detected ones, other candidates, or two columns of obs. */
export function Coordinates({ traits }: { traits: Traits }): JSX.Element {
  const { coordinates: found, columns, detected, help, ready } = traits.summary.value;
  const { coords } = traits.options.value;
  const problem = traits.estimate.value.problems.coords;
  const numeric = columns.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  const byHand = useSignal(false);
  const chosen = pairOf(coords ?? detected);
  // A single column contains outlines rather than a pair of coordinates.
  const given = chosen.length === 2 ? chosen : [];
  const own = byHand.value || (given.length === 2 && coords != null && !found.includes(coords));
  const choices: [string, string][] = [
    ['', detected ? spelled(detected) : !ready ? '…' : found.length > 0 ? say('Choose…') : say('None found')],
    ...found.filter((spec) => spec !== detected).map((spec): [string, string] => [spec, spelled(spec)]),
  ];
  if (coords && !own && !found.includes(coords)) choices.push([coords, spelled(coords)]);
  if (numeric.length >= 2) choices.push(['own', say('Two columns of obs…')]);
  const value = own ? 'own' : coords === null || coords === detected ? '' : coords;
  const [x = numeric[0] ?? '', y = numeric[1] ?? ''] = given;
  const pair = (left: string, right: string) => traits.change({ coords: `obs:${left},${right}` });
  const columnsOf = numeric.map((name): [string, string] => [name, name]);
  return (
    <Field label={say('Coordinates')} help={help.coords} problem={problem}>
      {({ id, describedBy }) => (
        <>
          <Select
            id={id}
            describedBy={describedBy}
            value={value}
            choices={choices}
            note={value === '' && detected ? say('detected') : undefined}
            onChange={(next) => {
              byHand.value = next === 'own';
              if (next === 'own') pair(x, y);
              else traits.change({ coords: next || null });
            }}
          />
          {own && (
            <div class="kf-pair">
              <Select
                id={`${id}-x`}
                label="x"
                value={x}
                choices={columnsOf}
                note="x"
                onChange={(next) => pair(next, y)}
              />
              <Select
                id={`${id}-y`}
                label="y"
                value={y}
                choices={columnsOf}
                note="y"
                onChange={(next) => pair(x, next)}
              />
            </div>
          )}
        </>
      )}
    </Field>
  );
}
