import type { Names } from "../system/names.js";

/** The look-ups that a rule file may need: hosts and services by name. Documents have addresses and numbers only. */
export type NameLookups = Pick<Names, "hostAddress" | "servicePort">;
