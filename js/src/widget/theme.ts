/** Returns whether the notebook application has a dark theme; falls back to the preference of the system. */
export function isDark(): boolean {
  const { body, documentElement: html } = document;
  const lab = body.dataset.jpThemeLight;
  if (lab !== undefined) return lab === 'false';
  if (body.classList.contains('vscode-dark') || body.classList.contains('vscode-high-contrast')) return true;
  if (body.classList.contains('vscode-light')) return false;
  const named = html.getAttribute('theme') ?? html.dataset.theme ?? body.dataset.theme;
  if (named === 'dark' || named === 'light') return named === 'dark';
  const marked = [html, body].some(({ classList }) => classList.contains('dark'));
  if (marked) return true;
  if ([html, body].some(({ classList }) => classList.contains('light'))) return false;
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Calls `listener` whenever the theme may have changed. Returns a function that stops listening. */
export function onTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  const attributes = ['class', 'theme', 'data-theme', 'data-jp-theme-light', 'data-jp-theme-name'];
  for (const element of [document.body, document.documentElement]) {
    observer.observe(element, { attributes: true, attributeFilter: attributes });
  }
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    system.removeEventListener('change', listener);
  };
}
