import type { Random } from "../compat/random.js";
import {
  connectionLine,
  numberedConnection,
  TITLE,
} from "../fixtures/connections.js";
import type { World } from "./world.js";

/** Writes /proc/net/ip_vs_conn with some connections. */
export function writeConnections(random: Random, world: World): void {
  const count = random.below(20);
  const first = random.below(100_000);
  const lines = Array.from({ length: count }, (_, i) =>
    connectionLine(numberedConnection(first + i)),
  );
  world.write("proc/net/ip_vs_conn", `${[TITLE, ...lines].join("\n")}\n`);
}
