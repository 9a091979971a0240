import assert from "node:assert/strict";
import { test } from "node:test";
import { classic, restored } from "./scripted-io.js";
import { commands, scriptedKernel, services } from "./scripted-kernel.js";

/* `-R` of src/classic/run.ts. The original does the same where a comment says so. */

const TRY = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.\n";

/**
 * Runs a text as -R on a kernel that knows which services exist. Returns stderr, status and
 * changes.
 */
async function run(text: string) {
  const link = scriptedKernel(services());
  const { stdout, stderr, status } = await restored(text, { link });
  return { stdout, stderr, status, changes: commands(link).flat() };
}

test("-R carries out each line, in one datagram", async () => {
  const link = scriptedKernel(services());
  const text = "-C\n-A -t 10.0.0.1:80\n-A -t 10.0.0.2:80\n";
  const { stderr, status } = await restored(text, { link });
  assert.deepEqual([stderr, status], ["", 0]);
  assert.deepEqual(commands(link), [[17, 1, 1]]);
});

test("-R of an empty input exits with status 0, and opens IPVS", async () => {
  const { status, log } = await restored("");
  assert.equal(status, 0);
  assert.ok(log.includes("open"));
});

test("-R reads nothing without IPVS", async () => {
  const link = scriptedKernel(undefined, () => false);
  const { stderr, status } = await restored("-Q\n", { link });
  assert.match(stderr, /^Can't initialize ipvs/);
  assert.ok(!stderr.includes("-Q"));
  assert.equal(status, 2);
});

test("-R reports a refusal, continues, and exits with the status of the last line", async () => {
  const last = await run("-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n");
  assert.deepEqual(
    [last.stderr, last.status],
    ["Service already exists\n", 255],
  );
  const middle = await run("-D -t 9.9.9.9:9\n-A -t 10.0.0.2:80\n");
  assert.deepEqual([middle.stderr, middle.status], ["No such service\n", 0]);
  assert.deepEqual(middle.changes, [3, 1]);
});

test("-R stops at a usage error; earlier lines are carried out, later ones are not", async () => {
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

test("-R continues after a scanner error", async () => {
  const { stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-A -Q\n-A -t 10.0.0.9:80\n",
  );
  assert.equal(stderr, "No such service\n-Q: unknown option\n");
  assert.equal(status, 0);
  assert.deepEqual(changes, [3, 1]);
});

test("-R exits with the status of a scanner error on the last line", async () => {
  const { stderr, status } = await run("-A -t 10.0.0.1:80\n-A -w\n");
  assert.deepEqual([stderr, status], ["-w: missing argument\n", 255]);
});

test("-R stops with a hint at a line that is not a command", async () => {
  const { stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-t 10.0.0.1:81\n-C\n",
  );
  assert.deepEqual([stderr, status], [`No such service\n${TRY}`, 255]);
  assert.deepEqual(changes, [3]);
});

test("-R rejects -R as a command", async () => {
  const { stderr, status, changes } = await run("-D -t 9.9.9.9:9\n-R\n-C\n");
  assert.deepEqual([stderr, status], [`No such service\n${TRY}`, 255]);
  assert.deepEqual(changes, [3]);
});

test("-R reports a usage error for -R with an option that it does not accept", async () => {
  const { stderr, status } = await run("-D -t 9.9.9.9:9\n--restore -n\n-L");
  assert.equal(
    stderr,
    "No such service\nIllegal 'numeric' option with the 'restore' command\n",
  );
  assert.equal(status, 2);
});

test("-R skips comments and empty lines, which do not change the status", async () => {
  const { stderr, status, changes } = await run(
    "# a comment\n\n-D -t 9.9.9.9:9\n\r\n  # another -C\n",
  );
  assert.deepEqual([stderr, status], ["No such service\n", 255]);
  assert.deepEqual(changes, [3]);
});

test("-R does not treat # after a command as a comment", async () => {
  const { stderr, status } = await run("-A -t 10.0.0.6:80 # foo\n");
  assert.deepEqual([stderr, status], ["unexpected argument #\n", 2]);
});

test("-R accepts the program's name before a command", async () => {
  const { status, changes } = await run(
    "ipvsadm -A -t 10.0.0.10:80\n ipvsadm -A -t 10.0.0.11:80 ipvsadm\nipvsadm\n\t-A\t-t 10.0.0.12:80\r\n",
  );
  assert.equal(status, 0);
  assert.deepEqual(changes, [1, 1, 1]);
});

test("-v and -h end -R with status 0, after the output of earlier lines", async () => {
  const { stdout, stderr, status, changes } = await run(
    "-D -t 9.9.9.9:9\n-v\n-C\n",
  );
  assert.match(stdout, /^ipvsadm v1\.31/);
  assert.deepEqual([stderr, status], ["No such service\n", 0]);
  assert.deepEqual(changes, [3]);
});

test("a listing in -R shows the changes of earlier lines", async () => {
  const { stdout, stderr, status, changes } = await run(
    "-A -t 10.0.0.1:80\n-A -t 10.0.0.1:80\n-L -n\n-A -t 10.0.0.2:80\n",
  );
  assert.match(stdout, /^IP Virtual Server/);
  assert.deepEqual([stderr, status], ["Service already exists\n", 0]);
  assert.deepEqual(changes, [1, 1, 4, 1]);
});

test("a failed listing ends -R with status 1", async () => {
  const { stdout, stderr, status } = await run("-L -n -t 10.0.9.9:80\n-v\n");
  assert.deepEqual([stdout, stderr, status], ["", "No such service\n", 1]);
});

test("-R reports any number of refusals in the order of the lines", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) =>
    i % 1000 === 999
      ? `--start-daemon master --syncid ${Math.floor(i / 1000)}`
      : "-D -t 9.9.9.9:9",
  );
  const link = scriptedKernel((_, attributes) =>
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

test("-R sends many changes in few datagrams", async () => {
  const link = scriptedKernel();
  await restored("-C\n".repeat(3000), { link });
  assert.equal(commands(link).flat().length, 3000);
  assert.ok(commands(link).length <= 4);
});

test("-R carries out the lines that are available before it waits for more", async () => {
  const link = scriptedKernel();
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

test("-R accepts no arguments and no options", async () => {
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
