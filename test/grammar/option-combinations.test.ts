import assert from "node:assert/strict";
import { test } from "node:test";
import { TUNNELING } from "../../src/ipvs/model.js";
import type { CommandName } from "../../src/grammar/command.js";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import {
  checkListing,
  checkOptions,
  checkTunnel,
} from "../../src/grammar/option-combinations.js";

/** All options in the order of the checks. */
const OPTIONS =
  `numeric connection service-address scheduler persistent netmask real-server forwarding-method weight
  u-threshold l-threshold mcast-interface timeout daemon stats rate thresholds persistent-conn nosort syncid
  exact ops pe sched-flags mcast-group mcast-port mcast-ttl sync-maxlen tun-info tun-type tun-port tun-nocsum
  tun-csum tun-remcsum`.split(/\s+/);

const SERVICE =
  "+service-address scheduler persistent netmask ops pe sched-flags";
const SERVER =
  "+service-address +real-server forwarding-method weight u-threshold l-threshold " +
  "tun-type tun-port tun-nocsum tun-csum tun-remcsum";

/** The options of each command. `+`: required. `1`: at most one of these. */
const TABLE: Partial<Record<CommandName, string>> = {
  "add-service": SERVICE,
  "edit-service": SERVICE,
  "delete-service": "+service-address",
  flush: "",
  set: "",
  restore: "",
  list:
    "1connection 1service-address 1timeout 1daemon numeric stats rate thresholds persistent-conn nosort " +
    "exact tun-info syncid",
  "add-server": SERVER,
  "edit-server": SERVER,
  "delete-server": "+service-address +real-server",
  "start-daemon":
    "mcast-interface syncid mcast-group mcast-port mcast-ttl sync-maxlen",
  "stop-daemon": "syncid",
  save: "numeric",
  zero: "service-address",
};

const ROWS = Object.entries(TABLE).map(([commandName, text]) => {
  const marks = new Map(
    text
      .split(" ")
      .filter((word) => word !== "")
      .map((word) => {
        const [, mark = "", option = ""] = /^([+1]?)(.*)$/.exec(word) ?? [];
        return [option, mark];
      }),
  );
  const marked = (mark: string) =>
    OPTIONS.filter((option) => marks.get(option) === mark);
  return { commandName: commandName as CommandName, marks, marked };
});

/** The message of the error that a check throws, or `fine`. */
function told(check: () => void): string {
  try {
    check();
    return "fine";
  } catch (error) {
    assert.ok(error instanceof UsageFault);
    assert.equal(error.kind, "combination");
    return error.sentence;
  }
}

function sentence(
  commandName: CommandName,
  options: readonly string[],
): string {
  return told(() => {
    checkOptions(commandName, options);
  });
}

test("COMMANDS and OPTIONS contain all commands and options of this table", () => {
  assert.equal(ROWS.length, 14);
  assert.equal(new Set(OPTIONS).size, 34);
  for (const { marks } of ROWS)
    for (const option of marks.keys()) assert.ok(OPTIONS.includes(option));
});

test("checkOptions() accepts a command with its required options", () => {
  for (const { commandName, marked } of ROWS)
    assert.equal(sentence(commandName, marked("+")), "fine", commandName);
});

test("checkOptions() accepts exactly the options in this table for each command", () => {
  for (const { commandName, marks, marked } of ROWS)
    for (const option of OPTIONS)
      assert.equal(
        sentence(commandName, [...marked("+"), option]),
        marks.has(option)
          ? "fine"
          : `Illegal '${option}' option with the '${commandName}' command`,
      );
});

test("checkOptions() accepts all optional options of a command together", () => {
  for (const { commandName, marked } of ROWS)
    assert.equal(
      sentence(commandName, [...marked("+"), ...marked("")]),
      "fine",
      commandName,
    );
});

test("checkOptions() reports each required option that is missing", () => {
  for (const { commandName, marked } of ROWS)
    for (const option of marked("+"))
      assert.equal(
        sentence(
          commandName,
          marked("+").filter((other) => other !== option),
        ),
        `You need to supply the '${option}' option for the '${commandName}' command`,
      );
});

test("checkOptions() rejects two options that exclude each other, and names the later one in the table", () => {
  for (const { commandName, marked } of ROWS)
    for (const later of marked("1"))
      for (const earlier of marked("1"))
        if (OPTIONS.indexOf(earlier) < OPTIONS.indexOf(later))
          assert.equal(
            sentence(commandName, [later, earlier]),
            `The option '${later}' conflicts with the '${earlier}' option in the '${commandName}' command`,
          );
});

