import { CommandError } from "../../../cli/errors.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { readFleet } from "../../../fleet/fleet-report.js";
import { withStore } from "../open-store.js";
import { fleetName } from "../table-arguments.js";

export const run: RunSubcommand = (call) => {
  const [director = ""] = call.given.positionals;
  fleetName(director, "director", "forget");
  return withStore(call, async ({ store, keys }) => {
    const { directors } = await readFleet(store, keys);
    const found = directors.find(({ name }) => name === director);
    if (!found) throw new CommandError(`there is no director ${director}`);
    if (found.verdict !== "silent")
      throw new CommandError(
        `director ${director} is not silent`,
        "stop its agent first",
      );
    const { succeeded } = await store.commit(
      [{ key: keys.alive(director), revision: 0n }],
      [
        { remove: keys.state(director) },
        { remove: keys.load(director) },
        { remove: keys.examination(director) },
        { remove: keys.order(director) },
      ],
    );
    if (!succeeded)
      throw new CommandError(
        `director ${director} has just reported again`,
        "stop its agent first",
      );
    call.output.lines([`${director}: forgotten`]);
    return EXIT.ok;
  });
};
