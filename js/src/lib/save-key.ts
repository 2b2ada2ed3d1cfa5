/** Returns whether shortcuts use Command, as on a Mac, rather than Ctrl. */
const usesCommand = (): boolean => /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

type Keys = Pick<KeyboardEvent, 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'> & {
  /** Undefined in events of Chrome's autofill. */
  key?: string | undefined;
  code?: string | undefined;
};

/** Returns whether the keys are Ctrl+S, or Command+S on a Mac, which save the document. */
export function isSaveKey({ key, code, ctrlKey, metaKey, altKey, shiftKey }: Keys): boolean {
  const [accelerator, other] = usesCommand() ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  // On layouts of other alphabets, the S key types a different letter: use its position.
  const isS = key?.toLowerCase() === 's' || (code === 'KeyS' && !/^[a-z]$/i.test(key ?? ''));
  return isS && accelerator && !other && !altKey && !shiftKey;
}

/**
 * Sends Ctrl+S, or Command+S on a Mac, to the page: in the notebook, it would move the focus to a cell.
 * Returns whether the page has handled it.
 */
export function pressSaveKey(target: EventTarget = document.body): boolean {
  const pressed = new KeyboardEvent('keydown', {
    key: 's',
    code: 'KeyS',
    keyCode: 83, // JupyterLab looks keys up by their code
    ctrlKey: !usesCommand(),
    metaKey: usesCommand(),
    bubbles: true,
    cancelable: true,
    composed: true,
  });
  return !target.dispatchEvent(pressed);
}
