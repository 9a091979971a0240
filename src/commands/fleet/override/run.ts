import { CommandError } from "../../../cli/errors.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { readFleet } from "../../../fleet/fleet-report.js";
import { updateOrder } from "../../../fleet/update-order.js";
import { nearest } from "../../../text/nearest.js";
import { withStore } from "../open-store.js";
import { fleetName } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const [director = "", what] = call.given.positionals;
  fleetName(director, "director", "override");
  return withStore(call, async ({ store, keys }) => {
    const { directors } = await readFleet(store, keys);
    const names = directors.map(({ name }) => name);
    if (!names.includes(director)) {
      const near = nearest(director, names);
      throw new CommandError(
        `no director ${director} has ever reported`,
        near === undefined
          ? "'ipvsadm fleet status' lists the directors"
          : `did you mean ${near}?`,
      );
    }
    const paused = what === "pause";
    await updateOrder(store, keys, director, (order) => ({ ...order, paused }));
    call.output.lines([`${director}: ${paused ? "paused" : "resumed"}`]);
    return EXIT.ok;
  });
};
