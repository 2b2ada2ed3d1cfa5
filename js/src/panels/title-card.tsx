import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { bundleText, placedText } from '../lib/counts';
import { counted } from '../lib/format';
import { embeddingLabel, placedCount } from '../state/layout/layout';
import { usePanels, useView } from './context';

export function TitleCard(): JSX.Element | null {
  const { model } = usePanels();
  const bundle = model.bundle.value;
  if (!bundle) return <div />;
  const { dataset_name: name, n_cells: cells, n_cells_source: source } = bundle.manifest;
  const genes = bundle.genes.count;
  const contents = `${bundleText(cells, source)} · ${counted(genes, 'gene')}`;
  return (
    <div class="ks-card ks-title">
      <h1 title={name}>{name}</h1>
      <span title={contents}>{contents}</span>
    </div>
  );
}

/** The number of cells with coordinates in the layout, shown only when some have none. */
export function PlacedCount(): JSX.Element | null {
  const { model } = usePanels();
  const layout = useView('layout');
  const positions = model.positions.value;
  const manifest = model.bundle.value?.manifest;
  const placed = useMemo(() => positions && placedCount(positions.coords), [positions]);
  if (placed === null || !manifest || (layout.kind !== 'embedding' && layout.kind !== 'tissue')) return null;
  const place = embeddingLabel(layout, manifest) ?? 'the tissue';
  const text = placedText({ total: manifest.n_cells, placed, place });
  return text ? <div class="ks-card ks-placed">{text}</div> : null;
}
