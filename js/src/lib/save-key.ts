/** Whether Ctrl is the key for shortcuts; on a Mac it is Command. */
const usesCommand = (): boolean => /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

type Keys = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** Returns whether the keys are Ctrl+S, or Command+S on a Mac, which save the document. */
export function isSaveKey({ key, ctrlKey, metaKey, altKey, shiftKey }: Keys): boolean {
  const [accelerator, other] = usesCommand() ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  return key.toLowerCase() === 's' && accelerator && !other && !altKey && !shiftKey;
}

/**
 * Presses Ctrl+S, or Command+S on a Mac, on the page: not inside the notebook, which would move the focus to a cell.
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
