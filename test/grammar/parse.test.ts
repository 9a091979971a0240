import assert from "node:assert/strict";
import { test } from "node:test";
import { INET6 } from "../../src/ipvs/address.js";
import { formatService } from "../../src/ipvs/model.js";
import { UnresolvedHost, UsageFault } from "../../src/grammar/usage-errors.js";
import { parse, Parser } from "../../src/grammar/parse.js";
import { LOOKUPS } from "./lookups.js";
import { fault, read, TCP_WEB } from "./read.js";

/*
 * src/grammar/parse.ts: all command lines, and services. The others are in parse-server.test.ts and
 * parse-other.test.ts.
 */

/** The service that a line adds or changes. */
function service(options: string) {
  const command = read(`-A ${options}`);
  assert.ok(command.command === "add-service");
  return command;
}

const EVERY_CLIENT = Uint8Array.of(255, 255, 255, 255);

test("-A uses wlc, no persistence and a full netmask by default", () => {
  assert.deepEqual(read("-A -t 10.0.0.1:80"), {
    command: "add-service",
    service: TCP_WEB,
    settings: {
      scheduler: "wlc",
      flags: 0,
      timeoutSeconds: 0,
      netmask: EVERY_CLIENT,
    },
  });
});

test("-E accepts the same options as -A", () => {
  const options =
    "-u 10.0.0.1:53 -s sh -b sh-port -p 5 -M 255.0.0.0 -o --pe sip";
  assert.deepEqual(read(`-E ${options}`), {
    ...read(`-A ${options}`),
    command: "edit-service",
  });
});

test("-A applies every setting of a service", () => {
  assert.deepEqual(
    service("-u 10.0.0.1:53 -s sh -b sh-port -p 5 -M 255.0.0.0 -o --pe sip")
      .settings,
    {
      scheduler: "sh",
      persistenceEngine: "sip",
      flags: 0x10 | 0x01 | 0x04,
      timeoutSeconds: 5,
      netmask: Uint8Array.of(255, 0, 0, 0),
    },
  );
});

test("-p without a timeout means 360 seconds", () => {
  for (const options of ["-p", "--persistent", "-p --"])
    assert.equal(
      service(`-t 10.0.0.1:80 ${options}`).settings.timeoutSeconds,
      360,
    );
});

test("-s with an empty name sets no scheduler", () => {
  assert.equal(service("-t 10.0.0.1:80 -s ").settings.scheduler, "wlc");
});

test("--pe with an empty name sets no persistence engine", () => {
  const { settings } = service("-t 10.0.0.1:80 --pe ");
  assert.ok(!("persistenceEngine" in settings));
});

test("-A accepts TCP, UDP, SCTP or a firewall mark", () => {
  const name = (options: string) => formatService(service(options).service);
  assert.equal(name("-t 10.1:80"), "TCP 10.0.0.1:80");
  assert.equal(name("-u 10.1:domain"), "UDP 10.0.0.1:53");
  assert.equal(name("--sctp-service [::1]:9"), "SCTP [::1]:9");
  assert.equal(name("-f 4294967295"), "FWM 4294967295");
  assert.equal(name("-f 7 -6"), "FWM 7 IPv6");
});

test("-M is parsed for the family known so far, so it must follow the address", () => {
  assert.equal(service("-t ::1 -p -M 64").settings.netmask, 64);
  assert.equal(service("-f 3 -6 -M 64 -p").settings.netmask, 64);
});

test("-M before an IPv6 address is ignored", () => {
  assert.equal(service("-p -M 64 -t ::1").settings.netmask, 128);
  assert.equal(service("-f 4 -M 255.255.255.0 -p -6").settings.netmask, 128);
});

test("-M before an IPv4 address is kept", () => {
  assert.deepEqual(
    service("-p -M 255.255.255.0 -t 10.0.0.1:80").settings.netmask,
    Uint8Array.of(255, 255, 255, 0),
  );
});

test("-A accepts port 0 only with persistence", () => {
  const sentence = "Zero port specified for non-persistent service";
  for (const options of ["-t 10.0.0.1", "-t 10.0.0.1:0", "-u ::1"])
    assert.equal(fault(`-A ${options}`), sentence);
  assert.equal(fault("-E -t 10.0.0.1:0"), sentence);
  const { service: key } = service("-t 10.0.0.1 -p");
  assert.ok("port" in key && key.port === 0);
});

test("-A checks no port for a firewall mark", () => {
  assert.equal(service("-f 1").command, "add-service");
});

test("-o is only for UDP and firewall marks", () => {
  const sentence = "One-Packet Scheduling is only for UDP virtual services";
  assert.equal(fault("-A -t 10.0.0.1:80 -o"), sentence);
  assert.equal(fault("-E --sctp-service 10.0.0.1:80 --ops"), sentence);
  assert.equal(service("-u 10.0.0.1:53 -o").settings.flags, 4);
  assert.equal(service("-f 1 -o").settings.flags, 4);
});

test("-A checks port 0 before one-packet scheduling", () => {
  assert.match(fault("-A -t 10.0.0.3 -o"), /^Zero port/);
});

test("-b is checked against the scheduler even if -s follows it", () => {
  assert.equal(service("-f 1 -b sh-port -s sh").settings.flags, 0x10);
  assert.match(fault("-A -f 1 -b sh-port -s mh"), /^incompatible/);
});

test("-b reports its error after those of other options", () => {
  assert.match(fault("-A -f 1 -b foo -w x"), /^illegal weight/);
  assert.match(fault("-A -f 1 -b foo x"), /^unexpected argument x/);
  assert.match(fault("-A -b foo"), /^invalid scheduler flag/);
});

