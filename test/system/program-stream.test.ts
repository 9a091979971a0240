import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { startProgram } from "../../src/system/program-stream.js";

suite("startProgram()", () => {
  test("startProgram() passes on output, and says how the program ended", async () => {
    let output = "";
    const program = startProgram(
      "/bin/sh",
      ["-c", "echo there; echo why >&2; exit 3"],
      (bytes) => (output += Buffer.from(bytes).toString()),
    );
    await program.started;
    assert.deepEqual(await program.ended, {
      status: 3,
      missing: false,
      complaint: "why\n",
    });
    assert.equal(output, "there\n");
    program.stop();
  });

  test("startProgram() says that a program does not exist", async () => {
    const program = startProgram("/nowhere/tcpdump", [], () => undefined);
    await program.started;
    const { status, missing } = await program.ended;
    assert.deepEqual({ status, missing }, { status: undefined, missing: true });
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
