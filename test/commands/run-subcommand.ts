import assert from "node:assert/strict";
import type { Io } from "../../src/runtime/io.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { runIn, type Outcome, type World } from "../classic/scripted-io.js";

/** A terminal of some width behind stdout and stderr; undefined: none. */
export function terminal(
  columns: number | undefined,
  environment: Readonly<Record<string, string>> = {},
): Pick<Io, "terminal" | "environment"> {
  return {
    terminal: {
      isTerminal: () => columns !== undefined,
      size: () => (columns === undefined ? undefined : { columns, rows: 24 }),
    },
    environment: (name) => environment[name],
  };
}

/** Runs a subcommand; its words stand between single blanks. stdout and stderr are decoded. */
export async function subcommand(
  line: string,
  world: Partial<World> = {},
): Promise<Outcome> {
  const outcome = await runIn(world, async (io) => {
    const status = await mainSubcommands(line.split(" "), io);
    assert.ok(status !== undefined, `${line} is none of ours`);
    return status;
  });
  const decoded = (text: string) => Buffer.from(text, "latin1").toString();
  return {
    ...outcome,
    stdout: decoded(outcome.stdout),
    stderr: decoded(outcome.stderr),
  };
}
