import assert from "node:assert/strict";
import type { Io } from "../../src/runtime/io.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { assertFollowsSchema } from "../document/schema.js";
import {
  environmentOf,
  runIn,
  type Outcome,
  type World,
} from "../classic/scripted-io.js";

/** Connects stdout and stderr to a terminal. @param columns undefined: no terminal */
export function terminal(
  columns: number | undefined,
  environment: Readonly<Record<string, string>> = {},
): Pick<Io, "terminal" | "environment"> {
  return {
    terminal: {
      isTerminal: () => columns !== undefined,
      size: () => (columns === undefined ? undefined : { columns, rows: 24 }),
    },
    environment: environmentOf(environment),
  };
}

/**
 * Runs a subcommand. Each document that it prints must follow its schema.
 *
 * @param line words separated by single spaces
 * @returns its output as Unicode
 */
export async function subcommand(
  line: string,
  world: Partial<World> = {},
): Promise<Outcome> {
  const outcome = await runIn(world, async (io) => {
    const status = await mainSubcommands(line.split(" "), io);
    assert.ok(status !== undefined, `${line} is not a subcommand`);
    return status;
  });
  const decoded = (text: string) => Buffer.from(text, "latin1").toString();
  const stdout = decoded(outcome.stdout);
  assertFollowsSchema(stdout, line);
  return {
    ...outcome,
    stdout,
    stderr: decoded(outcome.stderr),
  };
}
