import { batch } from '@preact/signals';
import { MAX_REGION_CELLS, MAX_REGIONS } from '../../data/region-files';
import { MaskError } from '../../lib/errors';
import { counted, formatCount } from '../../lib/format';
import { visibleTest } from '../color/layer';
import type { Model } from '../model';
import { notify } from '../status';
import { onTissue } from './border';
import type { History } from './history';
import {
  cellsOf,
  combined,
  type Draft,
  freeColor,
  freeName,
  maskOf,
  type Region,
  type Selection,
  type SelectionMode,
  selectionOf,
  type Tool,
} from './selection';
import type { RegionNote } from './selection-model';

export interface SelectionActions {
  setTool(tool: Tool): void;
  /** Sets the selection mode used without modifier keys; drawing tools only. */
  setMode(mode: SelectionMode): void;
  /** Sets the outline that is being drawn; null when it is finished or canceled. */
  draw(draft: Draft | null): void;
  /** Selects cells; `outline` is the drawn outline, which stays visible. */
  select(cells: Uint32Array, mode: SelectionMode, outline?: readonly number[]): void;
  /** Selects the cells with nonzero flags; null clears the selection. */
  setSelection(mask: ArrayLike<number> | null): void;
  clearSelection(): void;
  /** Selects the visible cells for which `wanted` returns true. */
  selectWhere(wanted: (cell: number) => boolean, mode: SelectionMode): void;
  /** Selects the visible cells that were not selected. */
  invertSelection(): void;
  /** Undoes the last change of the selection, the regions or the groups of categories. */
  undo(): void;
  redo(): void;
  /** Highlights these cells by dimming all others while the pointer is over their region; null restores them. */
  glance(cells: Uint32Array | null): void;
  /** Adds the selection as a region; replaces a region of the same name. */
  addRegion(name?: string): void;
  /** Renames a region. Returns false if the name is empty or already used. */
  renameRegion(name: string, next: string): boolean;
  removeRegion(name: string): void;
  /** Shows a note in the list of regions, such as the outcome of reading a file. */
  noteRegions(note: RegionNote | null): void;
  selectRegion(name: string, mode?: SelectionMode): void;
  /** Replaces all regions; unless `undoable`, the previous ones cannot be restored by undo. */
  setRegions(regions: readonly NewRegion[], options?: { undoable?: boolean }): void;
  /** Adds regions; replaces those with the same names. */
  putRegions(regions: readonly NewRegion[]): void;
}

export interface NewRegion {
  name: string;
  /** Ascending and unique. */
  cells: Uint32Array;
  color?: string;
  outline?: readonly number[] | undefined;
}

/** Returns the number of cells, even before they are loaded. */
export const cellCount = (model: Model): number =>
  (model.positions.value?.coords.length ?? 0) / 2 || (model.bundle.value?.manifest.n_cells ?? 0);

