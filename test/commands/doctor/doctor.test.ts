import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { kindNamed } from "../../../src/doctor/findings.js";
import { jsonText } from "../../../src/document/json-text.js";
import { ENETUNREACH } from "../../../src/netlink/errno.js";
import { EXIT } from "../../../src/cli/exit-status.js";
import { PLAIN } from "../../../src/cli/color.js";
import { traceJson, traceText } from "../../../src/commands/doctor/client.js";
import type { ClientTrace } from "../../../src/doctor/director/client/trace.js";
import { explanationOf } from "../../../src/commands/doctor/explain.js";
import {
  reportJson,
  reportLines,
  type Report,
} from "../../../src/commands/doctor/report.js";
import { scriptedKernel, type Handler } from "../../classic/scripted-kernel.js";
import { TIMEOUTS } from "../../fixtures/replies.js";
import { networkOf } from "../../rtnl/scripted-network.js";
import { subcommand } from "../run-subcommand.js";
import { assertFollowsSchema } from "../../document/schema.js";
import { golden, goldenName, WIDTHS } from "../golden.js";

const REPORT: Report = {
  role: "director",
  findings: [
    {
      id: "all-drained",
      subject: "tcp/192.0.2.1:80",
      seen: "all of its 2 real servers have weight 0",
      fix: [
        { command: "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -g -w 1" },
        {
          command: "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 1",
          effect: "the server gets new connections",
        },
      ],
    },
    {
      id: "forwarding-off",
      subject: "IPv4",
      seen: "net.ipv4.ip_forward is 0, and a \x1b[31mserver\x1b[0m is masqueraded",
      fix: [
        { command: "sysctl -w net.ipv4.ip_forward=1" },
        { command: "reboot", on: "real server 192.0.2.10" },
      ],
    },
    { id: "forwarding-off", subject: "IPv6", seen: "the same", fix: [] },
    {
      id: "direct-unanswered",
      seen: "4 connections wait in SYN_RECV",
      certainty: "likely",
      evidence: ["a rule perhaps drops them"],
      next: [
        {
          command: "ipvsadm doctor --real-server tcp/192.0.2.1:80",
          on: "real server 192.0.2.10",
        },
      ],
      fix: [],
    },
  ],
  examined: ["forwarding-off", "all-drained"],
  unexamined: [
    { id: "no-servers", wanting: "daemons" },
    { id: "all-overloaded", wanting: "daemons" },
  ],
  reasons: new Map([["daemons", "they are invisible"]]),
  notChecked: ["the real servers' own settings", "nft rules (\x1b[31mnft)"],
};

for (const width of WIDTHS) {
  test(`reportLines() at width ${width ?? "of any size"}`, () => {
    const text = reportLines(REPORT, { paint: PLAIN, width });
    golden(goldenName("doctor/report", width), text);
  });

  test(`explanationOf() at width ${width ?? "of any size"}`, () => {
    const kind = kindNamed("forwarding-off");
    assert.ok(kind);
    const text = explanationOf(kind, { paint: PLAIN, width });
    golden(goldenName("doctor/explain", width), text);
  });
}

const MANY = Array.from({ length: 500 }, (_, i) => i + 1);

test("reportLines() shows the first of many findings, of their commands and of long lists, and JSON all of them", () => {
  const unanswered = MANY.map((number) => ({
    id: "direct-unanswered" as const,
    subject: `192.0.2.10:${number} of tcp/192.0.2.1:${number}`,
    seen: "3 connections wait in SYN_RECV",
    evidence: ["all alike"],
    next: [{ command: `ipvsadm doctor --real-server ${number}` }],
    fix: [{ command: `ip route add ${number}` }],
  }));
  const names = MANY.map((number) => `tcp/192.0.2.1:${number}`);
  const blocked = {
    id: "firewall-blocks" as const,
    subject: names.join(", "),
    seen: `the policy of chain FORWARD drops ${names.map((name) => `answers of ${name}`).join(" and ")}`,
    evidence: names.map((name) => `1 connection to ${name} waits`),
    fix: [],
  };
  const report: Report = { ...REPORT, findings: [...unanswered, blocked] };
  const text = reportLines(report, { paint: PLAIN, width: undefined });
  const lines = (pattern: RegExp) => text.match(pattern)?.length;
  assert.equal(lines(/^ {2}Seen .*:\d+: 3 connections wait/gm), 8);
  assert.match(
    text,
    /^ +and 492 more findings of this kind; -o json prints all of them$/m,
  );
  assert.equal(lines(/^ {2}Next /gm), 8);
  assert.match(text, /^ +and 492 more commands; -o json/m);
  assert.equal(lines(/^ {2}Fix +ip route add /gm), 20);
  assert.match(text, /^ +and 480 more commands of the fix; -o json/m);
  assert.match(
    text.replaceAll(/\s+/g, " "),
    /Seen tcp\/192\.0\.2\.1:1, .*:8 and 492 more: the policy of chain FORWARD drops answers of .*:\d+ … \(-o json prints all of it\) /,
  );
  assert.equal(lines(/waits$/gm), 8);
  assert.ok(text.split("\n").length < 110, text);
  const json = jsonText(reportJson(report));
  for (const { subject, next } of unanswered)
    assert.ok(json.includes(subject) && json.includes(next[0]?.command ?? ""));
  assert.ok(json.includes(blocked.subject) && json.includes(blocked.seen));
});

