import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { regionsFromCsv, regionsToCsv } from '../data/region-files';
import { asError } from '../lib/errors';
import { fileName } from '../picture/file-name';
import { openedView, savedView } from '../state/saved-view';
import { HeadingButton } from './buttons';
import { usePanels } from './context';
import { counted } from './title-card';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('It is neither JSON nor a table.');
  }
}

/** Regions as files: CSV of cell ids for other programs, JSON with colours for this one. */
export function RegionFiles(): JSX.Element | null {
  const { model, actions, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const names = model.cellNames.value;
  const manifest = model.bundle.value?.manifest;
  if (!manifest) return null;
  const regions = model.regions.value;
  const save = (ending: string, parts: BlobPart[], type: string) =>
    download(new Blob(parts, { type }), fileName(manifest.dataset_name, 'regions', ending));
  const put = (file: File, found: Parameters<typeof actions.putRegions>[0], unknown = 0) => {
    const replaced = model.regions.value.filter(({ name }) =>
      found.some((other) => other.name === name),
    ).length;
    actions.putRegions(found);
    const text = [
      `${counted(found.length, 'region')} of ${file.name}.`,
      replaced > 0
        ? `${counted(replaced, 'region')} of the same name ${replaced === 1 ? 'is' : 'are'} replaced.`
        : '',
      unknown > 0 ? `${counted(unknown, 'row')} left out: the cells are not in this bundle.` : '',
    ];
    actions.noteRegions({ text: text.filter(Boolean).join(' '), problem: unknown > 0, undo: true });
  };
  const openTable = async (file: File, text: string) => {
    if (!names) throw new Error('The ids of the cells could not be read from this bundle.');
    const { regions: found, unknown } = await regionsFromCsv(text, manifest.n_cells, names);
    if (found.length === 0)
      throw new Error(
        unknown > 0
          ? 'None of its cells is in this bundle: “cell_id” holds the names of the cells, as in obs.'
          : 'It names no region.',
      );
    put(file, found, unknown);
  };
  const open = async (file: File) => {
    try {
      const text = await file.text();
      // By what it holds: a name may have lost its ending.
      if (!/^\s*\{/.test(text)) return await openTable(file, text);
      const { regions: found, leftOut } = openedView(parsed(text), manifest.n_cells);
      if (!found?.length) throw leftOut ?? new Error('It holds no regions.');
      put(file, found);
    } catch (thrown) {
      const why = asError(thrown).message;
      actions.noteRegions({ text: `${file.name} cannot be opened: ${why}`, problem: true });
    }
  };
  return (
    <span class="ks-region-files">
      {regions.length > 0 && (
        <>
          {names && (
            <HeadingButton
              title="Save the regions as a table of cell ids"
              onClick={async () => save('csv', await regionsToCsv(regions, names), 'text/csv')}
            >
              CSV
            </HeadingButton>
          )}
          <HeadingButton
            title="Save the regions, with the view, as a file that this viewer opens"
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
      <input
        ref={input}
        type="file"
        accept=".csv,.tsv,.txt,.json"
        class="ks-offscreen"
        tabIndex={-1}
        aria-label="File of regions"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) void open(file);
        }}
      />
    </span>
  );
}
