import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import {
  OutputClosed,
  processStreams,
  writeByNode,
} from "../../src/system/streams.js";

const MODULE = new URL("../../src/system/streams.js", import.meta.url).href;

/** Runs code in a process of its own, with `streams` and `OutputClosed` in scope. */
function run(code: string, { shell = "", stdin = "" } = {}) {
  const script = `
    const { processStreams, OutputClosed, writeByNode } = await import(${JSON.stringify(MODULE)});
    const streams = processStreams(writeByNode);
    ${code}`;
  const words = [process.execPath, "--input-type=module", "-e", script];
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const { stdout, stderr, status } = spawnSync(
    "/bin/bash",
    ["--norc", "-c", `${quoted.join(" ")} ${shell}`],
    { input: Buffer.from(stdin, "latin1"), maxBuffer: 100_000_000 },
  );
  return {
    stdout: stdout.toString("latin1"),
    stderr: stderr.toString("latin1"),
    status,
  };
}

test("stdout() buffers output until flush()", () => {
  const { stdout } = run(`
    streams.stdout("written ");
    streams.flush();
    streams.stdout("kept");
    streams.flush();
    streams.stdout("lost");`);
  assert.equal(stdout, "written kept");
});

test("stdout() writes large output at once", () => {
  const { stdout } = run(`streams.stdout("x".repeat(64 * 1024));`);
  assert.equal(stdout.length, 64 * 1024);
});

test("stdoutBytes() writes bytes unchanged and in order, for all sizes", () => {
  const written: Buffer[] = [];
  const streams = processStreams((_descriptor, bytes) => {
    written.push(Buffer.from(bytes));
    return bytes.length;
  });
  const many = Buffer.alloc(100_000, "\xe4", "latin1");
  const few = Buffer.from("few\xff", "latin1");
  streams.stdout("a");
  streams.stdoutBytes(few);
  few.fill(0); // the caller may reuse the array
  streams.stdout("b");
  streams.stdoutBytes(many);
  streams.stdout("c");
  streams.flush();
  assert.equal(
    Buffer.concat(written).toString("latin1"),
    `afew\xffb${"\xe4".repeat(100_000)}c`,
  );
  assert.equal(written.length, 3);
});

test("processStreams() continues after a signal and after a partial write", () => {
  let written = "";
  const interrupted = Object.assign(new Error("EINTR"), { code: "EINTR" });
  let calls = 0;
  const streams = processStreams((_descriptor, bytes) => {
    if (calls++ % 2 === 0) throw interrupted;
    const some = Buffer.from(bytes).toString("latin1").slice(0, 3);
    written += some;
    return some.length;
  });
  streams.stdout("10 letters");
  assert.equal(streams.flush(), undefined);
  assert.equal(written, "10 letters");
});

test("stdin and stdout have one character per byte", () => {
  const { stdout, stderr } = run(
    `for await (const lines of streams.stdin())
       for (const line of lines) { streams.stdout(line + "\\n"); streams.stderr(line); }
     streams.flush();`,
    { stdin: "\xff\xfe\xc3\xa4\n" },
  );
  assert.equal(stdout, "\xff\xfe\xc3\xa4\n");
  assert.equal(stderr, "\xff\xfe\xc3\xa4");
});

test("stderr() writes at once, before output that is buffered for a pipe", () => {
  const { stdout } = run(
    `streams.stdout("out "); streams.stderr("err "); streams.flush();`,
    { shell: "2>&1" },
  );
  assert.equal(stdout, "err out ");
});

test("processStreams() writes everything to a slow reader of a non-blocking pipe", () => {
  const { stdout } = run(
    // Reading process.stdout is enough to make Node.js change the pipe.
    `void process.stdout; streams.stdout("y".repeat(3_000_000)); streams.flush();`,
    { shell: "| { sleep 0.2; cat; }" },
  );
  assert.equal(stdout.length, 3_000_000);
});

test("stdout() throws OutputClosed if the reader is gone", () => {
  const { stderr } = run(
    `try { for (;;) streams.stdout("z".repeat(100_000)); }
     catch (error) { streams.stderr(String(error instanceof OutputClosed)); }`,
    { shell: "| head -c 1" },
  );
  assert.equal(stderr, "true");
});

test("stdout() ignores other write errors, so that the exit status stays the same", () => {
  const { stderr, status } = run(
    `streams.stdout("full"); streams.flush(); process.exit(7);`,
    { shell: ">/dev/full" },
  );
  assert.deepEqual([stderr, status], ["", 7]);
});

test("stdoutBytes() ignores write errors until flush(), and writes nothing after them", () => {
  const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  let calls = 0;
  const streams = processStreams(() => {
    calls++;
    throw full;
  });
  streams.stdoutBytes(Buffer.alloc(100_000));
  streams.stdoutBytes(Buffer.alloc(100_000));
  streams.stdout("more");
  assert.equal(streams.flush(), "ENOSPC");
  assert.equal(calls, 1);
});

test("stdoutBytes() throws OutputClosed if the reader is gone", () => {
  const gone = Object.assign(new Error("EPIPE"), { code: "EPIPE" });
  const streams = processStreams(() => {
    throw gone;
  });
  assert.throws(() => {
    streams.stdoutBytes(Buffer.alloc(100_000));
  }, OutputClosed);
});

test("flush() without output does nothing", () => {
  processStreams(writeByNode).flush();
  assert.equal(new OutputClosed().name, "OutputClosed");
});
