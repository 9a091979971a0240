import { CommandError } from "../../../cli/errors.js";
import { escapeControls } from "../../../cli/escape.js";
import { EXIT } from "../../../cli/exit-status.js";
import type { RunSubcommand } from "../../../cli/invocation.js";
import { repeatWrite } from "../../../fleet/repeat-write.js";
import { readDrainArguments } from "../drain/server-arguments.js";
import { withStore } from "../open-store.js";

export const run: RunSubcommand = async (call) => {
  const { id } = await readDrainArguments(call, "undrain");
  return withStore(call, async ({ store, keys }) => {
    const { found } = await store.range(keys.drains);
    const key = keys.drain(id);
    const drain = found.find((one) => one.key === key);
    if (!drain) {
      const others = found.map((one) => one.key.slice(keys.drains.length));
      throw new CommandError(
        `${id} is not being drained`,
        others.length === 0
          ? "there is no drain"
          : `drains: ${escapeControls(others.join("; "))}`,
      );
    }
    const { revision } = drain;
    await repeatWrite(() =>
      store.commit([{ key, revision }], [{ remove: key }]),
    );
    call.output.lines([`${id}: the drain has ended`]);
    return EXIT.ok;
  });
};
