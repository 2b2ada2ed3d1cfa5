const LONGEST = 80;

/** Builds a file name that is valid on every file system from the names of the dataset and of the color. */
export function fileName(dataset: string, color: string | null, extension: string): string {
  const parts = [dataset, color ?? ''].map((part) =>
    Array.from(part.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^[._-]+|[._-]+$/g, ''))
      .slice(0, LONGEST)
      .join(''),
  );
  return `${parts.filter(Boolean).join('-') || 'tissue'}.${extension}`;
}
