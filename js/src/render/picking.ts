import type { Positions } from '../data/bundle';
import { unproject, type View } from '../lib/camera';
import { buildGrid, type GridIndex, nearestCell, typicalSpacing } from '../lib/grid-index';
import { hiddenFlags } from '../state/layer';
import type { Model } from '../state/model';
import { hiddenOf } from '../state/view-state';

const REACH = 6;
const SMALLEST = 1.4;
const LARGEST = 48;
/** A point of this share of the distance between neighbours leaves a seam that tells them apart. */
const FILL = 0.9;

/** Diameter of a cell in CSS pixels: the physical one where the source states it. */
export function pointSizer(positions: Positions): (view: View, factor: number) => number {
  const spacing = typicalSpacing(positions.coords, positions.extent);
  const physical = positions.spotDiameter;
  return (view, factor) => {
    if (physical && physical > 0) return Math.max(SMALLEST, physical * view.scale * factor);
    const natural = spacing > 0 ? spacing * FILL * view.scale : 12;
    return Math.min(LARGEST, Math.max(SMALLEST, natural)) * factor;
  };
}

/** Finds the visible cell under a pixel. The grid is built at the first question. */
export function picker(model: Model): (px: number, py: number, diameter: number) => number {
  let grid: GridIndex | null = null;
  return (px, py, diameter) => {
    const positions = model.positions.value;
    const view = model.view.value;
    if (!positions || !view) return -1;
    if (!grid || grid.coords !== positions.coords) grid = buildGrid(positions.coords, positions.extent);
    const layer = model.layer.value;
    const [x, y] = unproject(view, px, py);
    const radius = Math.max(REACH, diameter / 2) / view.scale;
    if (layer.kind !== 'category') return nearestCell(grid, x, y, radius, () => true);
    const flags = hiddenFlags(layer.column, hiddenOf(model.state.value, layer.column.name));
    const { codes } = layer.column;
    return nearestCell(grid, x, y, radius, (cell) => flags[codes[cell] ?? 0] !== 1);
  };
}
