import { batch } from '@preact/signals';
import type { Bundle } from '../data/bundle';
import { isAbort } from '../lib/errors';
import { counted } from '../lib/format';
import type { ColorLoader } from './color/color-loader';
import { scoreOf } from './color/gene-sets';
import { misfitOf } from './color/groups';
import { fitAll } from './layout/camera';
import type { LayoutLoader } from './layout/layout-loader';
import type { MatrixLoader } from './load-context';
import type { Model } from './model';
import { unknownNameIn } from './save/first-view';
import { update } from './state-model';
import { notify } from './status';
import {
  type Color,
  type Layout,
  merged,
  sameColor,
  sameLayout,
  soundColor,
  type ViewState,
} from './view-state';

/** Fields whose values must be loaded before they are shown; a later choice replaces one that is still loading. */
const LOADED_FIELDS = ['matrix', 'layout', 'beside', 'groupBy'] as const;
type LoadedField = (typeof LOADED_FIELDS)[number];

/** Fields that are only valid together: limits belong to values, a camera belongs to a layout. */
const COMPANIONS: Partial<Record<keyof ViewState, keyof ViewState>> = {
  color: 'range',
  matrix: 'range',
  layout: 'camera',
  beside: 'besideCamera',
};

/**
 * Applies changes of the state. With `orRest`, leaves out fields that the bundle does not have, along with their
 * companions, applies the rest, and rejects at the end.
 */
export type Apply = (change: Partial<ViewState>, options?: { orRest?: boolean }) => Promise<void>;

export function createApply(
  model: Model,
  loader: ColorLoader & Pick<LayoutLoader, 'prepare'> & MatrixLoader,
): Apply {
  const loading = new Map<LoadedField, AbortController>();
  const claim = (field: LoadedField): AbortSignal => {
    loading.get(field)?.abort(superseded());
    const mine = new AbortController();
    loading.set(field, mine);
    return mine.signal;
  };

  return async (change, { orRest = false } = {}) => {
    const part = { ...change };
    const failures: unknown[] = [];
    const leaveOut = (field: keyof ViewState, thrown: unknown) => {
      if (!orRest && !isAbort(thrown)) throw thrown;
      failures.push(thrown);
      delete part[field];
      const companion = COMPANIONS[field];
      if (companion) delete part[companion];
      // A gene was chosen from the genes of that matrix.
      if (field === 'matrix' && isAbort(thrown) && part.color && part.color.kind !== 'annotation')
        leaveOut('color', thrown);
    };
    const bundle = model.bundle.value;
    if (bundle && part.matrix === bundle.matrices[0]) part.matrix = null;
    const switches = bundle !== null && merged(model.state.value, part).matrix !== model.state.value.matrix;
    /** Leaves out a color that is not in the matrix to be shown. */
    const checkColor = (shown: Bundle | null) => {
      // `merged` ignores an invalid color below, like every invalid field.
      const missing =
        part.color &&
        shown &&
        soundColor(part.color) &&
        unknownNameIn(shown, model.columns.value, part.color);
      if (missing) leaveOut('color', missing);
    };
    if (!switches) checkColor(bundle);
    let other: Bundle | null = null;
    const before = model.state.value;
    const wanted = merged(before, part);
    const misfit = wanted.groups !== before.groups && bundle && misfitOf(wanted.groups, model.columns.value);
    if (misfit) {
      if (!orRest) throw misfit;
      // Notify: the groups that fit are shown, and the program that set them may not report errors.
      notify(model, misfit);
      failures.push(misfit);
    }
    // Claim all fields before awaiting anything, so that a choice made while the first loads overrides all of them.
    const claims = LOADED_FIELDS.filter((field) => part[field] !== undefined).map(
      (field) => [field, claim(field)] as const,
    );
    for (const [field, signal] of claims) {
      if (field === 'matrix') {
        if (!switches) continue;
        try {
          other = await loader.matrix(wanted.matrix, signal);
        } catch (thrown) {
          leaveOut(field, thrown);
        }
        continue;
      }
      const unchanged = field !== 'groupBy' && sameLayout(wanted[field], before[field]);
      if (unchanged || wanted[field] === null) continue;
      try {
        if (field === 'groupBy') await loader.group(wanted.groupBy ?? '', signal);
        else await loader.prepare(wanted[field], signal);
      } catch (thrown) {
        leaveOut(field, thrown);
      }
    }
    for (const [field, signal] of claims)
      if (signal.aborted && part[field] !== undefined) leaveOut(field, signal.reason);
    const now = model.state.value;
    // Other fields changed meanwhile take precedence, too; the camera follows the layout.
    for (const field of Object.keys(part) as (keyof ViewState)[]) {
      if (
        now[field] === before[field] ||
        field === 'camera' ||
        LOADED_FIELDS.some((loaded) => loaded === field)
      )
        continue;
      if (field === 'color') leaveOut(field, superseded());
      else delete part[field];
    }
    const next = switches && part.matrix !== undefined ? other : model.bundle.value;
    checkColor(next);
    const score = next !== model.bundle.value && part.color === undefined && scoreIn(model, next);
    if (score) part.color = score;
    batch(() => {
      show(model, part);
      model.bundle.value = next;
    });
    const { color, matrix } = model.state.value;
    const retry = part.color !== undefined && model.problem.value !== null;
    const reread = matrix !== now.matrix && color.kind !== 'annotation';
    if (!sameColor(now.color, color) || retry || reread)
      await loader.load(color, { keepGroup: part.groupBy != null }).catch((thrown) => {
        // The earlier color stays if the kernel is gone; so do its limits.
        if (sameColor(model.state.value.color, now.color)) update(model, { range: now.range });
        throw thrown;
      });
    else await loader.settled();
    if (failures.length > 0) throw failures[0];
  };
}

/** Sets all fields in one step; views whose cells move get a camera that fits them, unless the change has one. */
function show(model: Model, { camera, ...change }: Partial<ViewState>): void {
  const now = model.state.value;
  const next = merged(now, change);
  // Another layout has other coordinates; so does a grid whose sections are rotated in place.
  const rotated = next.turn !== now.turn || next.flip !== now.flip;
  const moves = (before: Layout | null, after: Layout | null) =>
    !sameLayout(before, after) || (after?.kind === 'sections' && rotated);
  const mainMoves = moves(now.layout, next.layout);
  batch(() => {
    if (mainMoves) model.outline.value = null;
    const cameras = {
      ...(camera ? { camera } : {}),
      ...(moves(now.beside, next.beside) ? { besideCamera: null } : {}),
    };
    update(model, { ...cameras, ...change });
    if (camera === null || (mainMoves && !camera)) fitAll(model);
  });
}

/**
 * Returns the shown score with only the genes that another matrix has; null if it has none of them. For a score that
 * shows a gene set, starts from all genes of the set, because the current matrix may lack some of them.
 */
function scoreIn(model: Model, bundle: Bundle | null): Color | null {
  const { color } = model.state.value;
  if (color.kind !== 'score' || !bundle) return null;
  const set = model.geneSets.value.find(({ name }) => name === color.name);
  const whole = set && color.genes.every((gene) => set.genes.includes(gene)) ? set : color;
  const found = scoreOf(whole, bundle);
  const missing = found?.kind === 'score' ? whole.genes.length - found.genes.length : 0;
  if (missing)
    model.hint.value = { text: `${bundle.matrixName} lacks ${counted(missing, 'gene')} of the score` };
  return found;
}

const superseded = () => new DOMException('Something else was chosen.', 'AbortError');
