import assert from "node:assert/strict";
import { test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { compare } from "../../../src/plan/compare.js";
import { KernelRefusal } from "../../../src/ipvs/errors.js";
import { TCP, type ServiceKey } from "../../../src/ipvs/model.js";
import { PlanFailed } from "../../../src/plan/plan-failed.js";
import type { SkippedRemoval } from "../../../src/plan/execute-plan.js";
import { makePlan, allSteps } from "../../../src/plan/plan.js";
import { EBADF, EINVAL, ENOENT, ENOMEM } from "../../../src/netlink/errno.js";
import { SocketFault } from "../../../src/netlink/errors.js";
import type { Io } from "../../../src/runtime/io.js";
import { Progress } from "../../../src/runtime/progress.js";
import { readRules } from "../../../src/rules/read-rules.js";
import {
  reportDone,
  reportFailed,
  reportMismatch,
} from "../../../src/commands/apply/apply-report.js";
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

/** A plan of three steps: add-server, edit-service and delete-server. */
async function prepared() {
  const file = await readRules("web.rules", RULES, {
    hostAddress: () => Promise.resolve(undefined),
    servicePort: () => undefined,
  });
  const current = {
    services: [serviceEntry(WEB, {}, [serverEntry("10.0.0.1", 80)])],
  };
  const scope = { prune: true, keepWeights: false };
  const differences = compare(file.table, current, scope);
  const plan = makePlan(differences, false);
  return { subcommand: "apply", file, current, differences, plan } as const;
}

const callWith = (options: readonly string[], io: Io) => ({
  given: parseArguments(applySpec, [...options, "web.rules"]),
  io,
  output: new Output(io, "never"),
  progress: new Progress(io),
});

/** What reportFailed() prints for a failure of that plan. */
async function reportOf(
  failed: (steps: ReturnType<typeof allSteps>) => PlanFailed,
  signal?: "SIGTERM",
  options: readonly string[] = [],
) {
  const one = await prepared();
  return runIn({}, (io) =>
    Promise.resolve(
      reportFailed(
        one,
        failed(allSteps(one.plan)),
        signal,
        callWith(options, io),
      ),
    ),
  );
}

/** What reportDone() prints if the removal of that plan was skipped. */
async function reportWithSkipped(
  options: readonly string[],
  state: SkippedRemoval["state"] = "busy",
) {
  const one = await prepared();
  return runIn({}, (io) => {
    const skipped = one.plan.remove.map((step) => ({ step, state }));
    reportDone(one, { done: [], skipped }, callWith(options, io));
    return Promise.resolve(0);
  });
}

test("reportDone() suggests the same command again, without --backup", async () => {
  const left =
    "ipvsadm: not removed because of open connections: 10.0.0.1:80 of tcp/192.0.2.1:80: the weight stays 0; to continue draining, run the same command";
  assert.equal((await reportWithSkipped([])).stderr, `${left} again\n`);
  assert.equal(
    (await reportWithSkipped(["--backup", "before.json"])).stderr,
    `${left} without --backup\n`,
  );
});

/** How documents name the service. */
const SERVICE = {
  service: "tcp/192.0.2.1:80",
  protocol: "tcp",
  serviceAddress: "192.0.2.1",
  servicePort: 80,
};

const refusal = (errno: number) =>
  new KernelRefusal(errno, "edit-service", "TCP 192.0.2.1:80");

test("reportDone() distinguishes a server whose weight was changed", async () => {
  const { stderr } = await reportWithSkipped([], "undrained");
  assert.equal(
    stderr,
    "ipvsadm: not removed because the weight was changed meanwhile: 10.0.0.1:80 of tcp/192.0.2.1:80: to drain and remove, run the same command again\n",
  );
  for (const [state, result] of [
    ["busy", "draining"],
    ["undrained", "undrained"],
  ] as const) {
    const { stdout } = await reportWithSkipped(["-o", "json"], state);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      [document["result"], document["left"]],
      [
        result,
        [
          {
            command: "-d -t 192.0.2.1:80 -r 10.0.0.1:80",
            ...SERVICE,
            server: "10.0.0.1:80",
            serverAddress: "10.0.0.1",
            serverPort: 80,
            reason: state,
          },
        ],
      ],
    );
  }
});

