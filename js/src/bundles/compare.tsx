import type { JSX } from 'preact';
import type { IndexedBundle } from '../contract/bundle-index';
import { urlOf } from '../source/bundle-index';
import { Icon } from './icon';

/** Shows two bundles side by side, each in its own viewer. */
export function Compare(props: {
  folder: string;
  pair: readonly [IndexedBundle, IndexedBundle];
  onClose: () => void;
}): JSX.Element {
  const { folder, pair, onClose } = props;
  return (
    <main class="kb-compare">
      <header>
        <button type="button" class="kb-button" onClick={onClose}>
          <Icon name="left" />
          All datasets
        </button>
      </header>
      {pair.map((bundle) => (
        <iframe
          key={bundle.path}
          src={urlOf(folder, bundle.path, 'index.html')}
          title={bundle.title}
          allow="fullscreen; clipboard-write"
        />
      ))}
    </main>
  );
}
