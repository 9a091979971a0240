import { named } from "../../document/named.js";
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import {
  MASQUERADING,
  TCP,
  type ServerEntry,
  type ServiceKey,
  type ServiceSettings,
} from "../../../src/ipvs/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand } from "../run-subcommand.js";

const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};

const KEEPALIVED = `virtual_server 192.0.2.1 80 {
  protocol TCP
  lvs_sched rr
  sorry_server 10.0.0.99 80
  real_server 10.0.0.1 80 {
    weight 3
    TCP_CHECK {
    }
  }
  real_server 10.0.0.2 80 {
    weight 2
    inhibit_on_failure
    TCP_CHECK {
    }
  }
  real_server 10.0.0.3 80 {
  }
  real_server 10.0.0.4 80 {
    MISC_CHECK {
      misc_path "/usr/local/bin/load"
      misc_dynamic
    }
  }
}
`;

const LDIRECTORD = `virtual=192.0.2.1:80
\treal=10.0.0.1:80 masq 3 l:5 u:10
\treal=10.0.0.2:80 masq 2
\tscheduler=rr
\tfallback=127.0.0.1:80
`;

const server = (text: string, weight: number) =>
  serverEntry(text, 80, { forwarding: MASQUERADING, weight });

const ALL = [
  server("10.0.0.1", 3),
  server("10.0.0.2", 2),
  server("10.0.0.3", 1),
  server("10.0.0.4", 1),
];

const diff = (
  configuration: string,
  servers: readonly ServerEntry[],
  options = "",
  settings: Partial<ServiceSettings> = {},
) =>
  subcommand(`diff ${options}-`, {
    link: kernelWith([
      serviceEntry(WEB, { scheduler: "rr", ...settings }, servers),
    ]),
    stdin: [configuration.split("\n")],
  });

