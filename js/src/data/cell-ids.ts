import type { CellIds } from '../contract/manifest';
import { FormatError } from '../lib/errors';
import type { ReadContext } from '../source/bundle-source';
import { type AssetReader, asUint32, orderedChunks } from './chunks';

/** Returns the id of a cell. Ids are stored as bytes and decoded on demand. */
export type CellNames = (cell: number) => string;

export async function readCellIds(
  reader: AssetReader,
  ids: CellIds,
  cells: number,
  ctx: ReadContext,
): Promise<CellNames> {
  const chunks = await Promise.all(
    orderedChunks(ids.chunks, cells, 'the cell ids').map(async ({ path, start, end }) => {
      const bytes = await reader.read(path, undefined, ctx);
      const head = (end - start + 1) * 4;
      if (bytes.byteLength < head) throw new FormatError(path, 'its offsets are truncated');
      const offsets = asUint32(bytes.subarray(0, head));
      const text = bytes.subarray(head);
      if ((offsets.at(-1) ?? 0) > text.byteLength) throw new FormatError(path, 'its text is truncated');
      for (let at = 1; at < offsets.length; at++)
        if ((offsets[at] ?? 0) < (offsets[at - 1] ?? 0))
          throw new FormatError(path, 'its offsets are not in ascending order');
      return { start, end, offsets, text };
    }),
  );
  return (cell) => {
    const chunk = chunks.find(({ start, end }) => cell >= start && cell < end);
    if (!chunk) return '';
    const at = cell - chunk.start;
    return textIn(chunk.text, chunk.offsets[at] ?? 0, chunk.offsets[at + 1] ?? 0);
  };
}

const decoder = new TextDecoder();
const codes: number[] = [];

/** Decodes one id. Most are ASCII; skipping subarray and decoder for these makes a million ids three times as fast. */
function textIn(bytes: Uint8Array, from: number, to: number): string {
  codes.length = 0;
  for (let at = from; at < to; at++) {
    const code = bytes[at] ?? 0;
    if (code > 127 || codes.length > 255) return decoder.decode(bytes.subarray(from, to));
    codes.push(code);
  }
  return String.fromCharCode(...codes);
}
