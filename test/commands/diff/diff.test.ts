import assert from "node:assert/strict";
import { test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { MASQUERADING, TCP, type ServiceKey } from "../../../src/ipvs/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { terminal } from "../run-subcommand.js";
import { subcommand } from "../run-subcommand.js";

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const MAIL: ServiceKey = { ...WEB, port: 25 };

const TABLE = [
  serviceEntry(WEB, {}, [
    serverEntry("10.0.0.1", 80, { forwarding: MASQUERADING }),
    serverEntry("10.0.0.2", 80),
  ]),
  serviceEntry(MAIL, {}, [serverEntry("10.0.0.3", 25)]),
];

const DESIRED = [
  "-A -t 192.0.2.1:80 -s rr",
  "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3",
  "-a -t 192.0.2.1:80 -r 10.0.0.4:80 -g",
  "-A -f 7",
];

const diff = (options: string, lines: readonly string[], io: object = {}) =>
  subcommand(`diff ${options}-`, {
    link: kernelWith(TABLE),
    stdin: [lines],
    io,
  });

test("diff shows additions, changes and removals by service and real server", async () => {
  const { stdout, stderr, status } = await diff("", DESIRED);
  assert.equal(stderr, "");
  assert.equal(status, 4);
  assert.equal(
    stdout,
    `- tcp/192.0.2.1:25  wlc
-   10.0.0.3:25  direct weight 1
~ tcp/192.0.2.1:80  scheduler wlc → rr
~   10.0.0.1:80  weight 1 → 3
+   10.0.0.4:80  direct weight 1
-   10.0.0.2:80  direct weight 1
+ fwm/7  wlc
1 service and 1 real server to add, 1 service and 1 real server to change, 1 service and 2 real servers to remove
`,
  );
});

test("diff uses colors on a terminal", async () => {
  const { stdout } = await diff("", DESIRED, terminal(80, { TERM: "xterm" }));
  const lines = stdout.split("\n");
  assert.ok(lines.includes("\x1b[33m~   10.0.0.1:80\x1b[39m  weight 1 → 3"));
  assert.ok(lines.includes("\x1b[32m+   10.0.0.4:80\x1b[39m  direct weight 1"));
  assert.match(stdout, /31m.*- tcp\/192\.0\.2\.1:25/);
});

test("diff exits with 0 if the table is up to date", async () => {
  const same = [
    "-A -t 192.0.2.1:80",
    "-a -t 192.0.2.1:80 -r 10.0.0.1 -m",
    "-a -t 192.0.2.1:80 -r 10.0.0.2:80",
    "-A -t 192.0.2.1:25 -s wlc",
    "-a -t 192.0.2.1:25 -r 10.0.0.3:99", // direct routing uses the service's port
  ];
  const { stdout, status } = await diff("", same);
  assert.equal(status, 0);
  assert.equal(stdout, "standard input: already up to date\n");
});

test("diff shows all errors of a file and exits with 1", async () => {
  const { stdout, stderr, status } = await diff("", [
    "-A -t 1",
    "-a -t 1.2.3.4:5",
  ]);
  assert.deepEqual([stdout, status], ["", 1]);
  assert.equal(stderr.match(/error:/g)?.length, 2);
});

test("diff -o json lists each difference as one item", async () => {
  const { stdout, status } = await subcommand("diff -o json -", {
    link: kernelWith(TABLE),
    stdin: [DESIRED],
  });
  assert.equal(status, 4);
  const told = JSON.parse(stdout) as {
    schema: string;
    equal: boolean;
    changes: {
      change: string;
      of: string;
      service?: string;
      server?: string;
    }[];
    tally: unknown;
  };
  assert.equal(told.schema, "ipvsadm/diff/1");
  assert.equal(told.equal, false);
  assert.deepEqual(
    told.changes.map(({ change, of, service, server }) =>
      [change, of, service, server].join(" ").trim(),
    ),
    [
      "change service tcp/192.0.2.1:80",
      "change server tcp/192.0.2.1:80 10.0.0.1:80",
      "add server tcp/192.0.2.1:80 10.0.0.4:80",
      "remove server tcp/192.0.2.1:80 10.0.0.2:80",
      "add service fwm/7",
      "remove service tcp/192.0.2.1:25",
      "remove server tcp/192.0.2.1:25 10.0.0.3:25",
    ],
  );
  const none = { services: 0, servers: 0, daemons: 0, timeouts: 0 };
  assert.deepEqual(told.tally, {
    add: { ...none, services: 1, servers: 1 },
    change: { ...none, services: 1, servers: 1 },
    remove: { ...none, services: 1, servers: 2 },
  });
});

test("diff, apply and restore refuse a filtered listing, except with --no-prune", async () => {
  const world = { link: kernelWith(TABLE) };
  for (const format of ["json", "yaml"])
    for (const filter of ["tcp/192.0.2.1:25", "--server 10.0.0.3"]) {
      const listing = await subcommand(`list ${filter} -o ${format}`, world);
      const lines = listing.stdout.split("\n");
      for (const line of [
        "diff -",
        "diff --only tcp/192.0.2.1:25 -",
        "apply -",
        "apply --dry-run -",
        "apply --only tcp/192.0.2.1:25 -",
        "restore -",
        "restore --dry-run -",
      ]) {
        const refused = await subcommand(line, { ...world, stdin: [lines] });
        assert.deepEqual([refused.stdout, refused.status], ["", 1], line);
        assert.match(
          refused.stderr,
          /^ipvsadm: standard input is a filtered listing .*: nothing was changed; use --no-prune/,
        );
      }
      const added = await subcommand("diff --no-prune -", {
        ...world,
        stdin: [lines],
      });
      assert.deepEqual([added.stderr, added.status], ["", 0]);
    }
  const whole = (await subcommand("list -o json", world)).stdout.split("\n");
  assert.equal(
    (await subcommand("diff -", { ...world, stdin: [whole] })).status,
    0,
  );
});
