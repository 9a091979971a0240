import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { blocksOf, linesOf, sizeOf } from "../../src/system/files.js";

const CHUNK_BYTES = 64 * 1024;

/** The path of a file that is not there yet, in a folder for as long as the test runs. */
function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, "file");
}

async function read(file: string | number): Promise<string[]> {
  const all: string[] = [];
  for await (const lines of linesOf(file)) all.push(...lines);
  return all;
}

async function linesIn(t: TestContext, text: string): Promise<string[]> {
  const file = place(t);
  writeFileSync(file, text, "latin1");
  return read(file);
}

test("lines come without their line feeds", async (t) => {
  assert.deepEqual(await linesIn(t, "a\n\nb\r\n"), ["a", "", "b\r"]);
});

test("an unfinished last line counts", async (t) => {
  assert.deepEqual(await linesIn(t, "a\nb"), ["a", "b"]);
});

test("an empty file has no lines", async (t) => {
  assert.deepEqual(await linesIn(t, ""), []);
});

test("a line is one character a byte", async (t) => {
  assert.deepEqual(await linesIn(t, "\xff\x00\xc3\xa4\n"), [
    "\xff\x00\xc3\xa4",
  ]);
});

test("a line that lies in two chunks is one", async (t) => {
  for (const shift of [-2, -1, 0, 1]) {
    const first = "x".repeat(CHUNK_BYTES + shift);
    assert.deepEqual(await linesIn(t, `${first}\nsecond\n`), [first, "second"]);
  }
});

test("a line may be longer than many chunks", async (t) => {
  const long = "y".repeat(3 * CHUNK_BYTES + 5);
  assert.deepEqual(await linesIn(t, `a\n${long}\nb`), ["a", long, "b"]);
});

test("many lines come in chunks, none lost and none twice", async (t) => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}`);
  assert.deepEqual(await linesIn(t, lines.join("\n")), lines);
});

test("a file that is not there is an error with its errno", async () => {
  await assert.rejects(read("/nonexistent/file"), (error) => {
    const { errno, code } = error as NodeJS.ErrnoException;
    return typeof errno === "number" && code === "ENOENT";
  });
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

test("a file is closed, be it read to the end or not", async (t) => {
  const file = place(t);
  writeFileSync(file, "a\n".repeat(CHUNK_BYTES));
  const before = openFiles();
  await read(file);
  for await (const lines of linesOf(file)) {
    assert.ok(lines.length > 0);
    break;
  }
  assert.equal(openFiles(), before);
});

test("an open file is not closed: it is its owner's", async (t) => {
  const file = place(t);
  writeFileSync(file, "a\n");
  const descriptor = openSync(file, "r");
  assert.deepEqual(await read(descriptor), ["a"]);
  closeSync(descriptor);
});

test("where there is nothing to be read yet, it is waited for", async (t) => {
  const fifo = place(t);
  assert.equal(spawnSync("mkfifo", [fifo]).status, 0);
  const { O_RDWR, O_NONBLOCK } = constants;
  const descriptor = openSync(fifo, O_RDWR | O_NONBLOCK);
  const lines = linesOf(descriptor);
  const next = lines.next();
  setTimeout(() => {
    writeSync(descriptor, "late\n");
  }, 20);
  assert.deepEqual((await next).value, ["late"]);
  await lines.return(undefined);
  closeSync(descriptor);
});

test("as bytes, lines come whole and in chunks, as long as they may be", async (t) => {
  const file = place(t);
  const text = [
    "a",
    "b".repeat(3 * CHUNK_BYTES),
    "",
    "\xff",
    "c".repeat(CHUNK_BYTES),
  ];
  for (const end of ["", "\n"]) {
    writeFileSync(file, text.join("\n") + end, "latin1");
    const blocks: string[] = [];
    for await (const block of blocksOf(file))
      blocks.push(block.toString("latin1"));
    assert.equal(blocks.join(""), text.join("\n") + end);
    assert.ok(blocks.length > 1);
    for (const block of blocks.slice(0, -1)) assert.ok(block.endsWith("\n"));
  }
});

test("small chunks are gathered, where many bytes are wanted at once", async (t) => {
  const fifo = place(t);
  assert.equal(spawnSync("mkfifo", [fifo]).status, 0);
  const { O_RDWR, O_NONBLOCK } = constants;
  const descriptor = openSync(fifo, O_RDWR | O_NONBLOCK);
  const blocks = blocksOf(descriptor, 10);
  const next = blocks.next();
  for (const piece of ["a\nb", "\nc\nd", "\neeee\nff"]) {
    writeSync(descriptor, piece);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(String((await next).value), "a\nb\nc\nd\neeee\n");
  await blocks.return(undefined);
  closeSync(descriptor);
});

test("where many bytes are wanted and few are there, those come", async (t) => {
  const file = place(t);
  writeFileSync(file, "a\nb\nc");
  const blocks: string[] = [];
  for await (const block of blocksOf(file, 1000)) blocks.push(String(block));
  assert.deepEqual(blocks, ["a\nb\nc"]);
});

test("a file tells how long it is, a device and what is not open do not", (t) => {
  const file = place(t);
  writeFileSync(file, "-C\n");
  for (const [path, size] of [
    [file, 3],
    ["/dev/null", undefined],
  ] as const) {
    const descriptor = openSync(path, "r");
    assert.equal(sizeOf(descriptor), size);
    closeSync(descriptor);
  }
  assert.equal(sizeOf(-1), undefined);
});