test("reportLines() says in its last line that firewall rules could not be judged", () => {
  const saidAfter = (unjudgedRules: number) =>
    reportLines(
      { ...REPORT, findings: [], unjudgedRules },
      { paint: PLAIN, width: undefined },
    ).replaceAll(/\s+/g, " ");
  assert.match(saidAfter(0), /No fault found, \d+ kinds? of fault checked\. $/);
  assert.match(
    saidAfter(1),
    /No fault found, \d+ kinds? of fault checked; 1 firewall rule could not be judged: see Not checked\. $/,
  );
  assert.match(saidAfter(2), /; 2 firewall rules could not be judged: /);
});

test("reportLines() does not say that there is no fault if packets stop", () => {
  const saidOf = (state: "ok" | "stops") =>
    reportLines(
      {
        ...REPORT,
        findings: [],
        packets: {
          client: Uint8Array.of(192, 0, 2, 7),
          seconds: 5,
          facts: [{ state, text: "TCP 192.0.2.1:80" }],
          notChecked: [],
        },
      },
      { paint: PLAIN, width: undefined },
    );
  assert.match(saidOf("ok"), /^No fault found, /m);
  assert.match(saidOf("stops"), /^No other fault found, /m);
});

test("reportLines() prints the cure of a finding without a command beside the commands of others", () => {
  const drained = { id: "drained-server-dead", seen: "dead" } as const;
  const cure = "Make sure first that it is dead.";
  const text = (...findings: Report["findings"]) =>
    reportLines(
      { ...REPORT, findings },
      { paint: PLAIN, width: undefined },
    ).match(/^ {2}Fix .*$/gm);
  const fix = [{ command: "sysctl -w a=1" }];
  assert.deepEqual(
    text(
      { ...drained, fix },
      { ...drained, fix: [], cure },
      { ...drained, fix: [], cure },
      { ...drained, fix: [] },
    ),
    ["  Fix       sysctl -w a=1", `  Fix       ${cure}`],
  );
  // The cure of a finding with commands says the same as they do.
  assert.deepEqual(text({ ...drained, fix, cure }), [
    "  Fix       sysctl -w a=1",
  ]);
});

test("reportLines() has each command of a procedure on a line, and reportJson() has it in the cure", () => {
  const commands = ["ipvsadm -C", `ipvsadm -A ${"-f 1 ".repeat(30)}\u001b`];
  const procedure = ["Do this:", { commands }, "Then all is well."];
  const finding = { id: "persistence-split", seen: "split", fix: [] } as const;
  const report = {
    ...REPORT,
    findings: [
      { ...finding, procedure },
      { ...finding, procedure },
    ],
  };
  const text = reportLines(report, { paint: PLAIN, width: 60 });
  const escaped = commands.map((one) => one.replace("\u001b", "?"));
  const lines = [
    "  Fix       Do this:",
    ...escaped.map((one) => `            ${one}`),
    "            Then all is well.",
  ];
  assert.equal(text.split(`${lines.join("\n")}\n\n`).length, 2, text);
  const json = JSON.parse(jsonText(reportJson(report))) as {
    findings: { cure: string; fix: object[] }[];
  };
  assert.deepEqual(
    json.findings.map(({ cure, fix }) => [cure, fix]),
    Array.from({ length: 2 }, () => [
      `Do this: "${escaped.join(" && ")}". Then all is well.`,
      [],
    ]),
  );
});

test("reportLines() and reportJson() say why a finding matters, if it says so itself", () => {
  const blocked = { id: "firewall-blocks", seen: "dropped", fix: [] } as const;
  const why = "What is dropped there reaches no real server.";
  const findings = [{ ...blocked, why }, blocked, { ...blocked, why }];
  const report = { ...REPORT, findings };
  const usual = kindNamed("firewall-blocks")?.why ?? "";
  const text = reportLines(report, { paint: PLAIN, width: undefined });
  const whys = [...text.matchAll(/^ {2}Why {7}(.*(?:\n {12}.*)*)$/gm)];
  assert.deepEqual(
    whys.map(([, one = ""]) => one.replaceAll(/\s+/g, " ")),
    [why, usual],
  );
  const json = JSON.parse(jsonText(reportJson(report))) as {
    findings: { why: string }[];
  };
  assert.deepEqual(
    json.findings.map((one) => one.why),
    [why, usual, why],
  );
});