test("reportFailed() shows the refused rule with its line, and that nothing was changed", async () => {
  const { stdout, stderr, status } = await reportOf(
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

test("reportFailed() names the scheduler or persistence engine that the kernel does not know", async () => {
  const { stderr } = await reportOf(
    (steps) => new PlanFailed(refusal(ENOENT), steps[1], [], [], []),
  );
  assert.equal(
    stderr,
    `web.rules:1:23: error: cannot edit service TCP 192.0.2.1:80: unknown scheduler "rr" [refused]
 1 | -A -t 192.0.2.1:80 -s rr
   |                       ^
   = the kernel has no module ip_vs_rr
ipvsadm: nothing was changed
`,
  );
});

test("reportFailed() shows no line for a change without a rule, and says that counters are reset", async () => {
  const { stderr } = await reportOf(
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
ipvsadm: 3 changes were rolled back; the table is as before, but the counters of removed services and servers are reset
`,
  );
});

test("reportFailed() lists changes that were not rolled back, and changes whose answer was lost", async () => {
  const failed = (steps: ReturnType<typeof allSteps>) => {
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
  const { stderr, status } = await reportOf(failed);
  assert.equal(status, 3);
  assert.equal(
    stderr,
    `ipvsadm: cannot reach IPVS in the kernel: sendmsg: Bad file descriptor: the socket is closed; open a new one
ipvsadm: not rolled back: -a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1: -d -t 192.0.2.1:80 -r 10.0.0.2:80 failed: cannot edit service TCP 192.0.2.1:80: Cannot allocate memory
ipvsadm: possibly made, the answer was lost: -E -t 192.0.2.1:80 -s rr
ipvsadm: the rollback is incomplete: the table contains old and new rules: 'ipvsadm diff' shows what differs from the file; 'ipvsadm restore' with a backup returns to the old table
`,
  );
  const edit = { command: "-E -t 192.0.2.1:80 -s rr", ...SERVICE };
  const json = await reportOf(failed, undefined, ["-o", "json"]);
  const document = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual(
    ["reason", "failed", "undone", "standing", "unknown"].map(
      (name) => document[name],
    ),
    [
      "cannot reach IPVS in the kernel: sendmsg: Bad file descriptor",
      { ...edit, line: 1, column: 1 },
      0,
      [
        {
          command: "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1",
          ...SERVICE,
          server: "10.0.0.2:80",
          serverAddress: "10.0.0.2",
          serverPort: 80,
        },
      ],
      [edit],
    ],
  );
});

test("reportFailed() names the signal and returns its status", async () => {
  const { stderr, status } = await reportOf(
    (steps) => new PlanFailed("SIGTERM", undefined, steps.slice(0, 1), [], []),
    "SIGTERM",
  );
  assert.equal(status, 143);
  assert.equal(
    stderr,
    `ipvsadm: interrupted by SIGTERM
ipvsadm: 1 change was rolled back; the table is as before
`,
  );
});

test("reportFailed() throws an unexpected error", async () => {
  await assert.rejects(
    reportOf(
      () => new PlanFailed(new TypeError("a bug"), undefined, [], [], []),
    ),
    TypeError,
  );
});

test("reportMismatch() says that another program changed the table", async () => {
  const one = await prepared();
  const { stderr } = await runIn({}, (io) => {
    reportMismatch(one, callWith([], io));
    return Promise.resolve(0);
  });
  assert.match(
    stderr,
    /^ipvsadm: all changes were made, but the table does not match web\.rules: another program/,
  );
});
