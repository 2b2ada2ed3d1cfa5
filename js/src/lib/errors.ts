/**
 * What can go wrong, as values: each error has a literal `tag`, says what failed on what, and what to do.
 *
 * ViewerError
 * ├─ NotFoundError     a file of the bundle is missing
 * ├─ HttpError         the host answered with another error
 * ├─ UnreachableError  no answer, or the browser refused the request
 * ├─ HostError         the page around, or the kernel behind it, refused
 * ├─ FormatError       a file is not what the manifest promises
 * ├─ LooseFileError    a file breaks the format and was read all the same
 * ├─ VersionError      the bundle's major version is unknown
 * ├─ UnknownNameError  a gene or column that the bundle does not have
 * ├─ ViewFileError     a saved view, or a link, that cannot be read
 * ├─ LeftOutError      parts of a view that could not be shown or carried
 * ├─ MaskError         a selection for another number of cells
 * ├─ UnexpectedError   whatever else an odd bundle, or a fault of the viewer, raises
 * ├─ PictureError      a picture that cannot be made as it was asked for
 * └─ GraphicsError     no WebGL2
 */
export abstract class ViewerError extends Error {
  abstract readonly tag: string;
  /** What the reader of the message can do. */
  readonly advice: string;
  /** File or URL that the error is about. */
  readonly path: string | null;

  constructor(message: string, advice: string, path: string | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.advice = advice;
    this.path = path;
    // Class names do not survive the build; `tag` tells the kind.
    this.name = 'ViewerError';
  }
}

export class NotFoundError extends ViewerError {
  override readonly tag = 'not-found';

  constructor(path: string, detail: { url?: string; status?: number } = {}) {
    const where = detail.url ? ` (${detail.status ?? 404} at ${detail.url})` : '';
    super(
      `The file ${path} is missing from the bundle${where}.`,
      'Check that the whole export folder was copied, then try again.',
      path,
    );
  }
}

export class HttpError extends ViewerError {
  override readonly tag = 'http';
  readonly url: string;
  readonly status: number;

  constructor(path: string, url: string, status: number) {
    super(
      `The server answered ${status} for ${url}.`,
      'Check that the page may read its own folder, then try again.',
      path,
    );
    this.url = url;
    this.status = status;
  }
}

export class UnreachableError extends ViewerError {
  override readonly tag = 'unreachable';
  readonly url: string;

  constructor(path: string, url: string, cause: unknown) {
    super(
      `No answer for ${url}.`,
      'Check the connection, then try again. A page opened from disk needs the folder picked by hand.',
      path,
      cause,
    );
    this.url = url;
  }
}

export class HostError extends ViewerError {
  override readonly tag = 'host';

  constructor(path: string, message: string) {
    super(message, 'Run the cell again if the data or the kernel has changed.', path);
  }
}

export class FormatError extends ViewerError {
  override readonly tag = 'format';

  constructor(path: string, found: string, cause?: unknown) {
    super(
      `${path} cannot be read: ${found}.`,
      'The file is damaged or was changed. Copy or export the bundle again.',
      path,
      cause,
    );
  }
}

export class LooseFileError extends ViewerError {
  override readonly tag = 'loose-file';

  constructor(path: string, found: string) {
    // What was found says how it was read: there is nothing more to do.
    super(`${path}: ${found}.`, '', path);
  }
}

export class VersionError extends ViewerError {
  override readonly tag = 'version';
  readonly found: string;
  readonly known: string;

  constructor(found: string, known: string) {
    super(
      `This bundle has format ${found}; this viewer reads ${known}.`,
      'Export the data again, or open the bundle with the viewer that came with it.',
      'manifest.json',
    );
    this.found = found;
    this.known = known;
  }
}

export class UnknownNameError extends ViewerError {
  override readonly tag = 'unknown-name';

  constructor(kind: 'gene' | 'column' | 'column of classes' | 'embedding' | 'section', name: string) {
    super(`The bundle has no ${kind} “${name}”.`, `Choose a ${kind} that was exported.`, 'manifest.json');
  }
}

export class ViewFileError extends ViewerError {
  override readonly tag = 'view-file';

  constructor(why: string) {
    super(`The view cannot be opened: ${why}.`, 'Choose a file, or a link, that this viewer made.', 'view');
  }
}

export class LeftOutError extends ViewerError {
  override readonly tag = 'left-out';

  constructor(message: string, advice: string) {
    super(message, advice, null);
  }
}

export class MaskError extends ViewerError {
  override readonly tag = 'mask';

  /** `found` is the length of the mask; anything but a number means that the mask is not an array. */
  constructor(what: string, found: unknown, cells: number) {
    const has = typeof found === 'number' ? `has ${found} entries` : 'is not an array';
    super(
      `The mask of ${what} ${has}; the bundle has ${cells} cells.`,
      'Give one entry for each cell, in the order of the bundle.',
      null,
    );
  }
}

export class PictureError extends ViewerError {
  override readonly tag = 'picture';

  constructor(message: string, advice: string, cause?: unknown) {
    super(message, advice, null, cause);
  }
}

export class GraphicsError extends ViewerError {
  override readonly tag = 'graphics';

  constructor(detail: string, cause?: unknown) {
    super(
      `The tissue cannot be drawn: ${detail}.`,
      'Turn on hardware acceleration (WebGL2) or use another browser.',
      null,
      cause,
    );
  }
}

export class UnexpectedError extends ViewerError {
  override readonly tag = 'unexpected';

  constructor(cause: unknown) {
    super(
      'Something in this bundle cannot be shown: it is not as its format says, or the viewer has a fault.',
      'Export the data again. If that does not help, report what the console of the browser says.',
      null,
      cause,
    );
  }
}

/**
 * The one boundary between what others wrote and who reads it: sentences of this program pass, and what the browser
 * says of a script (“Cannot read properties of null”) goes to the console.
 */
export function asError(thrown: unknown): Error {
  if (thrown instanceof ViewerError) return thrown;
  if (thrown instanceof Error && thrown.name === 'Error') return thrown;
  console.error(thrown);
  return new UnexpectedError(thrown);
}

export function isAbort(thrown: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted) return true;
  return thrown instanceof DOMException && thrown.name === 'AbortError';
}
