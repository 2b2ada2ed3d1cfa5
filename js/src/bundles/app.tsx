import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { BundleIndex, IndexedBundle } from '../contract/bundle-index';
import { type Noun, nounOf } from '../lib/counts';
import { ViewerError } from '../lib/errors';
import { counted, formatCount } from '../lib/format';
import { readIndex } from '../source/bundle-index';
import { Card } from './card';
import { Compare } from './compare';
import { Icon } from './icon';
import { found, hashOf, type Order, type Place, placeOf } from './search';

const ORDERS: Record<Order, string> = { title: 'Title', cells: 'Most cells', newest: 'Newest' };

/** The index page, which lists the bundles in a folder. */
export function App({ folder }: { folder: string }): JSX.Element {
  const [index, setIndex] = useState<BundleIndex | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    readIndex(folder).then((read) => {
      document.title = read.title;
      setIndex(read);
    }, setProblem);
  }, [folder]);
  if (problem !== null) return <Problem problem={problem} />;
  return index ? <Listing folder={folder} index={index} /> : <main aria-busy="true" />;
}

function Listing({ folder, index }: { folder: string; index: BundleIndex }): JSX.Element {
  const [place, go] = usePlace();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const pair = place.compared.map((path) => index.bundles.find((bundle) => bundle.path === path));
  const [first, second] = pair;
  if (first && second) {
    return <Compare folder={folder} pair={[first, second]} onClose={() => go({ ...place, compared: [] })} />;
  }
  const shown = found(index.bundles, place.search, place.order);
  const toggle = (path: string) =>
    setChosen(chosen.includes(path) ? chosen.filter((other) => other !== path) : [...chosen, path].slice(-2));
  return (
    <main>
      <header>
        <div class="kb-title">
          <h1>{index.title}</h1>
          <p>
            {shown.length < index.bundles.length && `${formatCount(shown.length)} of `}
            {[counted(index.bundles.length, 'dataset'), ...totals(shown)].join(' · ')}
          </p>
        </div>
        <div class="kb-controls">
          <label class="kb-search">
            <Icon name="search" />
            <input
              type="search"
              aria-label="Search datasets"
              placeholder="Title, folder or annotation"
              value={place.search}
              onInput={({ currentTarget }) =>
                go({ ...place, search: currentTarget.value }, { replace: true })
              }
            />
          </label>
          <select
            aria-label="Order"
            value={place.order}
            onChange={({ currentTarget }) =>
              go({ ...place, order: currentTarget.value as Order }, { replace: true })
            }
          >
            {Object.entries(ORDERS).map(([order, label]) => (
              <option key={order} value={order}>
                {label}
              </option>
            ))}
          </select>
        </div>
      </header>
      {shown.length > 0 ? (
        <ul class="kb-grid" aria-label="Datasets">
          {shown.map((bundle) => (
            <Card
              key={bundle.path}
              folder={folder}
              bundle={bundle}
              chosen={chosen.includes(bundle.path)}
              onChoose={index.bundles.length > 1 ? () => toggle(bundle.path) : undefined}
            />
          ))}
        </ul>
      ) : (
        <div class="kb-message" role="status">
          {index.bundles.length > 0 ? (
            <>
              <p>No datasets match “{place.search}”.</p>
              <button type="button" class="kb-button" onClick={() => go({ ...place, search: '' })}>
                Clear search
              </button>
            </>
          ) : (
            <p>No datasets yet.</p>
          )}
        </div>
      )}
      {chosen.length > 0 && (
        <section class="kb-bar" aria-label="Comparison">
          <span role="status">{chosen.length < 2 ? 'Choose a second dataset' : '2 datasets chosen'}</span>
          <button type="button" class="kb-button" onClick={() => setChosen([])}>
            Clear
          </button>
          <button
            type="button"
            class="kb-button kb-primary"
            disabled={chosen.length < 2}
            onClick={() => go({ ...place, compared: chosen })}
          >
            Compare
          </button>
        </section>
      )}
    </main>
  );
}

/** Returns the total numbers of cells, spots and bins. */
function totals(bundles: readonly IndexedBundle[]): string[] {
  const sums = new Map<Noun, number>();
  for (const { observations, n_cells: cells } of bundles) {
    const noun = nounOf(observations);
    sums.set(noun, (sums.get(noun) ?? 0) + cells);
  }
  return [...sums].map(([noun, sum]) => counted(sum, noun));
}

/** Returns the place in the page's address, and a function that changes it. */
function usePlace(): [Place, (next: Place, options?: { replace?: boolean }) => void] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener('popstate', follow);
    addEventListener('hashchange', follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener('hashchange', follow);
    };
  }, []);
  const go = (next: Place, { replace = false } = {}) => {
    setPlace(next);
    const url = hashOf(next) || location.pathname;
    if (replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
  };
  return [place, go];
}

function Problem({ problem }: { problem: unknown }): JSX.Element {
  const text = problem instanceof Error ? problem.message : String(problem);
  return (
    <main>
      <div class="kb-message" role="alert">
        <h1>The list of datasets cannot be read</h1>
        <p>{text}</p>
        {problem instanceof ViewerError && <p>Upload bundles.js again, next to this page.</p>}
      </div>
    </main>
  );
}
