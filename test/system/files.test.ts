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

/** The path of a file that does not exist yet. Its folder is deleted after the test. */
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

test("linesOf() removes line feeds", async (t) => {
  assert.deepEqual(await linesIn(t, "a\n\nb\r\n"), ["a", "", "b\r"]);
});

test("linesOf() returns a last line without a line feed", async (t) => {
  assert.deepEqual(await linesIn(t, "a\nb"), ["a", "b"]);
});

test("linesOf() returns no lines for an empty file", async (t) => {
  assert.deepEqual(await linesIn(t, ""), []);
});

test("linesOf() returns one character per byte", async (t) => {
  assert.deepEqual(await linesIn(t, "\xff\x00\xc3\xa4\n"), [
    "\xff\x00\xc3\xa4",
  ]);
});

test("linesOf() joins a line that is split between two reads", async (t) => {
  for (const shift of [-2, -1, 0, 1]) {
    const first = "x".repeat(CHUNK_BYTES + shift);
    assert.deepEqual(await linesIn(t, `${first}\nsecond\n`), [first, "second"]);
  }
});

test("linesOf() returns a line that is longer than many reads", async (t) => {
  const long = "y".repeat(3 * CHUNK_BYTES + 5);
  assert.deepEqual(await linesIn(t, `a\n${long}\nb`), ["a", long, "b"]);
});

test("linesOf() returns every line of a long file exactly once", async (t) => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}`);
  assert.deepEqual(await linesIn(t, lines.join("\n")), lines);
});

test("linesOf() throws the errno for a missing file", async () => {
  await assert.rejects(read("/nonexistent/file"), (error) => {
    const { errno, code } = error as NodeJS.ErrnoException;
    return typeof errno === "number" && code === "ENOENT";
  });
});

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

test("linesOf() closes the file, even if it was not read to the end", async (t) => {
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

test("linesOf() does not close a descriptor that it did not open", async (t) => {
  const file = place(t);
  writeFileSync(file, "a\n");
  const descriptor = openSync(file, "r");
  assert.deepEqual(await read(descriptor), ["a"]);
  closeSync(descriptor);
});

test("linesOf() waits for data from a non-blocking pipe", async (t) => {
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

test("blocksOf() returns whole lines of any length", async (t) => {
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

test("blocksOf() collects small reads up to the requested size", async (t) => {
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

test("blocksOf() returns a short file even if more bytes were requested", async (t) => {
  const file = place(t);
  writeFileSync(file, "a\nb\nc");
  const blocks: string[] = [];
  for await (const block of blocksOf(file, 1000)) blocks.push(String(block));
  assert.deepEqual(blocks, ["a\nb\nc"]);
});

test("sizeOf() returns the size of a file, and undefined for a device or a closed descriptor", (t) => {
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
