import type { Signal } from '@preact/signals';
import { type JSX, render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Output, Tissue } from '../contract/output';
import { createBox } from '../widget/box';
import { styled } from '../widget/form/export-form';
import type { Model } from '../widget/model';
import type { Say } from '../widget/translate';

export interface PreviewModel {
  readonly output: Output;
  readonly state: Signal<'connecting' | 'disconnected'>;
  /** Folders of bundles that were found on the server, by the model ids of their views. */
  readonly folders: Signal<ReadonlyMap<string, string>>;
  /** Views whose bundles are read from disk, by model id. */
  readonly opened: Signal<ReadonlyMap<string, Model>>;
  readonly problem: Signal<string>;
  /** False if the kernel has run a cell: most likely it has also run those that this cell needs. Null if unknown. */
  readonly fresh: Signal<boolean | null>;
  /** Whether the cell can be run from here. */
  readonly canRun: boolean;
  hasAbove(): boolean;
  open(tissue: Tissue): void;
  run(above: boolean): void;
}

export function renderPreview(model: PreviewModel, element: HTMLElement, say: Say): () => void {
  render(<Preview model={model} say={say} />, element);
  return () => render(null, element);
}

function Preview({ model, say }: { model: PreviewModel; say: Say }): JSX.Element {
  const { tissues, columns } = model.output;
  return (
    <div class="ko-output">
      {tissues.length > 0 && (
        <div class="ko-tissues" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {tissues.map((tissue) => (
            <TissuePart key={tissue.model} model={model} tissue={tissue} say={say} />
          ))}
        </div>
      )}
      <Bar model={model} say={say} />
    </div>
  );
}

function TissuePart({ model, tissue, say }: { model: PreviewModel; tissue: Tissue; say: Say }): JSX.Element {
  const opened = model.opened.value.get(tissue.model);
  if (opened) return <FromDisk view={opened} />;
  const { height } = model.output;
  const canOpen = model.folders.value.has(tissue.model);
  return (
    <figure class="ko-tissue" style={{ height: `${height}px` }}>
      {/^data:image\/(webp|png);base64,/.test(tissue.picture) ? (
        <img src={tissue.picture} alt={say('Preview of %1', tissue.title)} />
      ) : (
        <span class="ko-nothing">{say('No preview')}</span>
      )}
      <figcaption>
        <strong title={tissue.title}>{tissue.title}</strong>
        <span>{tissue.detail}</span>
      </figcaption>
      {canOpen && (
        <button
          type="button"
          class="ko-button ko-open"
          title={say('Open the viewer with the files of the bundle; it needs no kernel')}
          onClick={() => model.open(tissue)}
        >
          {say('Open viewer')}
        </button>
      )}
    </figure>
  );
}

function FromDisk({ view }: { view: Model }): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!holder.current) return;
    const { root, dispose } = styled(holder.current);
    const box = createBox(view, view);
    root.append(box.element);
    return () => {
      box.dispose();
      dispose();
    };
  }, [view]);
  return <div ref={holder} />;
}

function Bar({ model, say }: { model: PreviewModel; say: Say }): JSX.Element {
  const { kind } = model.output;
  const connecting = model.state.value === 'connecting';
  const isOpen = model.opened.value.size > 0;
  const status = connecting
    ? say('Connecting to the kernel…')
    : isOpen
      ? say('Read from disk, without a kernel')
      : kind === 'form' && model.output.tissues.length === 0
        ? model.output.title
          ? say('KaroSpace export form of %1, without its kernel', model.output.title)
          : say('KaroSpace export form, without its kernel')
        : say('Preview, without the kernel');
  return (
    <div class="ko-bar">
      <span class={connecting ? 'ko-dot ko-connecting' : 'ko-dot'} aria-hidden="true" />
      <span role="status" class="ko-status">
        {model.problem.value || status}
      </span>
      {!connecting && model.canRun && <RunButtons model={model} say={say} />}
    </div>
  );
}

/** Buttons that run the cell, the one that works first: a fresh kernel also needs the cells above. */
function RunButtons({ model, say }: { model: PreviewModel; say: Say }): JSX.Element {
  const cell = [false, say('Run this cell')] as const;
  const above = [true, say('Run all above and this cell')] as const;
  const choices = !model.hasAbove() ? [cell] : model.fresh.value === false ? [cell, above] : [above, cell];
  return (
    <>
      {choices.map(([withAbove, text], at) => (
        <button
          key={text}
          type="button"
          class={at === 0 ? 'ko-button ko-primary' : 'ko-button'}
          title={withAbove ? say('Run all cells above, then this cell') : say('Run this cell only')}
          onClick={() => model.run(withAbove)}
        >
          {text}
        </button>
      ))}
    </>
  );
}
