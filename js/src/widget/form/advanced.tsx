import type { JSX } from 'preact';
import type { Options } from '../../contract/options';
import { say } from '../translate';
import { Check, Field, NumberInput, Select, TextInput } from './fields';
import { Markers, Places } from './layout-fields';
import type { Traits } from './traits';

const NUMBER_OF = {
  cells: () => say('Number of cells'),
  spots: () => say('Number of spots'),
  bins: () => say('Number of bins'),
};

const HOSTS: Record<NonNullable<Options['host']>, string> = {
  'github-pages': 'GitHub Pages',
  'gitlab-pages': 'GitLab Pages',
  'cloudflare-pages': 'Cloudflare Pages',
  'cloudflare-r2': 'Cloudflare R2',
  s3: 'S3',
  netlify: 'Netlify',
  'hugging-face': 'Hugging Face',
};

/** Options that most exports leave at their defaults. */
export function More({ traits }: { traits: Traits }): JSX.Element {
  const options = traits.options.value;
  const { help, layers, raw, libraries, sections, n_cells: cells, observations } = traits.summary.value;
  const { problems, scale } = traits.estimate.value;
  const matrices: [string, string][] = [
    ['X', 'X'],
    ...layers.map((name): [string, string] => [`layer:${name}`, `layers['${name}']`]),
    ...(raw ? [['raw', 'raw'] as [string, string]] : []),
  ];
  const matrix =
    options.matrices?.[0] ?? (options.raw ? 'raw' : options.layer ? `layer:${options.layer}` : 'X');
  const others = matrices.filter(([name]) => name !== matrix);
  const packed = new Set((options.matrices ?? []).filter((name) => name !== matrix));
  const withOthers = (first: string, chosen: ReadonlySet<string>) => {
    const names = matrices.map(([name]) => name).filter((name) => name !== first && chosen.has(name));
    return { matrices: names.length > 0 ? [first, ...names] : null };
  };
  const image = options.image_path;
  const own = libraries.map(({ name, images }): [string, string] => [
    `uns:${name}`,
    `${name} (${images.join(', ')})`,
  ]);
  const isFile = image !== null && image !== 'none' && !image.startsWith('uns:');
  // The chosen column, else the detected one.
  const split = options.sections === 'none' ? null : (options.sections ?? sections);
  const choice = image === null ? '' : isFile ? 'file' : image;
  return (
    <div class="kf-more">
      <Field label={say('Expression matrix')} help={help.layer} problem={problems.layer}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={matrix}
            choices={matrices}
            onChange={(value) =>
              traits.change({
                raw: value === 'raw',
                layer: value.startsWith('layer:') ? value.slice(6) : null,
                ...withOthers(value, packed),
              })
            }
          />
        )}
      </Field>
      {(others.length > 0 || problems.matrices) && (
        <div class="kf-row">
          <Field label={say('Other matrices')} help={help.matrices} problem={problems.matrices} group>
            {() => (
              <div class="kf-checks">
                {others.map(([name, label]) => (
                  <Check
                    key={name}
                    label={label}
                    checked={packed.has(name)}
                    onChange={(on) =>
                      traits.change(
                        withOthers(matrix, new Set([...packed, name].filter((one) => on || one !== name))),
                      )
                    }
                  />
                ))}
              </div>
            )}
          </Field>
        </div>
      )}
      <Field label={say('Tissue image')} help={help.image_path} problem={problems.image_path}>
        {({ id, describedBy }) => (
          <>
            <Select
              id={id}
              describedBy={describedBy}
              value={choice}
              choices={[
                ['', own.length > 0 ? say('From the object') : say('None in the object')],
                ...own,
                ['file', say('Image file…')],
                ['none', say('No image')],
              ]}
              onChange={(value) =>
                traits.change({ image_path: value === '' ? null : value === 'file' ? '' : value })
              }
            />
            {isFile && (
              <TextInput
                id={`${id}-path`}
                value={image}
                placeholder={say('Path to a PNG, JPEG, WebP or TIFF file')}
                onChange={(value) => traits.change({ image_path: value })}
              />
            )}
          </>
        )}
      </Field>
      <Field label={say('Scale (µm per unit)')} help={help.um_per_unit} problem={problems.um_per_unit}>
        {({ id, describedBy }) => (
          <>
            <NumberInput
              id={id}
              describedBy={describedBy}
              value={options.um_per_unit}
              min={0}
              step={0.01}
              optional
              placeholder={say('as detected')}
              onChange={(value) => traits.change({ um_per_unit: value })}
            />
            {scale && <span class="kf-note">{scale}</span>}
          </>
        )}
      </Field>
      <Places traits={traits} />
      <Field label={say('Neighbors')} help={help.neighbors} problem={problems.neighbors}>
        {({ id, describedBy }) => (
          <TextInput
            id={id}
            describedBy={describedBy}
            value={options.neighbors === 'auto' ? '' : options.neighbors}
            placeholder={say('As stored, or 6, 30um, none')}
            onChange={(value) => traits.change({ neighbors: value.trim() || 'auto' })}
          />
        )}
      </Field>
      <Field label={NUMBER_OF[observations]()} help={help.downsample} problem={problems.downsample}>
        {({ id, describedBy }) => (
          <NumberInput
            id={id}
            describedBy={describedBy}
            value={options.downsample}
            min={1}
            optional
            placeholder={say('all')}
            note={
              split
                ? say('of %1 · by %2', cells.toLocaleString('en'), split)
                : say('of %1', cells.toLocaleString('en'))
            }
            onChange={(value) => traits.change({ downsample: value })}
          />
        )}
      </Field>
      <Field label={say('Random seed')} help={help.seed} problem={problems.seed}>
        {({ id, describedBy }) => (
          <NumberInput
            id={id}
            describedBy={describedBy}
            value={options.seed}
            min={0}
            onChange={(value) => value !== null && traits.change({ seed: value })}
          />
        )}
      </Field>
      <Field label={say('Name')} help={help.dataset_name} problem={problems.dataset_name}>
        {({ id, describedBy }) => (
          <TextInput
            id={id}
            describedBy={describedBy}
            value={options.dataset_name ?? ''}
            placeholder={say('Name of the object')}
            onChange={(value) => traits.change({ dataset_name: value || null })}
          />
        )}
      </Field>
      <Field label={say('Genes in the viewer')} help={help.packed} problem={problems.packed}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={options.packed}
            choices={[
              ['auto', say('All, if at most 1 GB')],
              ['yes', say('All, whatever their size')],
              ['no', say('Only those chosen above')],
            ]}
            onChange={(packed) => traits.change({ packed })}
          />
        )}
      </Field>
      <Markers traits={traits} />
      <Field label={say('Open by double-click')} help={help.scripts} problem={problems.scripts}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={options.scripts}
            choices={[
              ['auto', say('If it adds at most 200 MB')],
              ['yes', say('Always')],
              ['no', say('Never (the viewer asks for the folder)')],
            ]}
            onChange={(scripts) => traits.change({ scripts })}
          />
        )}
      </Field>
      <Field label={say('Web host')} help={help.host} problem={problems.host}>
        {({ id, describedBy }) => (
          <Select
            id={id}
            describedBy={describedBy}
            value={options.host ?? ''}
            choices={[['', say('Any')], ...Object.entries(HOSTS)]}
            onChange={(host) => traits.change({ host: (host || null) as Options['host'] })}
          />
        )}
      </Field>
      <Field label={say('Maximum file size (MB)')} help={help.max_asset_mb} problem={problems.max_asset_mb}>
        {({ id, describedBy }) => (
          <NumberInput
            id={id}
            describedBy={describedBy}
            value={options.max_asset_mb}
            min={0.001}
            step={0.5}
            onChange={(value) => value !== null && traits.change({ max_asset_mb: value })}
          />
        )}
      </Field>
      <Field label={say('Memory for blocks (MB)')} help={help.memory_mb} problem={problems.memory_mb}>
        {({ id, describedBy }) => (
          <NumberInput
            id={id}
            describedBy={describedBy}
            value={options.memory_mb}
            min={16}
            onChange={(value) => value !== null && traits.change({ memory_mb: value })}
          />
        )}
      </Field>
      <Field label={say('Threads')} help={help.jobs} problem={problems.jobs}>
        {({ id, describedBy }) => (
          <NumberInput
            id={id}
            describedBy={describedBy}
            value={options.jobs}
            min={1}
            optional
            placeholder={say('all cores')}
            onChange={(value) => traits.change({ jobs: value })}
          />
        )}
      </Field>
      <div class="kf-checks">
        <Check
          label={say('Compress (gzip)')}
          help={help.gzip}
          checked={options.gzip}
          onChange={(gzip) => traits.change({ gzip })}
        />
        <Check
          label={say('Preview image')}
          help={help.preview}
          checked={options.preview}
          onChange={(preview) => traits.change({ preview })}
        />
      </div>
    </div>
  );
}
