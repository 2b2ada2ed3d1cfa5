const LONGEST = 80;

/** A name that every file system takes, of the dataset and what colours it. */
export function fileName(dataset: string, colour: string | null, ending: string): string {
  const parts = [dataset, colour ?? ''].map((part) =>
    Array.from(part.replace(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^[._-]+|[._-]+$/g, ''))
      .slice(0, LONGEST)
      .join(''),
  );
  return `${parts.filter(Boolean).join('-') || 'tissue'}.${ending}`;
}
