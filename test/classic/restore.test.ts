import assert from "node:assert/strict";
import { test } from "node:test";
import { classic, restored } from "./fake-io.js";
import { commands, fakeKernel, services } from "./fake-kernel.js";

/*
 * `-R` of src/classic/run.ts. Where the text says so, the original was seen to do the same.
 */

const TRY = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n";

/** What a text does to a kernel that knows which services there are: stderr, status, changes. */
async function run(text: string) {
  const link = fakeKernel(services());
  const { stdout, stderr, status } = await restored(text, { link });
  return { stdout, stderr, status, changes: commands(link).flat() };
}

test("each line is carried out, in one datagram", async () => {
  const link = fakeKernel(services());
  const text = "-C\n-A -t 10.0.0.1:80\n-A -t 10.0.0.2:80\n";
  const { stderr, status } = await restored(text, { link });
  assert.deepEqual([stderr, status], ["", 0]);
  assert.deepEqual(commands(link), [[17, 1, 1]]);
});

test("nothing to restore is status 0, and IPVS was asked for", async () => {
  const { status, log } = await restored("");
  assert.equal(status, 0);
  assert.ok(log.includes("open"));
});

test("without IPVS nothing is read", async () => {
  const link = fakeKernel(undefined, () => false);
  const { stderr, status } = await restored("-Q\n", { link });
  assert.match(stderr, /^Can't initialize ipvs/);
  assert.ok(!stderr.includes("-Q"));
  assert.equal(status, 2);
});

test("a refusal is told, and the next line goes on; the status is that of the last", async () => {
  const last = await run("-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n");
  assert.deepEqual(
    [last.stderr, last.status],
    ["Service already exists\n", 255],
  );
  const middle = await run("-D -t 9.9.9.9:9\n-A -t 10.0.0.2:80\n");
  assert.deepEqual([middle.stderr, middle.status], ["No such service\n", 0]);
  assert.deepEqual(middle.changes, [3, 1]);
});

test("a usage fault ends the run; what came before is carried out, what comes behind is not", async () => {
  const { stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-A -t 10.0.0.7\n-A -t 10.0.0.8:80\n",
  );
  assert.equal(
    stderr,
    "No such service\nZero port specified for non-persistent service\n",
  );
  assert.equal(status, 2);
  assert.deepEqual(changes, [3]);
});

test("after a fault of the scanner the run goes on", async () => {
  const { stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-A -Q\n-A -t 10.0.0.9:80\n",
  );
  assert.equal(stderr, "No such service\n-Q: unknown option\n");
  assert.equal(status, 0);
  assert.deepEqual(changes, [3, 1]);
});

test("a fault of the scanner on the last line is the status", async () => {
  const { stderr, status } = await run("-A -t 10.0.0.1:80\n-A -w\n");
  assert.deepEqual([stderr, status], ["-w: missing argument\n", 255]);
});

test("a line that is no command ends the run with a hint", async () => {
  const { stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-t 10.0.0.1:81\n-C\n",
  );
  assert.deepEqual([stderr, status], [`No such service\n${TRY}`, 255]);
  assert.deepEqual(changes, [3]);
});

test("-R within -R is no command", async () => {
  const { stderr, status, changes } = await run("-D -t 9.9.9.9:9\n-R\n-C\n");
  assert.deepEqual([stderr, status], [`No such service\n${TRY}`, 255]);
  assert.deepEqual(changes, [3]);
});

test("-R within -R with an option that it does not take is a usage fault", async () => {
  const { stderr, status } = await run("-D -t 9.9.9.9:9\n--restore -n\n-L");
  assert.equal(
    stderr,
    "No such service\nIllegal 'numeric' option with the 'restore' command\n",
  );
  assert.equal(status, 2);
});

test("comments and empty lines are skipped, and leave the status alone", async () => {
  const { stderr, status, changes } = await run(
    "# a comment\n\n-D -t 9.9.9.9:9\n\r\n  # another -C\n",
  );
  assert.deepEqual([stderr, status], ["No such service\n", 255]);
  assert.deepEqual(changes, [3]);
});

test("a comment behind a command is none", async () => {
  const { stderr, status } = await run("-A -t 10.0.0.6:80 # foo\n");
  assert.deepEqual([stderr, status], ["unexpected argument #\n", 2]);
});

test("the program's name may stand before a command", async () => {
  const { status, changes } = await run(
    "ipvsadm -A -t 10.0.0.10:80\n ipvsadm -A -t 10.0.0.11:80 ipvsadm\nipvsadm\n\t-A\t-t 10.0.0.12:80\r\n",
  );
  assert.equal(status, 0);
  assert.deepEqual(changes, [1, 1, 1]);
});

test("-v and -h end the run with status 0, after what came before", async () => {
  const { stdout, stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-v\n-C\n",
  );
  assert.match(stdout, /^ipvsadm v1\.31/);
  assert.deepEqual([stderr, status], ["No such service\n", 0]);
  assert.deepEqual(changes, [3]);
});

test("a listing shows what the lines before it did", async () => {
  const { stdout, stderr, status, changes } = await run(
    "-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-L -n\n-A -t 10.0.0.2:80\n",
  );
  assert.match(stdout, /^IP Virtual Server/);
  assert.deepEqual([stderr, status], ["Service already exists\n", 0]);
  assert.deepEqual(changes, [1, 1, 4, 1]);
});

test("a listing that fails ends the run with status 1", async () => {
  const { stdout, stderr, status } = await run("-L -n -t 10.0.9.9:80\n-v\n");
  assert.deepEqual([stdout, stderr, status], ["", "No such service\n", 1]);
});

test("refusals are told in the order of the lines, be they ever so many", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) =>
    i % 1000 === 999
      ? `--start-daemon master --syncid ${Math.floor(i / 1000)}`
      : "-D -t 9.9.9.9:9",
  );
  const link = fakeKernel((_, attributes) =>
    attributes.endsWith("0800030001000000")
      ? { errno: 19 }
      : { errno: attributes.includes("65746830") ? 17 : 3 },
  );
  const { stderr, status } = await restored(lines.join("\n"), { link });
  const said = stderr.split("\n");
  assert.equal(said.length, 3001);
  assert.equal(said[0], "No such service");
  assert.deepEqual(
    [said[999], said[1999], said[2999]],
    ["Daemon has already run", "No such device", "Daemon has already run"],
  );
  assert.equal(status, 255);
});

test("a long run goes in few datagrams", async () => {
  const link = fakeKernel();
  await restored("-C\n".repeat(3000), { link });
  assert.equal(commands(link).flat().length, 3000);
  assert.ok(commands(link).length <= 4);
});

test("what is there is carried out before more is waited for", async () => {
  const link = fakeKernel();
  const seen: number[] = [];
  const io = {
    async *stdin() {
      yield await Promise.resolve(["-C"]);
      seen.push(commands(link).flat().length);
      yield ["-C", "-C"];
      seen.push(commands(link).flat().length);
    },
  };
  await classic("-R", { link, io });
  assert.deepEqual(seen, [1, 3]);
});

test("-R takes no words and no options", async () => {
  for (const [line, sentence] of [
    ["-R -n", "Illegal 'numeric' option with the 'restore' command"],
    [
      "-R -t 10.0.0.1:80",
      "Illegal 'service-address' option with the 'restore' command",
    ],
    ["--restore foo", "unexpected argument foo"],
  ] as const) {
    const { stderr, status } = await classic(line, { stdin: [["-C"]] });
    assert.deepEqual([stderr, status], [`${sentence}\n`, 2]);
  }
});
