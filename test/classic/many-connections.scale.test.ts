import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsFile } from "../fixtures/connections.js";
import { bytesInUse } from "../fixtures/memory.js";
import { classic } from "./scripted-io.js";

/** How often the memory usage is sampled. */
const CHARACTERS_BETWEEN_LOOKS = 8_000_000;

const LINE_FEED = 0x0a;

/**
 * Lists a number of connections.
 *
 * @returns the number of lines, and the maximum number of bytes in use
 */
async function list(count: number): Promise<{ lines: number; bytes: number }> {
  using file = connectionsFile(count);
  let lines = 0;
  let unseen = CHARACTERS_BETWEEN_LOOKS;
  let bytes = 0;
  const { status } = await classic("-Lnc", {
    io: {
      connectionsFile: file.path,
      stdout(text) {
        lines += text.split("\n").length - 1;
      },
      stdoutBytes(text) {
        for (const byte of text) if (byte === LINE_FEED) lines++;
        unseen += text.length;
        if (unseen < CHARACTERS_BETWEEN_LOOKS) return;
        unseen = 0;
        bytes = Math.max(bytes, bytesInUse());
      },
    },
  });
  assert.equal(status, 0);
  return { lines, bytes };
}

test("-Lnc needs no more memory for a million connections than for a thousand", async () => {
  await list(1000); // compiles and loads everything once
  const few = await list(1000);
  const many = await list(1_000_000);
  assert.deepEqual([few.lines, many.lines], [1002, 1_000_002]);
  const growth = many.bytes - few.bytes;
  // The file has 66 MB, the listing more.
  assert.ok(growth < 4_000_000, `${growth} bytes more are in use`);
});
