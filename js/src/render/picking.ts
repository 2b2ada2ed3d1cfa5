import type { Positions } from '../data/bundle';
import { unproject, type View } from '../lib/camera';
import { buildGrid, type GridIndex, nearestCell } from '../lib/grid-index';
import { diameterAt, pointSizeOf } from '../lib/point-size';
import { cellsInPolygon, cellsInRectangle } from '../lib/polygon';
import { visibleTest } from '../state/color/layer';
import { squareAngle } from '../state/layout/squares';
import type { Model } from '../state/model';
import type { Draft } from '../state/selection/selection';

const REACH = 6;

/** Creates a function for the diameter of a cell in CSS pixels. */
export function pointSizer(positions: Positions): (view: View, factor: number) => number {
  const size = pointSizeOf(positions);
  return (view, factor) => diameterAt(size, view.scale, factor);
}

/** Finds visible cells by position. */
export interface Picker {
  /** The cell under a pixel, or -1. */
  at(px: number, py: number, diameter: number): number;
  /** Builds the index in advance, so that the first query is fast. */
  prepare(): void;
  /** The cells whose center is inside the outline. */
  inside(draft: Draft): Uint32Array;
}

/** Creates a picker. Its grid index is built on first use. */
export function picker(model: Model): Picker {
  let grid: GridIndex | null = null;
  const gridOf = ({ coords, extent }: Positions) => {
    if (grid?.coords !== coords) grid = buildGrid(coords, extent);
    return grid;
  };
  const accepts = () => visibleTest(model.layer.value, model.state.value);
  return {
    at(px, py, diameter) {
      const positions = model.positions.value;
      const view = model.view.value;
      if (!positions || !view) return -1;
      const [x, y] = unproject(view, px, py);
      const turned = squareAngle(model);
      const half = Math.max(REACH, diameter / 2) / view.scale;
      const reach = turned === null ? half : half * Math.SQRT2;
      const cell = nearestCell(gridOf(positions), x, y, reach, accepts() ?? (() => true));
      if (turned === null || cell < 0) return cell;
      const angle = (turned * Math.PI) / 180;
      const dx = x - (positions.coords[2 * cell] ?? Number.NaN);
      const dy = y - (positions.coords[2 * cell + 1] ?? Number.NaN);
      const along = Math.abs(dx * Math.cos(angle) + dy * Math.sin(angle));
      const across = Math.abs(dy * Math.cos(angle) - dx * Math.sin(angle));
      return Math.max(along, across) <= half ? cell : -1;
    },
    prepare() {
      const positions = model.positions.value;
      if (positions) gridOf(positions);
    },
    inside({ kind, points }) {
      const positions = model.positions.value;
      if (!positions) return new Uint32Array(0);
      if (kind === 'lasso') return cellsInPolygon(gridOf(positions), points, accepts());
      const xs = points.filter((_, i) => i % 2 === 0);
      const ys = points.filter((_, i) => i % 2 === 1);
      const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
      return cellsInRectangle(gridOf(positions), box, accepts());
    },
  };
}
