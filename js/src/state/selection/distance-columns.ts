import type { ColumnInfo } from '../../data/column-values';
import type { Region } from './selection';

/** Names the annotation that holds the distances to the border of a region, as in Python. */
export const distanceColumn = (region: string): string => `Distance to ${region} border`;
export const isDistance = (column: string): boolean => /^Distance to .* border$/s.test(column);

/** Returns the region whose distances a column holds. */
export const regionOf = (regions: readonly Region[], column: string): Region | undefined =>
  regions.find(({ name, outline }) => outline && distanceColumn(name) === column);

/** Returns the columns of distances; a column of the bundle with the same name takes precedence. */
export function distanceColumns(
  regions: readonly Region[],
  stored: readonly ColumnInfo[],
): readonly ColumnInfo[] {
  const names = regions.flatMap(({ name, outline }) => (outline ? [distanceColumn(name)] : []));
  return names
    .filter((name) => !stored.some((column) => column.name === name))
    .map((name) => ({ kind: 'number', name }));
}
