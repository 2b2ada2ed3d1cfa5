import type { IndexedBundle } from '../contract/bundle-index';

export type Order = 'title' | 'cells' | 'newest';

/** Returns a text in lower case without accents. */
const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Returns the bundles whose title, folder and annotations contain all words of a search, sorted. */
export function found(bundles: readonly IndexedBundle[], search: string, order: Order): IndexedBundle[] {
  const words = plain(search).split(/\s+/).filter(Boolean);
  const matching = bundles.filter(({ title, path, columns }) => {
    const text = plain([title, path, ...columns].join('\n'));
    return words.every((word) => text.includes(word));
  });
  if (order === 'cells') return matching.sort((a, b) => b.n_cells - a.n_cells);
  if (order === 'newest') return matching.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  return matching;
}

/** What the page shows; kept in its address. */
export interface Place {
  search: string;
  order: Order;
  /** Folders of the two bundles that are compared. */
  compared: readonly string[];
}

export function placeOf(hash: string): Place {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const order = given.get('order');
  return {
    search: given.get('search') ?? '',
    order: order === 'cells' || order === 'newest' ? order : 'title',
    compared: given.getAll('compare').slice(0, 2),
  };
}

export function hashOf({ search, order, compared }: Place): string {
  const given = new URLSearchParams();
  if (search) given.set('search', search);
  if (order !== 'title') given.set('order', order);
  for (const path of compared) given.append('compare', path);
  const text = given.toString();
  return text && `#${text}`;
}
