import type { Names } from "../system/names.js";

/** The name lookups that command lines may need. Documents contain only addresses and numbers. */
export type NameLookups = Pick<Names, "hostAddress" | "servicePort">;
