/** Read-only JSON data. The arrays of the generated types are mutable, so readonly arrays cannot be assigned to them. */
export type Plain<T> = T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;
