import assert from "node:assert/strict";
import { test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { compare } from "../../../src/plan/compare.js";
import { KernelRefusal } from "../../../src/ipvs/errors.js";
import { TCP, type ServiceKey } from "../../../src/ipvs/model.js";
import { PlanFailed } from "../../../src/plan/plan-failed.js";
import type { Left } from "../../../src/plan/execute.js";
import { planOf, stepsOf } from "../../../src/plan/plan.js";
import { EBADF, EINVAL, ENOMEM } from "../../../src/netlink/errno.js";
import { SocketFault } from "../../../src/netlink/errors.js";
import type { Io } from "../../../src/runtime/io.js";
import { Progress } from "../../../src/runtime/progress.js";
import { readRules } from "../../../src/rules/read.js";
import {
  reportDone,
  reportFailed,
  reportOthers,
} from "../../../src/commands/apply/report.js";
import { Output } from "../../../src/cli/output.js";
import { parseArguments } from "../../../src/cli/parser.js";
import { applySpec } from "../../../src/commands/apply/spec.js";
import { runIn } from "../../classic/scripted-io.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const RULES = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80\n";

/** A work of three steps: add-server, edit-service and delete-server. */
async function work() {
  const file = await readRules("web.rules", RULES, {
    hostAddress: () => Promise.resolve(undefined),
    servicePort: () => undefined,
  });
  const existing = {
    services: [serviceEntry(WEB, {}, [serverEntry("10.0.0.1", 80)])],
  };
  const scope = { prune: true, keepWeights: false };
  const differences = compare(file.table, existing, scope);
  const plan = planOf(differences, false);
  return { subcommand: "apply", file, existing, differences, plan } as const;
}

const callWith = (options: readonly string[], io: Io) => ({
  given: parseArguments(applySpec, [...options, "web.rules"]),
  io,
  output: new Output(io, "never"),
  progress: new Progress(io),
});

/** What is told of a failure of that work. */
async function told(
  failed: (steps: ReturnType<typeof stepsOf>) => PlanFailed,
  signal?: "SIGTERM",
  options: readonly string[] = [],
) {
  const done = await work();
  return runIn({}, (io) =>
    Promise.resolve(
      reportFailed(
        done,
        failed(stepsOf(done.plan)),
        signal,
        callWith(options, io),
      ),
    ),
  );
}

/** What is told of that work with its removal left. */
async function toldLeft(
  options: readonly string[],
  state: Left["state"] = "busy",
) {
  const done = await work();
  return runIn({}, (io) => {
    const left = done.plan.remove.map((step) => ({ step, state }));
    reportDone(done, { done: [], left }, callWith(options, io));
    return Promise.resolve(0);
  });
}

test("what waits on is the same command, but for the backup that was written", async () => {
  const left =
    "ipvsadm: not removed, as there are real servers with connections: 10.0.0.1:80 of tcp/192.0.2.1:80: they stay at weight 0; the same command";
  assert.equal((await toldLeft([])).stderr, `${left} again waits on\n`);
  assert.equal(
    (await toldLeft(["--backup", "before.json"])).stderr,
    `${left} without --backup waits on\n`,
  );
});

const refusal = (errno: number) =>
  new KernelRefusal(errno, "edit-service", "TCP 192.0.2.1:80");

test("a server that somebody gave a weight again is not said to be at weight 0", async () => {
  const { stderr } = await toldLeft([], "undrained");
  assert.equal(
    stderr,
    "ipvsadm: not removed, as somebody gave real servers a weight again: 10.0.0.1:80 of tcp/192.0.2.1:80: nothing was waited for there; the same command again drains them anew\n",
  );
  for (const [state, result] of [
    ["busy", "draining"],
    ["undrained", "undrained"],
  ] as const) {
    const { stdout } = await toldLeft(["-o", "json"], state);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    const line = ["-d -t 192.0.2.1:80 -r 10.0.0.1:80"];
    assert.deepEqual(
      [document["result"], document["left"], document["undrained"]],
      [result, line, state === "undrained" ? line : undefined],
    );
  }
});

test("a refused rule is shown with its line, and that nothing had been done", async () => {
  const { stdout, stderr, status } = await told(
    (steps) => new PlanFailed(refusal(EINVAL), steps[1], [], [], []),
  );
  assert.deepEqual([stdout, status], ["", 1]);
  assert.equal(
    stderr,
    `web.rules:1:1: error: cannot edit service TCP 192.0.2.1:80: Invalid argument [refused]
 1 | -A -t 192.0.2.1:80 -s rr
   | ^
ipvsadm: nothing was changed
`,
  );
});

test("what is not in the file is told without a line, and whose counters are lost", async () => {
  const { stderr } = await told(
    (steps) =>
      new PlanFailed(
        new KernelRefusal(ENOMEM, "stop-daemon", "master"),
        steps[2],
        steps,
        [],
        [],
      ),
  );
  assert.equal(
    stderr,
    `ipvsadm: cannot stop daemon master: Cannot allocate memory
ipvsadm: the 3 changes that had been made were put back, the table is as it was, but for the counters of what had been removed
`,
  );
});

test("what stands, and what nobody knows, is told one by one", async () => {
  const failed = (steps: ReturnType<typeof stepsOf>) => {
    const [added, edited, removed] = steps;
    assert.ok(added && edited && removed);
    const [undo] = added.undo;
    assert.ok(undo);
    return new PlanFailed(
      new SocketFault(EBADF, "sendmsg"),
      edited,
      [added],
      [{ step: added, undo, failure: refusal(ENOMEM) }],
      [edited],
    );
  };
  const { stderr, status } = await told(failed);
  assert.equal(status, 3);
  assert.equal(
    stderr,
    `ipvsadm: cannot reach IPVS in the kernel: sendmsg: Bad file descriptor: the socket is closed; open a new one
ipvsadm: this stands: -a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1: it could not be taken back by -d -t 192.0.2.1:80 -r 10.0.0.2:80: cannot edit service TCP 192.0.2.1:80: Cannot allocate memory
ipvsadm: this may have been carried out: -E -t 192.0.2.1:80 -s rr
ipvsadm: not everything could be put back, the table is between the old and the new: 'ipvsadm diff' shows how far it is; 'ipvsadm restore' of a backup brings the old one back
`,
  );
  const json = await told(failed, undefined, ["-o", "json"]);
  const document = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual(
    ["reason", "failed", "undone", "standing", "unknown"].map(
      (name) => document[name],
    ),
    [
      "cannot reach IPVS in the kernel: sendmsg: Bad file descriptor",
      { command: "-E -t 192.0.2.1:80 -s rr", line: 1, column: 1 },
      0,
      ["-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1"],
      ["-E -t 192.0.2.1:80 -s rr"],
    ],
  );
});

test("a signal is told, with its status", async () => {
  const { stderr, status } = await told(
    (steps) => new PlanFailed("SIGTERM", undefined, steps.slice(0, 1), [], []),
    "SIGTERM",
  );
  assert.equal(status, 143);
  assert.equal(
    stderr,
    `ipvsadm: interrupted by SIGTERM
ipvsadm: the change that had been made was put back, the table is as it was
`,
  );
});

test("an error that nobody expected is not explained away", async () => {
  await assert.rejects(
    told(() => new PlanFailed(new TypeError("a bug"), undefined, [], [], [])),
    TypeError,
  );
});

test("a table that somebody else changed after that is told", async () => {
  const done = await work();
  const { stderr } = await runIn({}, (io) => {
    reportOthers(done, callWith([], io));
    return Promise.resolve(0);
  });
  assert.match(stderr, /^ipvsadm: the table is not as web\.rules has it/);
});