test("checkOptions() names the first of two illegal options in the order of the table", () => {
  const illegal = OPTIONS.filter((option) => option !== "numeric");
  for (const [i, earlier] of illegal.entries())
    for (const later of illegal.slice(i + 1))
      assert.equal(
        sentence("save", [later, earlier]),
        `Illegal '${earlier}' option with the 'save' command`,
      );
});

test("checkOptions() reports a missing option before an illegal one that is later in the table", () => {
  assert.match(sentence("add-service", ["weight"]), /^You need.*'service-addr/);
  assert.match(sentence("add-service", ["numeric"]), /^Illegal 'numeric'/);
});

test("checkListing() accepts counters, rates and thresholds only for the table", () => {
  for (const format of ["stats", "rate", "thresholds"])
    for (const subject of ["connection", "timeout", "daemon"])
      assert.equal(
        told(() => {
          checkListing([format, subject]);
        }),
        "options conflicts in the list command",
      );
});

test("checkListing() accepts persistent connections for the table and for connections", () => {
  const conflict = (subject: string) =>
    told(() => {
      checkListing(["persistent-conn", subject]);
    });
  assert.equal(conflict("connection"), "fine");
  assert.equal(conflict("timeout"), "options conflicts in the list command");
  assert.equal(conflict("daemon"), "options conflicts in the list command");
});

test("checkListing() accepts several formats together", () => {
  const formats = ["stats", "rate", "thresholds", "persistent-conn"];
  checkListing([...formats, "tun-info", "service-address"]);
  checkListing(["tun-info", "connection"]);
});

const [IPIP, GUE, GRE] = [0, 1, 2];
const TUNNEL_OPTIONS = [
  "tun-type",
  "tun-port",
  "tun-nocsum",
  "tun-csum",
  "tun-remcsum",
];

function tunnel(type: number, ...options: string[]): string {
  return told(() => {
    checkTunnel(options, TUNNELING, type);
  });
}

test("checkTunnel() accepts tunnel options only with tunneling", () => {
  for (const forwarding of [0, 1, 3])
    for (const option of TUNNEL_OPTIONS)
      assert.equal(
        told(() => {
          checkTunnel([option], forwarding, IPIP);
        }),
        "Tunnel options conflict with forward method",
      );
});

test("checkTunnel() without tunnel options only requires the port of gue", () => {
  for (const forwarding of [0, 1, 3]) checkTunnel([], forwarding, GUE);
  assert.equal(tunnel(IPIP), "fine");
  assert.equal(tunnel(GRE), "fine");
  assert.equal(
    tunnel(GUE, "tun-type"),
    "You need to supply the 'tun-port' option for the 'gue' tunnel type",
  );
});

test("checkTunnel() accepts no other option for ipip", () => {
  assert.equal(tunnel(IPIP, "tun-type"), "fine");
  for (const option of TUNNEL_OPTIONS.slice(1))
    assert.equal(
      tunnel(IPIP, option),
      `Illegal '${option}' option with the 'ipip' tunnel type`,
    );
});

test("checkTunnel() rejects a port and a remote checksum for gre", () => {
  assert.equal(tunnel(GRE, "tun-type", "tun-csum"), "fine");
  assert.equal(tunnel(GRE, "tun-type", "tun-nocsum"), "fine");
  for (const option of ["tun-port", "tun-remcsum"])
    assert.equal(
      tunnel(GRE, option),
      `Illegal '${option}' option with the 'gre' tunnel type`,
    );
});

test("checkTunnel() accepts every checksum option for gue", () => {
  for (const option of TUNNEL_OPTIONS.slice(2))
    assert.equal(tunnel(GUE, "tun-port", option), "fine");
});

test("checkTunnel() rejects two checksum options, and names the later one in the table", () => {
  const conflict = (later: string, earlier: string, type: string) =>
    `The option '${later}' conflicts with the '${earlier}' option in the '${type}' tunnel type`;
  assert.equal(
    tunnel(GUE, "tun-port", "tun-remcsum", "tun-csum"),
    conflict("tun-remcsum", "tun-csum", "gue"),
  );
  assert.equal(
    tunnel(GUE, "tun-port", "tun-csum", "tun-nocsum", "tun-remcsum"),
    conflict("tun-csum", "tun-nocsum", "gue"),
  );
  assert.equal(
    tunnel(GRE, "tun-csum", "tun-nocsum"),
    conflict("tun-csum", "tun-nocsum", "gre"),
  );
});

test("checkTunnel() checks the port before the checksum", () => {
  assert.match(tunnel(GRE, "tun-remcsum", "tun-port"), /'tun-port'/);
  assert.match(tunnel(IPIP, "tun-nocsum", "tun-port"), /'tun-port'/);
});
