import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { commandOn } from "../../lab/network.js";
import type { Outcome } from "../../lab/program.js";

/** Our program on another host: in a process that stays, for starting one takes seconds in a guest. */
export interface Resident {
  run(words: readonly string[]): Promise<Outcome>;
  /** Several at the same time */
  runAll(lines: readonly (readonly string[])[]): Promise<Outcome[]>;
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL("resident-program.js", import.meta.url));

/** Starts it on a host, in its namespaces. It ends with this process at the latest. */
export function startResident(host: string): Resident {
  const words = commandOn(host, [process.execPath, PROGRAM]);
  const [file = "", ...rest] = words;
  const child = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const runAll = async (all: readonly (readonly string[])[]) => {
    child.stdin.write(`${JSON.stringify(all)}\n`);
    const line = await lines.next();
    if (line.done) throw new Error(`the program on ${host} has ended`);
    return JSON.parse(line.value) as Outcome[];
  };
  return {
    async run(words) {
      const [outcome] = await runAll([words]);
      if (!outcome) throw new Error(`the program on ${host} printed nothing`);
      return outcome;
    },
    runAll,
    async stop() {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}
