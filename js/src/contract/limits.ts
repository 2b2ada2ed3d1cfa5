// Generated from karospace_jupyter/bundle/limits.json and manifest.schema.json by `npm run contract`. Do not edit.

/** Maximum bytes of files whose size no manifest states, and maximum characters of the dataset name. */
export const LIMITS = {
  manifest: 67108864,
  page: 67108864,
  asset: 2147483648,
  dataset_name: 1000,
} as const;
