const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SEPARATOR = '[,;|\\t\\r\\n]';
// East Asian spreadsheets also accept the full-width forms as the start of a formula.
const FORMULA = '[\'" ]*[=+\\-@\\t\\r＝＋－＠]';
const [BEGINS, BEGAN] = ['', "'"].map((mark) => new RegExp(`^${mark}(?=${FORMULA})`)) as [RegExp, RegExp];
const [FOLLOWS, FOLLOWED] = ['', "'"].map(
  (mark) => new RegExp(`(${SEPARATOR})${mark}(?=${FORMULA})`, 'g'),
) as [RegExp, RegExp];

/** Adds a quote before each part that a spreadsheet could read as a formula. Leaves numbers unchanged. */
const harmless = (text: string) =>
  NUMBER.test(text) ? text : text.replace(FOLLOWS, "$1'").replace(BEGINS, "'");

/** Formats text as a CSV field: quoted if needed, and never a formula, whichever separator a spreadsheet splits at. */
export function field(text: string): string {
  const plain = harmless(text);
  return /[",;|\t\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Undoes the guard that `field` adds against formulas. */
export function unguarded(text: string): string {
  const bare = text.replace(BEGAN, '').replace(FOLLOWED, '$1');
  return harmless(bare) === text ? bare : text;
}

/** Calls `row` for each record of RFC 4180 text; the array is reused between calls. */
export function forEachCsvRow(text: string, row: (fields: readonly string[]) => void): void {
  for (const fields of csvRows(text)) row(fields);
}

/** Yields the records of RFC 4180 text, or of text with another separator; the array is reused between records. */
export function* csvRows(text: string, separator = ','): Generator<readonly string[]> {
  const fields: string[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length) {
    fields.length = 0;
    let more = true;
    const quoted = text[at] === '"';
    while (more) {
      let field: string;
      if (text[at] === '"') {
        let parts = '';
        let from = at + 1;
        let quote = text.indexOf('"', from);
        while (quote !== -1 && text[quote + 1] === '"') {
          parts += text.slice(from, quote + 1);
          from = quote + 2;
          quote = text.indexOf('"', from);
        }
        const end = quote === -1 ? text.length : quote;
        field = parts + text.slice(from, end);
        at = end + 1;
      } else {
        let end = at;
        while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r')
          end++;
        field = text.slice(at, end);
        at = end;
      }
      fields.push(field);
      more = text[at] === separator;
      if (more) at++;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    // Skip blank lines: a record with one empty field is written with quotes.
    if (fields.length > 1 || fields[0] !== '' || quoted) yield fields;
  }
}
