import type { JSX } from 'preact';
import { formatCount } from '../lib/format';
import { usePanels } from './context';

export function counted(count: number, one: string): string {
  return `${formatCount(count)} ${one}${count === 1 ? '' : 's'}`;
}

export function TitleCard(): JSX.Element | null {
  const { model } = usePanels();
  const bundle = model.bundle.value;
  if (!bundle) return <div />;
  const { dataset_name: name, n_cells: cells } = bundle.manifest;
  const genes = bundle.genes.count;
  return (
    <div class="ks-card ks-title">
      <h1 title={name}>{name}</h1>
      <span>
        {counted(cells, 'cell')} · {counted(genes, 'gene')}
      </span>
    </div>
  );
}
