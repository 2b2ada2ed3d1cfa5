import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { meanByCode } from '../../data/summary';
import type { Meaning } from '../../data/value-meaning';
import { formatCategory, formatMean } from '../../lib/format';
import type { Numbers } from '../../lib/numbers';
import { valuesIn } from '../../state/color/scope';
import { Chip, More } from '../buttons';
import { usePanels } from '../context';
import { SignedBar, spanOf } from './signed-bar';
import { Violins } from './violins';

const MAX_GROUPS = 40;

/** Selects the annotation by whose categories the values are split. */
export function GroupSelect(): JSX.Element | null {
  const { model, actions } = usePanels();
  const names = model.columns.value.filter(({ kind }) => kind === 'category').map(({ name }) => name);
  const group = model.group.value?.name;
  if (!group) return null;
  return (
    <select
      class="ks-order ks-group-select"
      aria-label="Split by"
      title={`Split by the categories of ${group}`}
      value={group}
      onChange={(event) => actions.setGroup(event.currentTarget.value)}
    >
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Switches each category between one number and the distribution of its values. `of` names the values. */
export function HowByCategory({ first, of }: { first: string; of?: string }): JSX.Element {
  const { model, actions } = usePanels();
  const spread = model.spread.value;
  return (
    <div class="ks-chips">
      <Chip pressed={!spread} onClick={() => actions.setSpread(false)}>
        {first}
      </Chip>
      <Chip
        pressed={spread}
        title="Violin plots: the distribution of values in each category"
        onClick={() => actions.setSpread(true)}
      >
        Violins
      </Chip>
      {of && <span class="ks-muted ks-of">of {of}</span>}
    </div>
  );
}

function Means({ values }: { values: Numbers }): JSX.Element | null {
  const { model } = usePanels();
  const whole = useSignal(false);
  const group = model.group.value;
  const categoriesOf = model.categoriesOf.value;
  const rows = useMemo(() => {
    if (!group) return [];
    const means = meanByCode(values, group.codes, group.categories.length);
    return categoriesOf(group)
      .map(({ name, color }, code) => ({ name, color, mean: means[code] ?? Number.NaN }))
      .filter(({ mean }) => Number.isFinite(mean))
      .sort((a, b) => b.mean - a.mean);
  }, [group, categoriesOf, values]);
  const scale = model.scale.value;
  const span = spanOf(rows.map(({ mean }) => mean));
  return (
    <>
      <ul class="ks-means">
        {(whole.value ? rows : rows.slice(0, MAX_GROUPS)).map(({ name, color, mean }) => (
          <li key={name}>
            <span class="ks-dot" style={{ background: color }} />
            <span class="ks-class-name" title={name}>
              {formatCategory(name)}
            </span>
            <span class="ks-bar">
              <SignedBar value={mean} span={span} color={scale.css(mean)} />
            </span>
            <span class="ks-number ks-muted">{formatMean(mean)}</span>
          </li>
        ))}
      </ul>
      <More whole={whole} more={rows.length - MAX_GROUPS} />
    </>
  );
}

/** Names the section whose cells are counted; renders nothing if all cells are counted. */
export function ScopeName(): JSX.Element | null {
  const { model } = usePanels();
  const name = model.scope.value?.name;
  return name === undefined ? null : (
    <span class="ks-heading ks-clip" title={`Only cells in ${name}`}>
      {name}
    </span>
  );
}

/** The values in each category of an annotation. */
export function ByCategory(props: { values: Numbers; meaning: Meaning }): JSX.Element | null {
  const { values: all, meaning } = props;
  const { model } = usePanels();
  const group = model.group.value;
  const scope = model.scope.value;
  const values = useMemo(() => valuesIn(all, scope), [all, scope]);
  if (!group || group.codes.length !== values.length) return null;
  return (
    <>
      <div class="ks-heading-line ks-gap">
        <h2 class="ks-heading">By category</h2>
        <GroupSelect />
      </div>
      <HowByCategory first="Mean" of={meaning.noun} />
      {model.spread.value ? (
        <Violins values={values} group={group} selection={null} />
      ) : (
        <Means values={values} />
      )}
    </>
  );
}
