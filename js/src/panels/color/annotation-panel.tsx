import type { JSX } from 'preact';
import { counted } from '../../lib/format';
import { usePanels, useView } from '../context';
import { Problem } from '../problem';
import { CategoryLegend } from './category-legend';
import { ColumnSelect } from './column-select';
import { EarlierLegend } from './earlier-legend';

function Select(): JSX.Element {
  const { model, actions } = usePanels();
  const color = useView('color');
  const columns = model.columns.value.filter((column) => column.kind === 'category');
  if (columns.length === 0) {
    return <p class="ks-note">This bundle has no categorical annotations.</p>;
  }
  const value = color.kind === 'annotation' ? color.column : '';
  const shown = columns.find(({ name }) => name === value);
  const layer = model.layer.value;
  // Categories of a group count as one, like in the legend.
  const grouped = layer.kind === 'category' && layer.column.name === value ? layer.column : null;
  const categories = grouped ?? (shown?.kind === 'category' ? shown : null);
  return (
    <ColumnSelect
      label="Annotation"
      names={columns.map(({ name }) => name)}
      value={value}
      note={categories ? counted(categories.categories.length, 'category', 'categories') : ''}
      onChange={(column) => actions.setColor({ kind: 'annotation', column })}
    />
  );
}

function Legend(): JSX.Element | null {
  const { model } = usePanels();
  const layer = model.layer.value;
  if (model.problem.value)
    return (
      <>
        <Problem />
        <EarlierLegend />
      </>
    );
  // The key resets the search text when the annotation changes.
  if (layer.kind === 'category') return <CategoryLegend key={layer.column.name} column={layer.column} />;
  return <EarlierLegend />;
}

export const AnnotationPanel = { Select, Legend };
