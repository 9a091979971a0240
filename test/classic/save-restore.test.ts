import assert from "node:assert/strict";
import { test } from "node:test";
import { runRestore } from "../../src/classic/restore.js";
import { runSave } from "../../src/classic/save.js";
import { SERVICE } from "../fixtures/replies.js";
import { runIn } from "./scripted-io.js";
import { commands, scriptedKernel, services } from "./scripted-kernel.js";

function saved(words: readonly string[]) {
  const link = scriptedKernel((command) =>
    command === 4 ? { messages: [SERVICE] } : {},
  );
  const names = {
    hostAddress: () => Promise.resolve(undefined),
    hostName: () => Promise.resolve("web.example"),
    servicePort: () => undefined,
    serviceName: () => "http",
  };
  return runIn({ link, io: { names } }, (io) => runSave(words, io));
}

async function restored(text: string, link = scriptedKernel(services())) {
  const stdin = [text.split("\n")];
  const outcome = await runIn({ link, stdin }, runRestore);
  return { ...outcome, changes: commands(link) };
}

test("ipvsadm-save writes the table with names, or with numbers", async () => {
  const named = await saved([]);
  assert.match(named.stdout, /^-A -t web\.example:http -s wrr/);
  const numeric = await saved(["-n"]);
  assert.match(numeric.stdout, /^-A -t 192\.0\.2\.1:80 -s wrr/);
  assert.deepEqual([named.status, numeric.status], [0, 0]);
});

test("ipvsadm-save shows its help for any other option", async () => {
  for (const words of [["-h"], ["-n", "--help"], ["-x"]]) {
    const { stdout, stderr, status, log } = await saved(words);
    assert.match(stderr, /^ipvsadm-save: /);
    assert.deepEqual([stdout, status, log], ["", 1, []]);
  }
});

test("ipvsadm-restore replaces the table by the rules", async () => {
  const { stderr, status, changes } = await restored(
    "# saved yesterday\n-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.1.1\n",
  );
  assert.deepEqual([stderr, status], ["", 0]);
  assert.deepEqual(changes.flat(), [17, 1, 5]);
});

test("ipvsadm-restore of nothing clears the table", async () => {
  const { status, changes } = await restored("");
  assert.equal(status, 0);
  assert.deepEqual(changes.flat(), [17]);
});

test("ipvsadm-restore names every mistake and changes nothing", async () => {
  const { stderr, status, changes } = await restored(
    "-A -t 10.0.0.1:80\n\n-A -t 10.0.0.2\n-A -Q\n-R\n",
  );
  assert.equal(
    stderr,
    `ipvsadm-restore: line 3: Zero port specified for non-persistent service
ipvsadm-restore: line 4: -Q: unknown option
ipvsadm-restore: line 5: Try \`ipvsadm -h' or 'ipvsadm --help' for more information.
ipvsadm-restore: nothing was changed
`,
  );
  assert.equal(status, 2);
  assert.deepEqual(changes, []);
});

test("ipvsadm-restore skips a byte order mark", async () => {
  const { stderr, status, changes } = await restored(
    "\xef\xbb\xbf-A -t 192.0.2.1:80\n",
  );
  assert.deepEqual([stderr, status], ["", 0]);
  assert.equal(changes.length, 2);
});

test("ipvsadm-restore says what pasted text is", async () => {
  const { stderr, status, changes } = await restored(
    "-A -t 192.0.2.1:80 # web\nsudo ipvsadm -A -f 7\n\xe2\x80\x93A -f 8\n",
  );
  assert.equal(
    stderr,
    `ipvsadm-restore: line 1: unexpected argument #; a comment needs its own line
ipvsadm-restore: line 2: unexpected argument sudo; remove sudo
ipvsadm-restore: line 3: not a rule; "\xe2\x80\x93" is a typographic dash: write "-" or "--"
ipvsadm-restore: nothing was changed
`,
  );
  assert.notEqual(status, 0);
  assert.deepEqual(changes, []);
});

test("ipvsadm-restore reports a listing once", async () => {
  const { stderr, status, changes } = await restored(
    `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  192.0.2.1:80 rr
`,
  );
  assert.equal(
    stderr,
    `ipvsadm-restore: line 1: this is a listing, not rules: save rules with 'ipvsadm-save -n' or 'ipvsadm -Sn'
ipvsadm-restore: nothing was changed
`,
  );
  assert.notEqual(status, 0);
  assert.deepEqual(changes, []);
});

test("ipvsadm-restore tells what the kernel refuses and goes on", async () => {
  const { stderr, status, changes } = await restored(
    "-D -t 9.9.9.9:9\n-A -t 10.0.0.1:80\n",
  );
  assert.deepEqual([stderr, status], ["No such service\n", 0]);
  assert.deepEqual(changes.flat(), [17, 3, 1]);
});
