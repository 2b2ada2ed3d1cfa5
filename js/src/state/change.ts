import { batch } from '@preact/signals';
import type { Positions } from '../data/bundle';
import { type Camera, fitCamera, sees } from '../lib/camera';
import { isAbort } from '../lib/errors';
import { cameraAt, ZERO } from '../lib/origin';
import type { Loader } from './loader';
import type { Model } from './model';
import { missingOf } from './save/first-view';
import { merged, sameColor, sameLayout, soundColor, type ViewState } from './view-state';

/** Fields whose values must be loaded before they are shown; a later choice replaces one that is still loading. */
const PLACES = ['layout', 'beside', 'groupBy'] as const;
type Place = (typeof PLACES)[number];

/** Fields that are only valid together: limits belong to values, a camera belongs to a layout. */
const COMPANIONS: Partial<Record<keyof ViewState, keyof ViewState>> = {
  color: 'range',
  layout: 'camera',
  beside: 'besideCamera',
};

/**
 * Applies changes of the state. With `orRest`, leaves out fields that the bundle does not have, along with their
 * companions, applies the rest, and rejects at the end.
 */
export type Apply = (change: Partial<ViewState>, options?: { orRest?: boolean }) => Promise<void>;

export function createApply(model: Model, loader: Loader): Apply {
  const onTheWay = new Map<Place, AbortController>();
  const claim = (place: Place): AbortSignal => {
    onTheWay.get(place)?.abort(new DOMException('Something else was chosen.', 'AbortError'));
    const mine = new AbortController();
    onTheWay.set(place, mine);
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
    };
    // `merged` ignores an invalid color below, like every invalid field.
    const bundle = model.bundle.value;
    const missing =
      part.color && bundle && soundColor(part.color) && missingOf(bundle, model.columns.value, part.color);
    if (missing) leaveOut('color', missing);
    const before = model.state.value;
    const wanted = merged(before, part);
    // Claim all fields before awaiting anything, so that a choice made while the first loads overrides all of them.
    const claims = PLACES.filter((place) => part[place] !== undefined).map(
      (place) => [place, claim(place)] as const,
    );
    for (const [place, signal] of claims) {
      const still = place !== 'groupBy' && sameLayout(wanted[place], before[place]);
      if (still || wanted[place] === null) continue;
      try {
        if (place === 'groupBy') await loader.group(wanted.groupBy ?? '', signal);
        else await loader.prepare(wanted[place], signal);
      } catch (thrown) {
        leaveOut(place, thrown);
      }
    }
    for (const [place, signal] of claims)
      if (signal.aborted && part[place] !== undefined) leaveOut(place, signal.reason);
    const now = model.state.value;
    // Other fields changed meanwhile take precedence, too; the camera follows the layout.
    for (const field of Object.keys(part) as (keyof ViewState)[]) {
      if (now[field] === before[field] || field === 'camera' || PLACES.some((place) => place === field))
        continue;
      if (field === 'color') leaveOut(field, new DOMException('Something else was chosen.', 'AbortError'));
      else delete part[field];
    }
    batch(() => {
      // Another layout has other coordinates; so does a grid whose sections are rotated in place.
      const next = merged(now, part);
      const lies = lie(next) !== lie(now);
      const moves = !sameLayout(next.layout, now.layout) || (next.layout.kind === 'sections' && lies);
      if (moves) model.outline.value = null;
      const fits = part.camera === null || (moves && !part.camera);
      if (part.camera === null) delete part.camera;
      const stays = sameLayout(next.beside, now.beside) && !(next.beside?.kind === 'sections' && lies);
      model.state.value = merged(now, stays ? part : { besideCamera: null, ...part });
      if (fits) fitAll(model);
    });
    const { color } = model.state.value;
    const retry = part.color !== undefined && model.problem.value !== null;
    if (!sameColor(now.color, color) || retry) await loader.load(color, { keepSplit: part.groupBy != null });
    else await loader.settled();
    if (failures.length > 0) throw failures[0];
  };
}

/** Returns the camera that fits all cells. */
export function wholeOf({ extent, origin = ZERO }: Pick<Positions, 'extent' | 'origin'>): Camera {
  return cameraAt(origin, fitCamera(extent));
}

export function fitAll(model: Model): void {
  const positions = model.positions.value;
  if (positions) model.state.value = merged(model.state.value, { camera: wholeOf(positions) });
}

/** Fits all cells if none is in view, as can happen with a camera saved for another tissue. */
export function lookAtCells(model: Model): void {
  const [view, positions] = [model.view.value, model.positions.value];
  if (view && positions && !sees(view, positions.extent)) fitAll(model);
}

const lie = ({ turn, flip }: Pick<ViewState, 'turn' | 'flip'>) => `${turn} ${flip}`;
