import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { regionsFromCsv, regionsToCsv } from '../data/region-files';
import { formatCount } from '../lib/format';
import { fileName } from '../picture/file-name';
import { openedView, savedView } from '../state/saved-view';
import { HeadingButton } from './buttons';
import { usePanels } from './context';

/** Regions as files: CSV of cell ids for other programs, JSON with colours for this one. */
export function RegionFiles(): JSX.Element | null {
  const { model, actions, download } = usePanels();
  const input = useRef<HTMLInputElement>(null);
  const names = model.cellNames.value;
  const manifest = model.bundle.value?.manifest;
  if (!manifest) return null;
  const regions = model.regions.value;
  const save = (ending: string, parts: string[], type: string) =>
    download(new Blob(parts, { type }), fileName(manifest.dataset_name, 'regions', ending));
  const put = (found: Parameters<typeof actions.setRegions>[0]) =>
    actions.setRegions([
      ...model.regions.value.filter((one) => !found.some((other) => other.name === one.name)),
      ...found,
    ]);
  const openCsv = async (text: string) => {
    if (!names) throw new Error('The ids of the cells could not be read from this bundle.');
    const { regions: found, unknown } = await regionsFromCsv(text, manifest.n_cells, names);
    if (found.length === 0) throw new Error('None of its cells is in this bundle.');
    put(found);
    if (unknown > 0)
      model.regionProblem.value = `${formatCount(unknown)} of its cells are not in this bundle.`;
  };
  const open = async (file: File) => {
    model.regionProblem.value = '';
    try {
      const text = await file.text();
      if (/\.csv$/i.test(file.name)) return await openCsv(text);
      const found = openedView(JSON.parse(text), manifest.n_cells).regions ?? [];
      if (found.length === 0) throw new Error('It holds no regions.');
      put(found);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      model.regionProblem.value = `${file.name} cannot be opened: ${why}`;
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
        title="Open regions from a CSV (cell_id, region) or a JSON file"
        onClick={() => input.current?.click()}
      >
        Open…
      </HeadingButton>
      <input
        ref={input}
        type="file"
        accept=".csv,.json"
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