test("reportLines() calls only likely findings likely if a kind has both", () => {
  const findings = (["likely", "proven"] as const).map((certainty) => ({
    id: "drained-server-dead" as const,
    ...{ certainty, seen: certainty, fix: [] },
  }));
  const text = reportLines(
    { ...REPORT, findings },
    { paint: PLAIN, width: undefined },
  );
  assert.match(
    text,
    /answer\n {2}Seen {6}proven\n[^]*answer \(likely\)\n {2}Seen {6}likely\n/,
  );
});

test("reportJson() prints all fields", () => {
  golden("doctor/report.json", `${jsonText(reportJson(REPORT))}\n`);
});

test("traceText() ends with the command that finds the cause on the real server", () => {
  const next = {
    command: "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method gue",
    on: "real server 192.0.2.10",
  };
  const step = { step: "entries", state: "stops", text: "no answer" } as const;
  const trace: ClientTrace = {
    client: Uint8Array.of(192, 0, 2, 7),
    seconds: 2,
    steps: [step],
    stopsAt: step,
    answers: "seen",
    next: [next],
    notChecked: [],
  };
  const text = traceText(trace, { paint: PLAIN, width: 80 });
  assert.match(
    text,
    /\nStops at: entries\. Run 'ipvsadm doctor' as well: [^]*\.\n {2}Next {6}on real server 192\.0\.2\.10: ipvsadm doctor --real-server tcp\/192\.0\.2\.1:80 --method gue\n$/,
  );
  assert.equal(text.match(/Next/g)?.length, 1);
  const json = jsonText(traceJson(trace));
  assertFollowsSchema(json, "a trace");
  assert.match(json, /"next": \[\s*\{\s*"command": "ipvsadm doctor /);
  const more = { ...trace, notChecked: ["whether\n it does"] };
  assert.match(
    traceText(more, { paint: PLAIN, width: 80 }),
    /\nNot checked:\n {2}- whether\? it does\n$/,
  );
  assertFollowsSchema(jsonText(traceJson(more)), "a trace");
});

test("reportLines() does not call nothing no fault", () => {
  const text = reportLines(
    { ...REPORT, findings: [], examined: [] },
    { paint: PLAIN, width: 80 },
  );
  assert.match(text, /\nNo kind of fault could be checked\.\n$/);
});

test("doctor --explain and --list open no socket", async () => {
  for (const line of ["doctor --list", "doctor --explain no-servers"]) {
    const { stdout, status, log } = await subcommand(line);
    assert.match(stdout, /no-servers/);
    assert.equal(status, 0);
    assert.deepEqual(log, ["flush"]);
  }
});

test("doctor suggests an id for an unknown one", async () => {
  for (const option of ["--explain", "--only", "--skip"]) {
    const { stdout, stderr, status } = await subcommand(
      `doctor ${option} no-server`,
    );
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      "ipvsadm: there is no finding no-server ('ipvsadm doctor --list' lists them): did you mean no-servers? see 'ipvsadm doctor --help'\n",
    );
    assert.equal(status, 2);
  }
});

test("doctor refuses a word that is not a service", async () => {
  const { stderr, status } = await subcommand("doctor nonsense/1");
  assert.match(stderr, /^ipvsadm: nonsense\/1 is not a service: /);
  assert.equal(status, 2);
});

test("doctor refuses options that do not go together", async () => {
  const faults = {
    "doctor --server 192.0.2.7:80":
      "--server goes with --real-server, which names the services",
    "doctor --tun-port 6080":
      "--tun-port goes with --real-server, which names the services",
    "doctor --real-server 192.0.2.1 --method gre --tun-port 6080":
      "--tun-port goes with --method gue",
    "doctor --real-server 192.0.2.1 --method gue --tun-port 65536":
      "--tun-port 65536: expected a whole number from 1 to 65535",
    "doctor --real-server 192.0.2.1 --for 5s":
      "--for with --real-server looks at packets of a client; name one with --client",
    "doctor --client here": "here is no address, which --client wants",
    "doctor --real-server 192.0.2.1 --server 192.0.2.7":
      "192.0.2.7 is no address and port, which --server expects",
    "doctor --hardware-address 02:00:5e:10:00:01":
      "--hardware-address goes with --real-server, which names the services",
    "doctor --real-server 192.0.2.1 --hardware-address 02:00:5e:10:00:01":
      "--hardware-address goes with --server, whose hardware address it is",
    "doctor --real-server 192.0.2.1 --server 192.0.2.7:80 --hardware-address 02:00:5e:10:00":
      "02:00:5e:10:00 is no hardware address, which --hardware-address expects, such as 02:00:5e:10:00:01",
    "doctor --real-server 192.0.2.1 --server 192.0.2.7:80 --hardware-address 02:00:5e:10:00:0g":
      "02:00:5e:10:00:0g is no hardware address, which --hardware-address expects, such as 02:00:5e:10:00:01",
    "doctor tcp/192.0.2.1:80 --real-server 192.0.2.2":
      "services of a director and --real-server do not go together; write --real-server 192.0.2.2,tcp/192.0.2.1:80",
    "doctor --real-server fwm/7":
      "fwm/7 has no address; name the virtual address with --real-server",
    "doctor --real-server 127.0.0.1":
      "127.0.0.1 cannot be a virtual address: it is loopback, any address or multicast",
    "doctor --real-server 192.0.2.1 --director here":
      "here is no address, which --director wants",
  };
  for (const [line, fault] of Object.entries(faults)) {
    const { stdout, stderr, status, log } = await subcommand(line);
    assert.equal(stdout, "");
    assert.equal(stderr, `ipvsadm: ${fault}: see 'ipvsadm doctor --help'\n`);
    assert.equal(status, 2);
    assert.ok(!log.includes("open"));
  }
});

const GET_ROUTE = 26;
const DUMP = 0x300;

/** A network in which there is nothing. */
function nothing() {
  return networkOf(({ type, flags }) =>
    type === GET_ROUTE && !(flags & DUMP) ? ENETUNREACH : [],
  ).link;
}

const GET_CONFIG = 13;
const emptyTable: Handler = (command) =>
  command === GET_CONFIG ? { messages: [TIMEOUTS] } : {};

/** A folder with these files. */
function folderOf(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test("doctor --real-server does not ask IPVS and uses one rtnetlink socket", async (t) => {
  const families: (number | undefined)[] = [];
  const link = nothing();
  const procFolder = folderOf(t, { "sys/net/ipv4/ip_forward": "0\n" });
  const { stdout, stderr, status } = await subcommand(
    "doctor --real-server tcp/192.0.2.1:80 --method direct --only vip-absent",
    {
      io: {
        procFolder,
        openLink(family) {
          families.push(family);
          return link;
        },
      },
    },
  );
  assert.equal(stderr, "");
  assert.match(stdout, /^error vip-absent: /);
  assert.match(stdout, /no interface has it, and there is no route to it/);
  assert.match(stdout, /\n {2}Fix {7}ip address add 192\.0\.2\.1\/32 dev lo\n/);
  assert.equal(status, 1);
  assert.deepEqual(families, [0]);
  assert.equal(link.closed, 1);
});

test("doctor --real-server lists what it cannot read under Not checked", async (t) => {
  const procFolder = folderOf(t, {});
  const { stdout, stderr, status } = await subcommand(
    "doctor --real-server tcp/192.0.2.1:80",
    { io: { procFolder, openLink: nothing } },
  );
  assert.equal(stderr, "");
  const text = stdout.replaceAll(procFolder, "/proc").replace(/\s+/g, " ");
  assert.match(
    text,
    /^Not checked: - vip-absent, vip-with-network, vip-answers, vip-announced, reverse-path \(\/proc\/sys cannot be read\) - nobody-listens, udp-wildcard \(\/proc\/net\/tcp and udp cannot be read\) - .* No fault found, [0-9]+ kinds of fault checked\. $/,
  );
  assert.equal(status, EXIT.unavailable);
});

test("doctor lists what it cannot read of a director under unexamined", async (t) => {
  const procFolder = folderOf(t, {});
  const sysFolder = folderOf(t, { "module/ip_vs/refcnt": "0\n" });
  const blind = async (world: { sysFolder?: string }) => {
    const { stdout, stderr, status } = await subcommand(
      "doctor -o json --only forwarding-off,module-absent",
      { link: scriptedKernel(emptyTable), io: { procFolder, ...world } },
    );
    assert.equal(stderr, "");
    assert.equal(status, EXIT.unavailable);
    const { findings, unexamined } = JSON.parse(stdout) as {
      findings: object[];
      unexamined: object[];
    };
    assert.deepEqual(findings, []);
    return unexamined;
  };
  const reason = `${procFolder}/sys cannot be read`;
  const unseen = [
    { id: "module-absent", reason },
    { id: "forwarding-off", reason },
  ];
  assert.deepEqual(await blind({ sysFolder }), unseen, "the table is read");
  assert.deepEqual(await blind({}), unseen, "nobody knows whether it is there");
});
