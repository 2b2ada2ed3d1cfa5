import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { IndexedBundle } from '../contract/bundle-index';
import { nounOf } from '../lib/counts';
import { counted } from '../lib/format';
import { urlOf } from '../source/bundle-index';
import { Icon } from './icon';

export function Card(props: {
  folder: string;
  bundle: IndexedBundle;
  chosen: boolean;
  /** Undefined if there is nothing to compare it with. */
  onChoose: (() => void) | undefined;
}): JSX.Element {
  const { folder, bundle, chosen, onChoose } = props;
  return (
    <li class={`kb-card${chosen ? ' kb-chosen' : ''}`}>
      <a href={pageOf(folder, bundle)} title={bundle.title}>
        <Preview folder={folder} bundle={bundle} />
        <span class="kb-name">{bundle.title}</span>
        <span class="kb-detail">{contentsOf(bundle)}</span>
      </a>
      <div class="kb-foot kb-detail">
        <span>{bundle.path}</span>
        {onChoose && (
          <label>
            <input
              type="checkbox"
              checked={chosen}
              aria-label={`Compare ${bundle.title}`}
              onChange={() => onChoose()}
            />
            Compare
          </label>
        )}
      </div>
    </li>
  );
}

/** Returns the URL of the viewer of a bundle; its query tells the viewer where the index is. */
export function pageOf(folder: string, { path }: IndexedBundle): string {
  return `${urlOf(folder, path, 'index.html')}?index=${path.split('/').length}`;
}

function contentsOf({
  n_cells: cells,
  n_genes: genes,
  n_sections: sections,
  observations,
}: IndexedBundle): string {
  const parts = [counted(cells, nounOf(observations)), counted(genes, 'gene')];
  if (sections > 0) parts.push(counted(sections, 'section'));
  return parts.join(' · ');
}

function Preview({ folder, bundle }: { folder: string; bundle: IndexedBundle }): JSX.Element {
  const [failed, setFailed] = useState(false);
  return (
    <span class="kb-preview">
      {bundle.preview === null || failed ? (
        <Icon name="tissue" size={48} />
      ) : (
        <img
          src={urlOf(folder, bundle.path, bundle.preview)}
          alt=""
          loading="lazy"
          onError={() => setFailed(true)}
        />
      )}
    </span>
  );
}
