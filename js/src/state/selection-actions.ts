import { batch } from '@preact/signals';
import { MOST_REGION_CELLS, MOST_REGIONS } from '../data/region-files';
import { MaskError } from '../lib/errors';
import { formatCount } from '../lib/format';
import { createHistory } from './history';
import { type Model, notify, type RegionNote } from './model';
import {
  cellsOf,
  combined,
  type Draft,
  freeColour,
  freeName,
  type How,
  maskOf,
  type Region,
  type Selection,
  selectionOf,
  type Tool,
  visibleTest,
} from './selection';

export interface SelectionActions {
  setTool(tool: Tool): void;
  /** What becomes of the selection where no key says it; drawing tools only. */
  setHow(how: How): void;
  /** The line that is being drawn, or null when it is done or given up. */
  draw(draft: Draft | null): void;
  /** `outline` is the line around the cells, which stays to be seen. */
  select(cells: Uint32Array, how: How, outline?: readonly number[]): void;
  /** Flags other than zero select. */
  setSelection(mask: ArrayLike<number> | null): void;
  clearSelection(): void;
  /** The visible cells for which `wanted` holds. */
  selectWhere(wanted: (cell: number) => boolean, how: How): void;
  /** Selects the cells in sight that were not selected. */
  invertSelection(): void;
  /** Goes back to the selection, or the regions, before the last change of them. */
  undo(): void;
  redo(): void;
  /** The other cells step back for these while the reader points at their region; null ends that. */
  glance(cells: Uint32Array | null): void;
  /** Keeps the selection under a name; a region of that name is replaced. */
  addRegion(name?: string): void;
  /** False where the name is empty or belongs to another region. */
  renameRegion(name: string, next: string): boolean;
  removeRegion(name: string): void;
  /** What came of a file, say. */
  noteRegions(note: RegionNote | null): void;
  selectRegion(name: string, how?: How): void;
  /** In place of all that there are; unless it is `undoable`, none of those can be brought back. */
  setRegions(regions: readonly NewRegion[], options?: { undoable?: boolean }): void;
  /** Beside those that there are, in place of those with the same names. */
  putRegions(regions: readonly NewRegion[]): void;
}

export interface NewRegion {
  name: string;
  /** Ascending, unique. */
  cells: Uint32Array;
  color?: string;
}

/** How many cells there are, also before they are loaded. */
export const cellCount = (model: Model): number =>
  (model.positions.value?.coords.length ?? 0) / 2 || (model.bundle.value?.manifest.n_cells ?? 0);

