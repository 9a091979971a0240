import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsFile } from "../fixtures/connections.js";
import { bytesInUse } from "../fixtures/memory.js";
import { classic } from "./fake-io.js";

/** How often the memory in use is looked at. */
const CHARACTERS_BETWEEN_LOOKS = 8_000_000;

const LINE_FEED = 0x0a;

/** Lists so many connections. @returns the lines of the listing, and the most bytes in use meanwhile */
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

test("a listing of a million connections takes no more memory than one of a thousand", async () => {
  await list(1000); // what is compiled and loaded once
  const few = await list(1000);
  const many = await list(1_000_000);
  assert.deepEqual([few.lines, many.lines], [1002, 1_000_002]);
  const growth = many.bytes - few.bytes;
  // The million lines of the file are 66 MB, those of the listing more.
  assert.ok(growth < 4_000_000, `${growth} bytes more are in use`);
});
