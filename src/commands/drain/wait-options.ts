import type { Arguments } from "../../cli/parser.js";

/** Whether the options of drain ask to wait until the server is empty. */
export function mustWait(given: Arguments): boolean {
  return (
    given.flag("wait") ||
    given.flag("remove") ||
    given.duration("timeout") !== undefined
  );
}