export function createSelectionActions(model: Model): SelectionActions {
  const total = () => cellCount(model);
  const history = createHistory(model, total);

  const put = (next: Selection | null, outline: readonly number[] | null = null) => {
    const before = model.selection.value;
    if (before === null && next === null) return;
    batch(() => {
      history.keep('selection');
      // What would be taken back is this now.
      const note = model.regionNote.value;
      if (note?.undo) model.regionNote.value = { ...note, undo: false };
      model.selection.value = next;
      model.outline.value = next && outline;
    });
  };

  const checked = (mask: ArrayLike<number>, what: string) => {
    const cells = total();
    if (mask?.length !== cells) throw new MaskError(what, mask?.length, cells);
    return selectionOf(mask);
  };

  /** Whether a cell is in sight: not hidden, and with a place where the cells stand now; null where all are. */
  const seen = (): ((cell: number) => boolean) | null => {
    const visible = visibleTest(model.layer.value, model.state.value);
    const coords = model.positions.value?.coords;
    if (model.state.value.layout.kind === 'tissue' || !coords) return visible;
    return (cell) => !Number.isNaN(coords[2 * cell]) && (!visible || visible(cell));
  };

  const change = (regions: readonly Region[]) =>
    batch(() => {
      history.keep('regions');
      model.regions.value = regions;
      model.regionNote.value = null;
    });

  const tooMany = (all: readonly NewRegion[]): Error | null => {
    if (all.length > MOST_REGIONS)
      return new Error(`Got ${all.length} regions; the limit is ${MOST_REGIONS}.`);
    const places = all.reduce((sum, { cells }) => sum + cells.length, 0);
    return places > MOST_REGION_CELLS
      ? new Error(
          `The regions contain ${formatCount(places)} cells in total; the limit is ${formatCount(MOST_REGION_CELLS)}.`,
        )
      : null;
  };

  /** Colours that are missing are given out. */
  const made = (list: readonly NewRegion[], others: readonly Region[] = []): readonly Region[] => {
    const excess = tooMany([...others, ...list]);
    if (excess) throw excess;
    const regions = new Map<string, Region>();
    for (const { name, cells, color } of list) {
      const last = cells.at(-1) ?? 0;
      if (last >= total())
        throw new Error(`The region “${name}” contains cell index ${last}; the bundle has ${total()} cells.`);
      const taken = [
        ...others,
        ...regions.values(),
        ...list.flatMap((other) => (other.color ? [{ color: other.color }] : [])),
      ];
      regions.set(name, { name, color: color || freeColour(taken), cells });
    }
    return [...regions.values()];
  };

  const find = (name: string) => model.regions.value.find((region) => region.name === name);

  return {
    setTool(tool) {
      batch(() => {
        model.tool.value = tool;
        model.draft.value = null;
        if (tool !== 'lasso' && tool !== 'rect') model.how.value = 'replace';
      });
    },
    setHow(how) {
      model.how.value = how;
    },
    draw(draft) {
      model.draft.value = draft;
    },
    select(cells, how, outline) {
      const before = model.selection.value;
      put(
        combined(before, cells, how, total()),
        (before === null || how === 'replace') && outline ? outline : null,
      );
    },
    selectWhere(wanted, asked) {
      const how = asked === 'replace' ? model.how.value : asked;
      const visible = seen();
      const cells = new Uint32Array(total());
      let count = 0;
      for (let cell = 0; cell < cells.length; cell++)
        if (wanted(cell) && (!visible || visible(cell))) cells[count++] = cell;
      put(combined(model.selection.value, cells.subarray(0, count), how, total()));
    },
    // An embedding page may pass anything.
    setSelection: (mask) => put(mask === null || mask === undefined ? null : checked(mask, 'the selection')),
    clearSelection: () => put(null),
    invertSelection() {
      const visible = seen();
      const before = model.selection.value?.mask;
      const next = new Uint8Array(total());
      for (let cell = 0; cell < next.length; cell++) {
        if (!before?.[cell] && (!visible || visible(cell))) next[cell] = 1;
      }
      put(selectionOf(next));
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
      const held = find(wanted);
      const region: Region = {
        name: wanted,
        color: held?.color ?? freeColour(regions),
        cells: cellsOf(selection.mask),
      };
      const next = held ? regions.map((other) => (other === held ? region : other)) : [...regions, region];
      const excess = tooMany(next);
      if (excess) notify(model, excess);
      else change(next);
    },
    renameRegion(name, next) {
      const wanted = next.trim();
      if (wanted === name) return true;
      if (!wanted || find(wanted)) return false;
      change(
        model.regions.value.map((region) => (region.name === name ? { ...region, name: wanted } : region)),
      );
      return true;
    },
    removeRegion(name) {
      if (!find(name)) return;
      batch(() => {
        change(model.regions.value.filter((region) => region.name !== name));
        model.regionNote.value = { text: `“${name}” is removed.`, undo: true };
      });
    },
    noteRegions(note) {
      model.regionNote.value = note;
    },
    selectRegion(name, asked = 'replace') {
      const how = asked === 'replace' ? model.how.value : asked;
      const region = find(name);
      if (!region) return;
      put(combined(model.selection.value, region.cells, how, total()));
    },
    setRegions(list, { undoable = false } = {}) {
      const next = made(list);
      if (undoable) return change(next);
      batch(() => {
        history.forgetRegions();
        model.regions.value = next;
        model.regionNote.value = null;
      });
    },
    putRegions(list) {
      const others = model.regions.value.filter((one) => !list.some((other) => other.name === one.name));
      const coloured = list.map((one) => ({ ...one, color: one.color || (find(one.name)?.color ?? '') }));
      change([...others, ...made(coloured, others)]);
    },
  };
}
