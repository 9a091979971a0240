import type { Kind } from "./case.js";
import { linkKind } from "./link-kind.js";

/** The kinds of faults that need no kernel. */
export const KINDS: readonly Kind[] = [linkKind];