export function createSelectionActions(model: Model, history: History): SelectionActions {
  const total = () => cellCount(model);

  const replaceSelection = (
    next: Selection | null,
    outline: readonly number[] | null = null,
    border: readonly number[] | null = null,
  ) => {
    const before = model.selection.value;
    if (before === null && next === null) return;
    batch(() => {
      history.keep('selection');
      // Undo would now revert this selection instead of restoring the removed region.
      const note = model.regionNote.value;
      if (note?.undo) model.regionNote.value = { ...note, undo: false };
      model.selection.value = next;
      model.outline.value = next && outline;
      model.border.value = next && border;
    });
  };

  const checked = (mask: ArrayLike<number>, what: string) => {
    const cells = total();
    if (mask?.length !== cells) throw new MaskError(what, mask?.length, cells);
    return selectionOf(mask);
  };

  /** Returns a test for visible cells (not hidden, with coordinates in the current layout); null if all are visible. */
  const visibleInLayout = (): ((cell: number) => boolean) | null => {
    const visible = visibleTest(model.layer.value, model.state.value);
    const coords = model.positions.value?.coords;
    if (model.state.value.layout.kind === 'tissue' || !coords) return visible;
    return (cell) => !Number.isNaN(coords[2 * cell]) && (!visible || visible(cell));
  };

  const replaceRegions = (regions: readonly Region[]) =>
    batch(() => {
      history.keep('regions');
      model.regions.value = regions;
      model.regionNote.value = null;
    });

  const tooMany = (all: readonly NewRegion[]): Error | null => {
    if (all.length > MAX_REGIONS)
      return new Error(`Got ${formatCount(all.length)} regions; the limit is ${formatCount(MAX_REGIONS)}.`);
    const cellTotal = all.reduce((sum, { cells }) => sum + cells.length, 0);
    return cellTotal > MAX_REGION_CELLS
      ? new Error(
          `The regions contain ${counted(cellTotal, model.noun.value)} in total; the limit is ${formatCount(MAX_REGION_CELLS)}.`,
        )
      : null;
  };

  /** Validates regions and assigns colors to those without one. */
  const validated = (list: readonly NewRegion[], others: readonly Region[] = []): readonly Region[] => {
    const excess = tooMany([...others, ...list]);
    if (excess) throw excess;
    const regions = new Map<string, Region>();
    for (const { name, cells, color, outline } of list) {
      const last = cells.at(-1) ?? 0;
      if (last >= total())
        throw new Error(
          `The region “${name}” contains the cell index ${formatCount(last)}, but the bundle has only ${counted(total(), model.noun.value)}.`,
        );
      const taken = [
        ...others,
        ...regions.values(),
        ...list.flatMap((other) => (other.color ? [{ color: other.color }] : [])),
      ];
      regions.set(name, { name, color: color || freeColor(taken), cells, outline });
    }
    return [...regions.values()];
  };

  /** Modifier keys take precedence over the mode chosen for the drawing tools. */
  const chosenMode = (mode: SelectionMode) => (mode === 'replace' ? model.mode.value : mode);

  const find = (name: string) => model.regions.value.find((region) => region.name === name);

  return {
    setTool(tool) {
      batch(() => {
        model.tool.value = tool;
        model.draft.value = null;
        if (tool !== 'lasso' && tool !== 'rect') model.mode.value = 'replace';
      });
    },
    setMode(mode) {
      model.mode.value = mode;
    },
    draw(draft) {
      model.draft.value = draft;
    },
    select(cells, mode, outline) {
      const before = model.selection.value;
      const drawn = (before === null || mode === 'replace') && outline ? outline : null;
      replaceSelection(combined(before, cells, mode, total()), drawn, drawn && onTissue(model, drawn, cells));
    },
    selectWhere(wanted, mode) {
      const visible = visibleInLayout();
      const cells = new Uint32Array(total());
      let count = 0;
      for (let cell = 0; cell < cells.length; cell++)
        if (wanted(cell) && (!visible || visible(cell))) cells[count++] = cell;
      replaceSelection(combined(model.selection.value, cells.subarray(0, count), chosenMode(mode), total()));
    },
    // Untyped callers may pass undefined.
    setSelection: (mask) =>
      replaceSelection(mask === null || mask === undefined ? null : checked(mask, 'the selection')),
    clearSelection: () => replaceSelection(null),
    invertSelection() {
      const visible = visibleInLayout();
      const before = model.selection.value?.mask;
      const next = new Uint8Array(total());
      for (let cell = 0; cell < next.length; cell++) {
        if (!before?.[cell] && (!visible || visible(cell))) next[cell] = 1;
      }
      replaceSelection(selectionOf(next));
    },
    undo: history.undo,
    redo: history.redo,
    glance(cells) {
      model.glance.value = cells && maskOf(cells, total());
    },
    addRegion(name) {
      const selection = model.selection.value;
      if (!selection) return;
      const regions = model.regions.value;
      const wanted = name?.trim() || freeName(regions);
      const existing = find(wanted);
      const region: Region = {
        name: wanted,
        color: existing?.color ?? freeColor(regions),
        cells: cellsOf(selection.mask),
        outline: model.border.value ?? undefined,
      };
      const next = existing
        ? regions.map((other) => (other === existing ? region : other))
        : [...regions, region];
      const excess = tooMany(next);
      if (excess) notify(model, excess);
      else replaceRegions(next);
    },
    renameRegion(name, next) {
      const wanted = next.trim();
      if (wanted === name) return true;
      if (!wanted || find(wanted)) return false;
      replaceRegions(
        model.regions.value.map((region) => (region.name === name ? { ...region, name: wanted } : region)),
      );
      return true;
    },
    removeRegion(name) {
      if (!find(name)) return;
      batch(() => {
        replaceRegions(model.regions.value.filter((region) => region.name !== name));
        model.regionNote.value = { text: `Removed “${name}”.`, undo: true };
      });
    },
    noteRegions(note) {
      model.regionNote.value = note;
    },
    selectRegion(name, mode = 'replace') {
      const region = find(name);
      if (!region) return;
      const how = chosenMode(mode);
      const next = combined(model.selection.value, region.cells, how, total());
      replaceSelection(next, null, how === 'replace' ? region.outline : null);
    },
    setRegions(list, { undoable = false } = {}) {
      const next = validated(list);
      if (undoable) return replaceRegions(next);
      batch(() => {
        history.forgetRegions();
        model.regions.value = next;
        model.regionNote.value = null;
      });
    },
    putRegions(list) {
      const others = model.regions.value.filter(({ name }) => !list.some((added) => added.name === name));
      const colored = list.map((region) => ({
        ...region,
        color: region.color || (find(region.name)?.color ?? ''),
      }));
      replaceRegions([...others, ...validated(colored, others)]);
    },
  };
}
