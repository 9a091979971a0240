/**
 * Compares the cost of a question about a file of connections with the cost of reading the file.
 *
 *     node filter-cost.js FILE LINES WORD...
 *
 * Prints `{"reading": MS, "filtering": MS}`: milliseconds of processor time, the best of some
 * rounds. It is a program of its own because a command's process answers one question: other
 * questions before it would change how the machine code for it is compiled.
 */
import assert from "node:assert/strict";
import { mainSubcommands } from "../../../src/subcommands.js";
import { linesOf } from "../../../src/system/files.js";
import { runIn } from "../../classic/scripted-io.js";

const ROUNDS = 8;

const [file = "", expectedLines, ...words] = process.argv.slice(2);

async function read() {
  let lines = 0;
  for await (const some of linesOf(file)) lines += some.length;
  assert.equal(lines, Number(expectedLines));
}

async function filter() {
  const io = { connectionsFile: file, stdout: () => undefined };
  const line = ["connections", ...words];
  const { status } = await runIn(
    { io },
    async (io) => (await mainSubcommands(line, io)) ?? 99,
  );
  assert.equal(status, 0);
}

async function cost(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

let [reading, filtering] = [Infinity, Infinity];
for (let i = 0; i < ROUNDS; i++) {
  reading = Math.min(reading, await cost(read));
  filtering = Math.min(filtering, await cost(filter));
}
console.log(JSON.stringify({ reading, filtering }));