test("-D uses only the identity of the service", () => {
  assert.deepEqual(read("-D -t 10.0.0.1:80"), {
    command: "delete-service",
    service: TCP_WEB,
  });
});

test("a line that does not begin with a command throws not-a-command", () => {
  for (const line of [
    "",
    "foo",
    "-n -L",
    "-Q",
    "-t",
    "-",
    "-- -L",
    "-L=",
    "-A=",
  ])
    assert.throws(() => read(line), new UsageFault("not-a-command", ""), line);
});

test("words before the command are ignored", () => {
  assert.equal(fault("foo -L"), "unexpected argument foo");
});

test("parse() reports the first error from left to right", () => {
  assert.match(fault("-A -w x -p 0"), /^illegal weight/);
  assert.match(fault("-A -p 0 -w x"), /^invalid timeout/);
});

test("parse() checks combinations after all options", () => {
  assert.match(fault("-L -w 5 -Q"), /^-Q: unknown option/);
  assert.match(fault("-L -w 5 foo"), /^unexpected argument/);
});

test("parse() rejects repeated options, except -6 and --sort", () => {
  for (const [line, option] of [
    ["-A -t 10.0.0.1:80 -u 10.0.0.1:80", "service-address"],
    ["-A -f 1 -p -p", "persistent"],
    ["-a -f 1 -m -g", "forwarding-method"],
    ["-Lnn", "numeric"],
  ] as const)
    assert.equal(fault(line), `multiple '${option}' options specified`);
  assert.equal(service("-f 77 -6 -6 --sort --sort").service.family, INET6);
});

test("parse() throws UnresolvedHost for a host that was not looked up yet", () => {
  const lookups = {
    ...LOOKUPS,
    host(name: string): undefined {
      throw new UnresolvedHost(name);
    },
  };
  assert.throws(
    () => parse(["-A", "-t", "web.example:80"], lookups),
    new UnresolvedHost("web.example"),
  );
});

const LINES = [
  "-A -t 10.0.0.1:80 -s sh -b sh-port -p 5 -M 255.255.0.0 --pe sip",
  "-A -t 10.0.0.1:80",
  "-A -u 10.0.0.1:80 -o",
  "-A -t [2001:db8::1]:80 -p -M 64",
  "-A -f 7 -6 -s rr",
  "-A -f 7",
  "-a -t 10.0.0.1:80 -r 10.0.0.2 -m -w 5 -x 3 -y 2",
  "-a -t 10.0.0.1:80 -r 10.0.0.3:8080 -m",
  "-a -t 10.0.0.1:80 -r 10.0.0.3 -i --tun-type gue --tun-port 5555 --tun-csum",
  "-a -t 10.0.0.1:80 -r 10.0.0.3 -i",
  "-a -t 10.0.0.1:http -r 10.0.0.3:http -m",
  "-a -u 10.0.0.1:80 -r 10.0.0.3:http -m",
  "-a -r 10.0.0.3:http -t 10.0.0.1:80 -m",
  "-A -u web.example:http",
  "-A -t web.example:http",
  "-a -f 7 -r 10.0.0.4:80",
  "-a -f 7 -r 10.0.0.4",
  "-D -t 10.0.0.1:80",
  "-d -u 10.0.0.1:80 -r 10.0.0.2:80",
  "-Z",
  "-Z -t 10.0.0.1:80",
  "--set 1 2 3",
  "-Ln --nosort",
  "--start-daemon master --mcast-interface eth1 --syncid 5 --mcast-ttl 3",
  "--start-daemon backup --mcast-group 224.0.0.99 --mcast-port 99 --sync-maxlen 999",
  "--start-daemon master",
  "--stop-daemon backup",
  "-C",
  "-h",
  "-A -t 10.0.0.1",
  "-A -t 10.0.0.1:80 x",
  "-A -Q",
  "-A -t nowhere -s",
  "-a -t 10.0.0.1:80 -m -i",
  "-a -w",
  "-- -A",
  "x",
];

/** The result of a line: the command, or the message of the error. */
function outcome(parseLine: () => unknown): unknown {
  try {
    return parseLine();
  } catch (error) {
    assert.ok(error instanceof UsageFault);
    return `${error.kind} ${error.sentence} ${error.word} ${error.option}`;
  }
}

test("Parser.read() leaks nothing from one line to the next, and does not change earlier commands", () => {
  const first = new Map(LINES.map((line) => [line, outcome(() => read(line))]));
  for (const before of LINES)
    for (const line of LINES) {
      const parser = new Parser(LOOKUPS);
      const both = [before, line].map((text) =>
        outcome(() => parser.read(text.split(" "))),
      );
      const wanted = [first.get(before), first.get(line)];
      assert.deepEqual(both, wanted, `${line} behind ${before}`);
    }
});

test("Parser.read() parses a line again after its hosts were looked up", () => {
  const hosts = new Map<string, Uint8Array>();
  const host = (name: string) => {
    const address = hosts.get(name);
    if (!address) throw new UnresolvedHost(name);
    return address;
  };
  const lookups = { ...LOOKUPS, host };
  const parser = new Parser(lookups);
  const server = "-a -t web:80 -r real:80 -m -w 5 -x 9";
  for (const [name, last] of [
    ["web", 1],
    ["real", 2],
  ] as const) {
    assert.throws(
      () => parser.read(server.split(" ")),
      new UnresolvedHost(name),
    );
    hosts.set(name, Uint8Array.of(10, 0, 0, last));
  }
  for (const line of [server, "-A -t web:80", server, "-D -t real:80"])
    assert.deepEqual(
      parser.read(line.split(" ")),
      parse(line.split(" "), lookups),
      line,
    );
});
