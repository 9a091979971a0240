import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { startProgram } from "../../src/system/program-stream.js";

suite("startProgram()", () => {
  const run = async (path: string, args: readonly string[]) => {
    let text = "";
    const program = startProgram(path, args, (bytes) => {
      text += Buffer.from(bytes).toString("latin1");
    });
    await program.started;
    return { program, text: () => text };
  };

  test("startProgram() passes on what a program prints until it is stopped", async () => {
    const { program, text } = await run("/bin/sh", [
      "-c",
      "trap 'echo bye >&2; exit 3' INT; echo hello; while :; do sleep 0.01; done",
    ]);
    assert.equal(text(), "hello\n");
    program.stop();
    const { status, complaint, missing } = await program.ended;
    assert.deepEqual([status, complaint, missing], [3, "bye\n", false]);
    program.stop(); // does nothing
  });

  test("startProgram() kills a program that does not end", async () => {
    const { program } = await run("/bin/sh", [
      "-c",
      "trap '' INT; echo hello; while :; do sleep 0.01; done",
    ]);
    program.stop();
    assert.equal((await program.ended).status, undefined);
  });

  test("startProgram() tells a program that is not there from one that fails", async () => {
    const missing = await run("/nonexistent/tcpdump", []);
    assert.equal((await missing.program.ended).missing, true);
    const failing = await run("/bin/sh", ["-c", "echo no >&2; exit 2"]);
    const {
      status,
      complaint,
      missing: isMissing,
    } = await failing.program.ended;
    assert.deepEqual([status, complaint, isMissing], [2, "no\n", false]);
  });

  test("startProgram() ends a program that ignores SIGINT and whose child keeps its output open", async () => {
    let output = "";
    const program = startProgram(
      "/bin/sh",
      ["-c", "trap '' INT; sleep 100000 & echo $!; wait"],
      (bytes) => (output += Buffer.from(bytes).toString()),
    );
    await program.started;
    program.stop();
    const { status } = await program.ended;
    process.kill(Number(output), "SIGKILL");
    assert.equal(status, undefined);
  });
});
