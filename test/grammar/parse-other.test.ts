import assert from "node:assert/strict";
import { test } from "node:test";
import { formatService } from "../../src/ipvs/model.js";
import type { ListCommand } from "../../src/grammar/command.js";
import { fault, read, TCP_WEB } from "./read.js";

/* src/grammar/parse.ts: command lines that concern neither services nor real servers. */

function list(options: string): ListCommand {
  const command = read(`-L ${options}`.trimEnd());
  assert.ok(command.command === "list");
  return command;
}

test("-L lists the table, sorted and with names", () => {
  assert.deepEqual(list(""), {
    command: "list",
    what: "table",
    service: undefined,
    format: "plain",
    numeric: false,
    exact: false,
    sorted: true,
    persistenceData: false,
  });
});

test("-l is the same as -L", () => {
  assert.deepEqual(read("-ln"), read("-Ln"));
});

test("-L lists one service, connections, timeouts or sync daemons", () => {
  const { service } = list("-t 10.0.0.1:80");
  assert.equal(service && formatService(service), "TCP 10.0.0.1:80");
  assert.equal(list("-c").what, "connections");
  assert.equal(list("--timeout").what, "timeouts");
  assert.equal(list("--daemon").what, "daemons");
});

test("-L uses the first of several formats, in their order of precedence", () => {
  const formats = [
    "stats",
    "rate",
    "thresholds",
    "persistent-conn",
    "tun-info",
  ];
  for (const [i, format] of formats.entries()) {
    const rest = formats.slice(i).reverse();
    assert.equal(
      list(rest.map((name) => `--${name}`).join(" ")).format,
      format,
    );
  }
});

test("-L can show numbers, exact counters, or the kernel's order", () => {
  assert.ok(list("-n").numeric);
  assert.ok(list("--exact").exact && list("-X").exact);
  assert.ok(!list("--nosort").sorted);
  assert.ok(list("--sort").sorted && list("--sort --sort").sorted);
});

test("-L can show the persistence data of connections", () => {
  const command = list("-c --persistent-conn");
  assert.equal(command.what, "connections");
  assert.ok(command.persistenceData);
});

test("-Z resets the counters of all services or of one", () => {
  assert.deepEqual(read("-Z"), { command: "zero", service: undefined });
  assert.deepEqual(read("-Z -t 10.0.0.1:80"), {
    command: "zero",
    service: TCP_WEB,
  });
});

test("--set takes three words, before, between or after options", () => {
  const timeouts = { tcpSeconds: 1, tcpFinSeconds: 0, udpSeconds: 2678400 };
  for (const line of ["1 0 2678400", "1 --sort 0 2678400", "-- 1 0 2678400"])
    assert.deepEqual(read(`--set ${line}`), { command: "set", timeouts });
});

test("--start-daemon uses eth0 and sync ID 0 by default", () => {
  const command = read("--start-daemon backup");
  assert.ok(command.command === "start-daemon");
  assert.equal(command.daemon.state, 2);
  assert.equal(command.daemon.multicastInterface, "eth0");
  assert.equal(command.daemon.syncId, 0);
  assert.equal(command.daemon.multicastPort, undefined);
});

test("--start-daemon applies every setting", () => {
  assert.deepEqual(
    read(
      "--start-daemon=master --mcast-interface lo --syncid 255 --mcast-group 224.0.0.9 --mcast-port 9000 --mcast-ttl 5 --sync-maxlen 1200",
    ),
    {
      command: "start-daemon",
      daemon: {
        state: 1,
        multicastInterface: "lo",
        syncId: 255,
        maximumLength: 1200,
        multicastGroup: Uint8Array.of(224, 0, 0, 9),
        multicastPort: 9000,
        multicastTtl: 5,
      },
    },
  );
});

test("--start-daemon checks the limits of its numbers", () => {
  const limits = [
    ["syncid", "0", "255", "-1", "256"],
    ["mcast-port", "1", "65535", "0", "65536"],
    ["mcast-ttl", "1", "255", "0", "256"],
    ["sync-maxlen", "1", "65507", "0", "65508"],
  ] as const;
  for (const [option, least, most, ...others] of limits) {
    for (const value of [least, most])
      read(`--start-daemon master --${option}=${value}`);
    for (const value of [...others, "x", "5x"])
      assert.equal(
        fault(`--start-daemon master --${option}=${value}`),
        `illegal ${option} specified`,
      );
  }
});

test("--stop-daemon takes a role; its error message has the original's spelling", () => {
  const command = read("--stop-daemon backup --syncid 4");
  assert.ok(command.command === "stop-daemon");
  assert.equal(command.daemon.state, 2);
  assert.equal(command.daemon.multicastInterface, "");
  assert.equal(fault("--stop-daemon foo"), "illegal start_daemon specified");
  assert.equal(
    fault("--start-daemon foo"),
    "illegal start-daemon parameter specified",
  );
});

test("-C, -R and -S need no options", () => {
  assert.deepEqual(read("-C"), { command: "flush" });
  assert.deepEqual(read("-R"), { command: "restore" });
  assert.deepEqual(read("-S"), { command: "save", numeric: false });
  assert.deepEqual(read("-Sn"), { command: "save", numeric: true });
});

test("-h and -v ignore the rest of the line", () => {
  assert.deepEqual(read("-h -Q foo"), { command: "help" });
  assert.deepEqual(read("-vQ"), { command: "version" });
});
