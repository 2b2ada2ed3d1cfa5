import type { Summary } from '../../data/summary';
import {
  COLUMN_MEANING,
  geneMeaning,
  hasNegatives,
  type Meaning,
  scoreMeaning,
} from '../../data/value-meaning';
import type { Model } from '../model';
import type { Color } from '../view-state';

/** Returns the meaning of expression values in the bundle; `summary` is that of a loaded gene. */
export function geneMeaningOf(model: Pick<Model, 'bundle'>, summary?: Pick<Summary, 'min'>): Meaning {
  const expression = model.bundle.value?.manifest.expression;
  if (!expression) return geneMeaning(null, false);
  return geneMeaning(expression.values, hasNegatives(expression) || (summary?.min ?? 0) < 0);
}

/** Returns the meaning of the values that color the tissue. */
export function meaningOf(
  model: Pick<Model, 'bundle'>,
  { color, summary }: { color: Color; summary: Pick<Summary, 'min'> },
): Meaning {
  if (color.kind === 'annotation') return COLUMN_MEANING;
  const gene = geneMeaningOf(model, summary);
  return color.kind === 'score' ? scoreMeaning(gene) : gene;
}