suite("diff with the configuration of a health checker", () => {
  test("exits with 0 if the program has loaded it", async () => {
    const { stdout, stderr, status } = await diff(KEEPALIVED, ALL);
    assert.equal(stderr, "");
    assert.equal(stdout, "standard input: already up to date\n");
    assert.equal(status, 0);
  });

  test("lists servers that a check has removed, drained or reweighted, and exits with 0", async () => {
    const servers = [
      server("10.0.0.2", 0),
      server("10.0.0.3", 1),
      server("10.0.0.4", 7),
    ];
    const { stdout, status } = await diff(KEEPALIVED, servers);
    assert.equal(
      stdout,
      `Probably health checks of keepalived:
  tcp/192.0.2.1:80
    10.0.0.1:80  in the file, not in the table: keepalived removes a server whose check fails
    10.0.0.2:80  weight 2 in the file, 0 in the table: keepalived sets weight 0 when a check fails
    10.0.0.4:80  weight 1 in the file, 7 in the table: a check sets the weight
  A server that was added to the file after keepalived last read it looks the same.
standard input: already up to date, except for health checks
`,
    );
    assert.equal(status, 0);
    const strict = await diff(KEEPALIVED, servers, "--strict ");
    assert.equal(strict.stdout, stdout);
    assert.equal(strict.status, 4);
  });

  test("knows that a sorry server replaces all servers", async () => {
    const { stdout, status } = await diff(KEEPALIVED, [
      server("10.0.0.99", 1),
      server("10.0.0.2", 0),
    ]);
    assert.match(
      stdout,
      /10\.0\.0\.99:80 {2}in the table: the sorry server is in use\n/,
    );
    assert.match(stdout, /10\.0\.0\.3:80 {2}in the file, not in the table/);
    assert.equal(status, 0);
  });

  test("says nothing about a sorry server with weight 0", async () => {
    const { stdout, status } = await diff(KEEPALIVED, [
      ...ALL,
      server("10.0.0.99", 0),
    ]);
    assert.equal(stdout, "standard input: already up to date\n");
    assert.equal(status, 0);
  });

  test("counts what no check explains as a difference", async () => {
    const { stdout, status } = await diff(
      KEEPALIVED,
      [server("10.0.0.2", 1), server("10.0.0.5", 1)],
      "",
      { scheduler: "wrr" },
    );
    assert.equal(
      stdout,
      `Probably health checks of keepalived:
  tcp/192.0.2.1:80
    10.0.0.1:80  in the file, not in the table: keepalived removes a server whose check fails
    10.0.0.4:80  in the file, not in the table: keepalived removes a server whose check fails
  A server that was added to the file after keepalived last read it looks the same.
~ tcp/192.0.2.1:80  scheduler wrr → rr
~   10.0.0.2:80  weight 1 → 2
+   10.0.0.3:80  masq weight 1
-   10.0.0.5:80  masq weight 1
1 real server to add, 1 service and 1 real server to change, 1 real server to remove
`,
    );
    assert.equal(status, 4);
  });

  test("a server that inhibit_on_failure keeps is missing for another reason", async () => {
    const { stdout, status } = await diff(
      KEEPALIVED,
      ALL.filter(({ key }) => key.address[3] !== 2),
    );
    assert.match(stdout, /^\+ {3}10\.0\.0\.2:80/m);
    assert.equal(status, 4);
  });

  test("knows that ldirectord drops the thresholds of a quiescent server", async () => {
    const { stdout, status } = await diff(LDIRECTORD, [
      server("10.0.0.1", 0),
      server("10.0.0.2", 0),
      server("127.0.0.1", 1),
    ]);
    assert.equal(
      stdout,
      `Probably health checks of ldirectord:
  tcp/192.0.2.1:80
    10.0.0.1:80  weight 3 in the file, 0 in the table: ldirectord sets weight 0 when a check fails
    10.0.0.2:80  weight 2 in the file, 0 in the table: ldirectord sets weight 0 when a check fails
    127.0.0.1:80  in the table: the fallback server is in use
standard input: already up to date, except for health checks
`,
    );
    assert.equal(status, 0);
    const removed = await diff(`quiescent=no\n${LDIRECTORD}`, [
      server("10.0.0.2", 2),
    ]);
    assert.match(removed.stdout, /10\.0\.0\.1:80 {2}in the file, not/);
    assert.equal(removed.status, 0);
  });

  test("ignores the port of a server of a firewall mark that is not masqueraded", async () => {
    const configuration =
      "virtual_server fwmark 7 {\n  lvs_method DR\n  real_server 10.0.0.1 99 {\n  }\n}\n";
    const mark: ServiceKey = { family: INET, firewallMark: 7 };
    const compared = (port: number, weight: number) =>
      subcommand("diff -", {
        link: kernelWith([
          serviceEntry(mark, {}, [serverEntry("10.0.0.1", port, { weight })]),
        ]),
        stdin: [configuration.split("\n")],
      });
    for (const port of [0, 99])
      assert.equal((await compared(port, 1)).status, 0, String(port));
    assert.equal((await compared(99, 2)).status, 4);
  });

  test("writes health checks as a member of their own in JSON", async () => {
    const { stdout, status } = await diff(
      KEEPALIVED,
      [...ALL.slice(1), server("10.0.0.99", 1)],
      "-o json ",
    );
    const document = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(document["equal"], true);
    assert.deepEqual(document["changes"], []);
    assert.deepEqual(document["healthChecks"], [
      {
        cause: "removed",
        change: "add",
        of: "server",
        ...named("tcp/192.0.2.1:80", "10.0.0.1:80"),
        to: { weight: 3 },
      },
      {
        cause: "fallback",
        change: "remove",
        of: "server",
        ...named("tcp/192.0.2.1:80", "10.0.0.99:80"),
        from: { weight: 1 },
      },
    ]);
    assert.equal(status, 0);
  });

  test("apply and restore refuse it", async () => {
    for (const command of ["apply", "restore"]) {
      const { stdout, stderr, status } = await subcommand(`${command} -`, {
        link: kernelWith([serviceEntry(WEB)]),
        stdin: [`${KEEPALIVED}}`.split("\n")], // also with errors
      });
      assert.equal(stdout, "");
      assert.equal(
        stderr,
        `ipvsadm: standard input is a configuration of keepalived, which changes the table itself: reload keepalived instead, and compare with 'ipvsadm diff'\n`,
      );
      assert.equal(status, 1);
    }
  });

  test("check says that health checks are not read", async () => {
    const { stdout, status } = await subcommand("check --strict -", {
      stdin: [KEEPALIVED.split("\n")],
    });
    assert.equal(
      stdout,
      "-: no problems in 1 service with 4 real servers; health checks are not read\n",
    );
    assert.equal(status, 0);
  });
});
