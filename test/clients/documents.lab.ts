import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { readPage } from "../docs/markdown.js";
import { eventually } from "../lab/eventually.js";
import { startServer, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours } from "../lab/program.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { becomes, PATIENCE_SECONDS } from "./table.js";

/**
 * A daemon whose page shows a configuration, followed by the rules that the daemon creates from it.
 */
interface Daemon {
  readonly page: string;
  readonly configuration: string;
  readonly service: string;
  readonly pidFile: string;
}

const DAEMONS: Readonly<Record<string, Daemon>> = {
  keepalived: {
    page: "docs/coming-from/keepalived.md",
    configuration: "/etc/keepalived/keepalived.conf",
    service: "/etc/init.d/keepalived",
    pidFile: "/run/keepalived.pid",
  },
  ldirectord: {
    page: "docs/coming-from/ldirectord.md",
    configuration: "/etc/ldirectord.cf",
    service: "/etc/init.d/ldirectord",
    pidFile: "/run/ldirectord.ldirectord.cf.pid",
  },
};

suite("the documents on other programs", { skip: unprepared() }, () => {
  let network: Network;
  const servers: Server[] = [];
  before(async () => {
    network = buildNetwork({
      [DIRECTOR]: {
        addresses: { lan: ["10.0.0.1/24"], lo: ["192.0.2.1/32"] },
      },
      web1: { addresses: { lan: ["10.0.0.11/24"] } },
      web2: { addresses: { lan: ["10.0.0.12/24"] } },
    });
    for (const host of ["web1", "web2"])
      servers.push(await startServer(host, [8080]));
    mkdirSync("/etc/keepalived", { recursive: true });
    await ours(["-C"]);
  });
  after(async () => {
    for (const server of servers) await server.stop();
    network[Symbol.dispose]();
    await ours(["-C"]);
  });

  for (const [name, daemon] of Object.entries(DAEMONS))
    test(`${name} creates the rules on its page from the configuration above them`, async () => {
      const { fences } = readPage(readFileSync(daemon.page, "utf8"));
      const blocks = fences.filter(({ value }) => value.info[0] === "text");
      const [configuration, rules] = blocks.map(({ value }) => value.code);
      assert.ok(configuration !== undefined && rules !== undefined);
      writeFileSync(daemon.configuration, configuration);
      const { status, stdout, stderr } = bash(`${daemon.service} start`);
      try {
        assert.equal(status, 0, stdout + stderr);
        await becomes(rules);
      } finally {
        bash(`${daemon.service} stop`);
        const running = () => Promise.resolve(existsSync(daemon.pidFile));
        await eventually(running, (is) => !is, PATIENCE_SECONDS);
      }
      await becomes("");
    });
});
