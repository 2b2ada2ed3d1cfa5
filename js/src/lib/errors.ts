/**
 * Errors of the viewer. Each has a literal `tag`, states what failed on which file, and advises what to do.
 *
 * ViewerError
 * ├─ NotFoundError     a file of the bundle is missing
 * ├─ HttpError         the server returned another error status
 * ├─ UnreachableError  no response, or the browser blocked the request
 * ├─ ForeignError      the page does not open bundles from another host
 * ├─ HostError         the embedding page or its kernel refused the request
 * ├─ FormatError       a file does not match the manifest
 * ├─ LooseFileError    a file violates the format but could be read
 * ├─ VersionError      the bundle's major version is unknown
 * ├─ UnknownNameError  the bundle has no such gene or annotation
 * ├─ OtherMatrixError  the kernel reads another matrix of the live object
 * ├─ NoSectionsError   the bundle has no sections
 * ├─ ViewFileError     a saved view or a link cannot be read
 * ├─ LeftOutError      parts of a view could not be shown or saved
 * ├─ MaskError         a selection mask has the wrong length
 * ├─ UnexpectedError   anything else that an invalid bundle or a bug raises
 * ├─ PictureError      an image cannot be made as requested
 * └─ GraphicsError     WebGL2 is not available
 */
export abstract class ViewerError extends Error {
  abstract readonly tag: string;
  /** What the user can do. */
  readonly advice: string;
  /** File or URL that the error concerns. */
  readonly path: string | null;

  constructor(message: string, advice: string, path: string | null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.advice = advice;
    this.path = path;
    // Minification removes class names; `tag` identifies the kind.
    this.name = 'ViewerError';
  }
}

export class NotFoundError extends ViewerError {
  override readonly tag = 'not-found';

  constructor(path: string, detail: { url?: string; status?: number } = {}) {
    const where = detail.url ? ` (HTTP ${detail.status ?? 404} at ${detail.url})` : '';
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
      `The server returned HTTP ${status} for ${url}.`,
      'Check that the server allows access to the bundle folder, then try again.',
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
      `No response from ${url}.`,
      'Check the connection, then try again. If the page was opened from disk, choose the bundle folder.',
      path,
      cause,
    );
    this.url = url;
  }
}

export class ForeignError extends ViewerError {
  override readonly tag = 'foreign';

  constructor(address: string, advice: string) {
    super(`This page does not open bundles from ${address}.`, advice, null);
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
      'The file is damaged or was modified. Copy or export the bundle again.',
      path,
      cause,
    );
  }
}

export class LooseFileError extends ViewerError {
  override readonly tag = 'loose-file';

  constructor(path: string, found: string) {
    // No advice: `found` already states how the file was read instead.
    super(`${path}: ${found}.`, '', path);
  }
}

export class VersionError extends ViewerError {
  override readonly tag = 'version';
  readonly found: string;
  readonly known: string;

  constructor(found: string, known: string) {
    super(
      `This bundle has format version ${found}; this viewer reads ${known}.`,
      'Export the data again, or open the bundle with the viewer that came with it.',
      'manifest.json',
    );
    this.found = found;
    this.known = known;
  }
}

export class UnknownNameError extends ViewerError {
  override readonly tag = 'unknown-name';

  constructor(
    kind: 'gene' | 'annotation' | 'categorical annotation' | 'embedding' | 'section' | 'matrix',
    name: string,
    /** What lacks the name: the bundle, or one of several matrices. */
    owner = 'bundle',
  ) {
    super(
      `The ${owner} has no ${kind} “${name}”.`,
      `Choose one of the exported ${kind === 'matrix' ? 'matrices' : `${kind}s`}.`,
      'manifest.json',
    );
  }
}

/** The kernel reads another matrix of the live object. */
export class OtherMatrixError extends ViewerError {
  override readonly tag = 'other-matrix';

  constructor(name: string, read: string) {
    super(
      `The view shows the matrix ${read} of the object, not “${name}”.`,
      'Choose the matrix in Python, with the attribute layer of the view.',
      null,
    );
  }
}

export class NoSectionsError extends ViewerError {
  override readonly tag = 'no-sections';

  constructor() {
    super('The bundle has no sections.', 'Choose another layout.', 'manifest.json');
  }
}

export class ViewFileError extends ViewerError {
  override readonly tag = 'view-file';

  constructor(why: string) {
    super(
      `The view cannot be opened: ${why}.`,
      'Choose a view file or a link created by this viewer.',
      'view',
    );
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

  /** `found` is the length of the mask; anything other than a number means that it is not an array. */
  constructor(what: string, found: unknown, cells: number) {
    const entries = found === 1 ? 'entry' : 'entries';
    const has = typeof found === 'number' ? `has ${found} ${entries}` : 'is not an array';
    super(
      `The mask of ${what} ${has}; the bundle has ${cells} ${cells === 1 ? 'cell' : 'cells'}.`,
      'Pass one entry per cell, in the order of the bundle.',
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
      'Part of this bundle could not be read: it does not follow the bundle format, or the viewer has a bug.',
      'Export the data again. If that does not help, report the error shown in the browser console.',
      null,
      cause,
    );
  }
}

/**
 * Converts a thrown value to an error that can be shown. Messages written for users pass unchanged; errors of the
 * JavaScript engine (“Cannot read properties of null”) are logged to the console and replaced by an UnexpectedError.
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
