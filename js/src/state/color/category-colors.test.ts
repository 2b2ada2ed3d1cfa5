import { describe, expect, test } from 'vitest';
import { CLASS_PALETTES, MISSING_COLOUR } from '../../lib/color';
import { openedModel } from '../model-fixture';
import { INITIAL, merged, type ViewState } from '../view-state';

async function opened(initial: Partial<ViewState> = {}) {
  const { model, actions } = await openedModel(initial);
  const colours = () => model.paint.value?.colors;
  const alpha = () => [...(model.paint.value?.alpha ?? [])];
  return { model, actions, colours, alpha };
}

const STATED = '#102030';

describe('category colors', () => {
  test('come from the file unless overridden by a palette or a custom color', async () => {
    const { model, actions, colours } = await opened();
    expect(colours()).toEqual([STATED, STATED, STATED, MISSING_COLOUR]);
    actions.setPalette('safe');
    expect(colours()).toEqual([...CLASS_PALETTES.safe.slice(0, 3), MISSING_COLOUR]);
    actions.recolorClass('cluster', '10', '#ABCDEF');
    actions.recolorClass('elsewhere', '10', '#000000');
    expect(colours()?.[1]).toBe('#abcdef');
    actions.setPalette('file');
    expect(colours()).toEqual([STATED, '#abcdef', STATED, MISSING_COLOUR]);
    actions.resetClassColors('cluster');
    expect(colours()).toEqual([STATED, STATED, STATED, MISSING_COLOUR]);
    expect(model.state.value.classColors).toEqual({ elsewhere: { '10': '#000000' } });
  });

  test('are applied to the summaries of categories', async () => {
    const { model, actions } = await opened();
    actions.recolorClass('cluster', '2', '#ff0000');
    const layer = model.layer.value;
    if (layer.kind !== 'category') throw new Error('the fixture starts with a categorical annotation');
    expect(model.classes.value(layer.column)[2]).toMatchObject({ name: '2', color: '#ff0000', count: 1 });
    expect(layer.column.categories[2]?.color, 'the column is not modified').toBe(STATED);
  });

  test('are only accepted from a view if valid', () => {
    const sound = { cluster: { a: '#ff0000' } };
    const state = merged(INITIAL, { classColors: sound, palette: 'safe' });
    expect(state).toMatchObject({ classColors: sound, palette: 'safe' });
    for (const bad of [{ cluster: { a: 'red' } }, { cluster: ['#ff0000'] }, [], null, 'x'])
      expect(merged(state, { classColors: bad as never }).classColors).toEqual(sound);
    expect(merged(state, { palette: 'nice' as never }).palette).toBe('safe');
    const odd = JSON.parse('{"__proto__": {"__proto__": "#00ff00"}}');
    expect(merged(state, { classColors: odd }).classColors).toBe(odd);
  });

  test('are dimmed for other categories than the emphasized one, unless it is hidden', async () => {
    const { actions, alpha } = await opened();
    expect(alpha()).toEqual([255, 255, 255, 255]);
    actions.emphasise({ column: 'cluster', name: null });
    expect(alpha()[3]).toBe(255);
    expect(Math.max(...alpha().slice(0, 3))).toBeLessThan(80);
    actions.toggleClass('cluster', null);
    expect(alpha()).toEqual([255, 255, 255, 0]);
    actions.emphasise({ column: 'another', name: '1' });
    expect(alpha()).toEqual([255, 255, 255, 0]);
  });
});
