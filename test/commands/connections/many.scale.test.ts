import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { mainSubcommands } from "../../../src/subcommands.js";
import { runIn } from "../../classic/scripted-io.js";
import {
  connectionsFile,
  numberedConnection,
} from "../../fixtures/connections.js";
import { bytesInUse } from "../../fixtures/memory.js";

const MANY = 1_000_000;
/** How often the memory in use is measured. */
const CHARACTERS_BETWEEN_MEASUREMENTS = 20_000_000;

/** Runs the subcommand. @returns the number of lines, the first characters, and the most bytes in use */
async function run(words: string, connections: string) {
  let text = "";
  let lines = 0;
  let unseen = CHARACTERS_BETWEEN_MEASUREMENTS;
  let bytes = 0;
  const io = {
    connectionsFile: connections,
    stdout(piece: string) {
      if (text.length < 1000) text += piece;
      lines += piece.split("\n").length - 1;
      unseen += piece.length;
      if (unseen < CHARACTERS_BETWEEN_MEASUREMENTS) return;
      unseen = 0;
      bytes = Math.max(bytes, bytesInUse());
    },
  };
  const line = ["connections", ...words.split(" ")];
  const { status } = await runIn(
    { io },
    async (io) => (await mainSubcommands(line, io)) ?? 99,
  );
  assert.equal(status, 0);
  return { lines, text, bytes };
}

/** How often a speed test may try again: other load may slow the machine down. */
const RUNS = 4;

/** The costs of filtering and of reading, in milliseconds of processor time. */
function costs(words: string, file: string) {
  const program = join(import.meta.dirname, "filter-cost.js");
  const args = [program, file, String(MANY + 1), ...words.split(" ")];
  const text = execFileSync(process.execPath, args, { encoding: "utf8" });
  return JSON.parse(text) as { reading: number; filtering: number };
}

suite("a million connections", () => {
  let few: ReturnType<typeof connectionsFile>;
  let many: ReturnType<typeof connectionsFile>;
  before(() => {
    few = connectionsFile(1000);
    many = connectionsFile(MANY);
  });
  after(() => {
    few[Symbol.dispose]();
    many[Symbol.dispose]();
  });

  for (const [words, others] of [
    ["--templates", 2], // the title line and the totals
    ["--templates -o ndjson", 0],
    ["--templates -o csv", 1],
  ] as const)
    test(`connections ${words} shows them in the memory of a thousand`, async () => {
      await run(words, few.path); // so that code is loaded and compiled
      const less = await run(words, few.path);
      const more = await run(words, many.path);
      assert.equal(less.lines, 1000 + others);
      assert.equal(more.lines, MANY + others);
      const growth = more.bytes - less.bytes;
      assert.ok(growth < 4_000_000, `${growth} bytes more are in use`);
    });

  test("connections --top finds the largest of 200,000 clients with exact numbers", async () => {
    const { text } = await run("--top client 1 -o csv", many.path);
    const counts = new Map<string, number>();
    let most = 0;
    for (let i = 0; i < MANY; i++) {
      const { client, clientPort } = numberedConnection(i);
      if (clientPort === 0) continue; // a template
      const key = client.join(".");
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      most = Math.max(most, count);
    }
    const [, , connections, atMost] =
      /\n[^,]+,([^,]+),(\d+),(\d+),/.exec(text) ?? [];
    assert.deepEqual([Number(connections), Number(atMost)], [most, most]);
  });

  // The goal is half the speed of reading. The rest allows for other load on the machine.
  const SLOWEST = 3;
  for (const words of [
    "--count",
    "--client 10.0.1.0/24",
    "--server 10.1.0.7:8080 --count",
    "--state syn_recv --count",
    "tcp/192.0.2.7:80 --expires-within 5s",
  ])
    test(`connections ${words} filters them about as fast as the file is read`, () => {
      let cost = costs(words, many.path);
      for (let i = 1; i < RUNS && cost.filtering >= SLOWEST * cost.reading; i++)
        cost = costs(words, many.path);
      const { reading, filtering } = cost;
      assert.ok(
        filtering < SLOWEST * reading,
        `filtering took ${filtering} ms, reading ${reading} ms`,
      );
    });
});
