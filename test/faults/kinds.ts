import type { Kind } from "./case.js";
import { diskKind } from "./disk-kind.js";
import { filesKind } from "./files-kind.js";
import { killKind } from "./kill-kind.js";
import { linkKind } from "./link-kind.js";
import { lockKind } from "./lock-kind.js";

/** The kinds of faults that need no kernel. */
export const KINDS: readonly Kind[] = [
  linkKind,
  filesKind,
  lockKind,
  killKind,
  diskKind,
];
