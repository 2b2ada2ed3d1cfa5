import type { ReadonlyPartialJSONObject, ReadonlyPartialJSONValue } from '@lumino/coreutils';
import type { Output } from '../contract/output';

/** MIME type of the outputs, `MIME_TYPE` in `contracts/output.py`. */
export const MIME_TYPE = 'application/vnd.karospace.view+json';

/** Returns the output in the data of a notebook; null if it is invalid, because other programs may have written it. */
export function outputIn(data: unknown): Output | null {
  const is = (value: unknown, types: Record<string, string>) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(types).every(([name, type]) => typeof (value as Record<string, unknown>)[name] === type);
  const output = data as Output;
  if (!is(output, { kind: 'string', model: 'string', title: 'string', height: 'number', columns: 'number' }))
    return null;
  const text = { model: 'string', title: 'string', detail: 'string', picture: 'string' };
  if (!Array.isArray(output.tissues) || !output.tissues.every((tissue) => is(tissue, text))) return null;
  const disks = output.tissues.flatMap(({ bundle }) => (bundle ? [bundle] : []));
  const valid = disks.every(
    (disk) =>
      is(disk, { folder: 'string', created: 'string' }) &&
      Array.isArray(disk.places) &&
      disk.places.every((place) => typeof place === 'string'),
  );
  return valid ? output : null;
}

/**
 * Returns the data of a form's output, updated with its last export. Takes only our MIME type and the HTML from the
 * export. Returns null if the data belongs to another form or already has that export.
 */
export function withExport(
  data: ReadonlyPartialJSONObject,
  exported: unknown,
): ReadonlyPartialJSONObject | null {
  const kept = exported as Record<string, ReadonlyPartialJSONValue> | null;
  const output = outputIn(kept?.[MIME_TYPE]);
  const stored = outputIn(data[MIME_TYPE]);
  // Each export creates a new view, so the same view means the same export.
  if (!kept || !output || stored?.model !== output.model) return null;
  if (stored.tissues[0]?.model === output.tissues[0]?.model) return null;
  const html = kept['text/html'];
  return { ...data, [MIME_TYPE]: kept[MIME_TYPE], ...(typeof html === 'string' && { 'text/html': html }) };
}
