import assert from "node:assert/strict";
import { test } from "node:test";
import { subcommand } from "../run-subcommand.js";

test("setup gives the backup director the other role of the table's sync daemon", async () => {
  const rules = [
    "-A -t 192.0.2.1:80",
    "-a -t 192.0.2.1:80 -r 10.0.0.11:80 -g",
    "--start-daemon master --mcast-interface eth1",
    "",
  ];
  const daemonsOf = async (machine: string, more = "") => {
    const { stdout } = await subcommand(
      `setup - --backup 10.0.0.3 --for ${machine}${more}`,
      { stdin: [rules] },
    );
    return stdout.split("\n").filter((line) => line.includes("-daemon "));
  };
  assert.deepEqual(await daemonsOf("director"), [
    "--start-daemon master --mcast-interface eth1 --syncid 0",
  ]);
  assert.deepEqual(await daemonsOf("backup"), [
    "--start-daemon backup --mcast-interface eth1 --syncid 0",
  ]);
  assert.deepEqual(await daemonsOf("backup", " --undo"), [
    "--stop-daemon backup",
  ]);
});
