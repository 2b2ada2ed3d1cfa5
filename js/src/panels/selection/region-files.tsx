import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { regionsFromCsv, regionsToCsv } from '../../data/region-files';
import { asError } from '../../lib/errors';
import { counted } from '../../lib/format';
import { fileName } from '../../picture/file-name';
import { openedView, savedView } from '../../state/save/saved-view';
import { HeadingButton } from '../buttons';
import { usePanels } from '../context';
import { FileInput } from '../file-input';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The file is neither JSON nor a table.');
  }
}

/** Saves and opens regions: CSV of cell IDs for other programs, JSON with colors for this viewer. */
export function RegionFiles(): JSX.Element | null {
  const { model, actions, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const names = model.cellNames.value;
  const bundle = model.bundle.value;
  if (!bundle) return null;
  const { manifest } = bundle;
  const noun = model.noun.value;
  const regions = model.regions.value;
  const save = (extension: string, parts: BlobPart[], type: string) =>
    download(new Blob(parts, { type }), fileName(model.title.value, 'regions', extension));
  const put = (file: File, found: Parameters<typeof actions.putRegions>[0], unknown = 0) => {
    const replaced = model.regions.value.filter(({ name }) =>
      found.some((other) => other.name === name),
    ).length;
    actions.putRegions(found);
    const text = [
      `Opened ${counted(found.length, 'region')} from ${file.name}.`,
      replaced > 0 ? `Replaced ${counted(replaced, 'region')} of the same name.` : '',
      unknown > 0
        ? `Skipped ${counted(unknown, 'row')}: ${unknown === 1 ? `its ${noun} is` : `their ${noun}s are`} not in this bundle.`
        : '',
    ];
    actions.noteRegions({ text: text.filter(Boolean).join(' '), problem: unknown > 0, undo: true });
  };
  const openTable = async (file: File, text: string) => {
    // The cell IDs may still be loading: a file can be opened as soon as the tissue is drawn.
    const ids = names ?? (await bundle.cellNames({ signal: new AbortController().signal }).catch(() => null));
    if (!ids) throw new Error('The cell IDs of this bundle could not be read.');
    const { regions: found, unknown } = await regionsFromCsv(text, manifest.n_cells, ids);
    if (found.length === 0)
      throw new Error(
        unknown > 0
          ? `None of its ${noun}s are in this bundle. The column “cell_id” must hold their names, as in obs_names.`
          : 'The table contains no regions.',
      );
    put(file, found, unknown);
  };
  const open = async (file: File) => {
    try {
      const text = await file.text();
      // Decide by content: the file name may have lost its extension.
      if (!/^\s*\{/.test(text)) return await openTable(file, text);
      const { regions: found, leftOut } = openedView(parsed(text), manifest.n_cells, model.noun.value);
      if (!found?.length) throw leftOut ?? new Error('The file contains no regions.');
      put(file, found);
    } catch (thrown) {
      const why = asError(thrown).message;
      actions.noteRegions({ text: `Cannot open ${file.name}: ${why}`, problem: true });
    }
  };
  return (
    <span class="ks-region-files">
      {regions.length > 0 && (
        <>
          {names && (
            <HeadingButton
              title="Save the regions as a table of cell IDs"
              onClick={async () => save('csv', await regionsToCsv(regions, names), 'text/csv')}
            >
              CSV
            </HeadingButton>
          )}
          <HeadingButton
            title="Save the regions and the view as a file for this viewer"
            onClick={() => save('json', [JSON.stringify(savedView(model))], 'application/json')}
          >
            JSON
          </HeadingButton>
        </>
      )}
      <HeadingButton
        title="Open regions from a table (cell_id, region) or a JSON file"
        onClick={() => input.current?.click()}
      >
        Open…
      </HeadingButton>
      <FileInput
        input={input}
        accept=".csv,.tsv,.txt,.json"
        label="Region file"
        open={(file) => void open(file)}
      />
    </span>
  );
}
