import type { ServerState, ServiceState } from "../ipvs/state.js";
import type { Style } from "./color.js";

/** The color of each state. */
export const STATE_STYLES: Readonly<
  Record<ServiceState | ServerState, Style | undefined>
> = {
  ok: undefined,
  "maybe-overloaded": "warning",
  draining: "warning",
  overloaded: "bad",
  "all-overloaded": "bad",
  "all-drained": "bad",
  "no-servers": "bad",
};

/** How a table shows a state: `all drained`. `overloaded?` means that the kernel does not report it. */
export function stateText(state: keyof typeof STATE_STYLES): string {
  return state === "maybe-overloaded"
    ? "overloaded?"
    : state.replaceAll("-", " ");
}
