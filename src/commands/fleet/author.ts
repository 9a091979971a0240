import type { Invocation } from "../../cli/invocation.js";

/** Who changes something: the user behind sudo, or the user. */
export function authorOf({ io }: Pick<Invocation, "io">): string {
  return io.environment("SUDO_USER") ?? io.environment("USER") ?? "unknown";
}
