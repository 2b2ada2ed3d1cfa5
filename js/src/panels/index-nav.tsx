import type { JSX } from 'preact';
import { Icon } from './icons';

/** Links to the index from which the bundle was opened, and to its other bundles. */
export interface IndexLinks {
  title: string;
  href: string;
  bundles: readonly { title: string; href: string }[];
  /** `href` of the bundle that is open. */
  current: string;
}

export function IndexNav({ title, href, bundles, current }: IndexLinks): JSX.Element {
  const back = `All datasets: ${title}`;
  return (
    <nav aria-label="Datasets">
      <a class="ks-icon-button" href={href} aria-label={back} title={back}>
        <Icon name="left" />
      </a>
      {bundles.length > 1 && (
        <label class="ks-icon-button ks-switch" title="Open another dataset">
          <Icon name="down" />
          <select
            aria-label="Dataset"
            value={current}
            onChange={({ currentTarget }) => location.assign(currentTarget.value)}
          >
            {bundles.map((bundle) => (
              <option key={bundle.href} value={bundle.href}>
                {bundle.title}
              </option>
            ))}
          </select>
        </label>
      )}
    </nav>
  );
}
