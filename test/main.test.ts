import assert from "node:assert/strict";
import { test } from "node:test";
import { main } from "../src/main.js";
import { OutputClosed } from "../src/system/streams.js";
import { runIn } from "./classic/scripted-io.js";

/** A command line that is classic loads no subcommands. */
const noWords = () => Promise.reject(new Error("subcommands were loaded"));

test("main() returns the exit status and writes all output", async () => {
  const { status, stdout, log } = await runIn({}, (io) =>
    main(["-v"], io, noWords),
  );
  assert.equal(status, 0);
  assert.match(stdout, /^ipvsadm v1\.31/);
  assert.deepEqual(log, ["flush"]);
});

test("main() returns the status of SIGPIPE if the reader is gone", async () => {
  const flush = () => {
    throw new OutputClosed();
  };
  const stdout = flush;
  for (const io of [{ flush }, { stdout }]) {
    const { status } = await runIn({ io }, (io) => main(["-v"], io, noWords));
    assert.equal(status, 141);
  }
});

test("main() passes on unexpected errors", async () => {
  const bug = new TypeError("a bug");
  const io = {
    stdout() {
      throw bug;
    },
  };
  await assert.rejects(
    runIn({ io }, (io) => main(["-v"], io, noWords)),
    bug,
  );
});

test("main() runs subcommands for words, and the classic parser for words that they do not know", async () => {
  const asked: string[][] = [];
  const words = (status: number | undefined) => (words: readonly string[]) => {
    asked.push([...words]);
    return Promise.resolve(status);
  };
  const list = await runIn({}, (io) => main(["list", "-w"], io, words(3)));
  assert.deepEqual([list.status, list.stdout, list.stderr], [3, "", ""]);
  const other = await runIn({}, (io) => main(["foo"], io, words(undefined)));
  assert.equal(other.status, 255);
  assert.match(other.stderr, /^Try `/);
  assert.deepEqual(asked, [["list", "-w"], ["foo"]]);
});
