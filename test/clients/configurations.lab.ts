import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { startServer, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours, type Outcome } from "../lab/program.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { PATIENCE_SECONDS } from "./table.js";

const VIP = "198.51.100.3";

const KEEPALIVED = {
  file: "/etc/keepalived/keepalived.conf",
  service: "/etc/init.d/keepalived",
  pidFile: "/run/keepalived.pid",
};
const LDIRECTORD = {
  file: "/etc/ldirectord.cf",
  service: "/etc/init.d/ldirectord",
  pidFile: "/run/ldirectord.ldirectord.cf.pid",
};
type Daemon = typeof KEEPALIVED;

/* Most of what has a default or is written in another way than in the table. */
const KEEPALIVED_CONF = `! Configuration File for keepalived
$NET=10.1.0
$CHECK= \\
  TCP_CHECK { \\
    connect_timeout 30 \\
  }
global_defs {
  lvs_sync_daemon lan VI_3 id 9
  lvs_timeouts tcp 800 udp 200
}
vrrp_instance VI_3 {
  state MASTER
  interface lan
  virtual_router_id 53
  priority 200
  virtual_ipaddress {
    ${VIP}/32 dev lo
  }
}
virtual_server ${VIP} 80 {
  delay_loop 1
  lvs_sched wrr
  protocol TCP
  persistence_timeout
  persistence_granularity 255.255.255.0
  sorry_server 127.0.0.1 80
  real_server \${NET}.11 80 {
    weight 3
    $CHECK
  }
  real_server \${NET}.12 80 {
    weight 2
    inhibit_on_failure
    $CHECK
  }
}
virtual_server_group mixed {
  ${VIP} 8080
  198.51.100.4-6 81
  198.51.100.8/31 82
  fwmark 70
}
virtual_server group mixed {
  protocol UDP # no checks
  lvs_sched sh
  sh-port
  lvs_method DR
~SEQ(N, 13, 15) real_server \${NET}.\${N} 99 { }
}
virtual_server fwmark 71 {
  persistence_engine sip
  persistence_timeout 60
  lvs_method TUN type gre csum
  sorry_server 2001:db8:1::99
  real_server 2001:db8:1::13 {
    uthreshold 100
    lthreshold 50
    lvs_method TUN type gue port 6080
  }
}
virtual_server 2001:db8::1 {
  protocol SCTP
  real_server 2001:db8:1::13 {
    weight 0
  }
}
include conf.d/*.conf
`;
const INCLUDED = `virtual_server ${VIP} 83 {
  protocol tcp
  real_server 10.1.0.11 8083 {
  }
}
`;

const LDIRECTORD_CF = `
checktimeout = 60
checkinterval = 1
logfile = "/run/ldirectord.log"
quiescent = no
fallback = 127.0.0.1

virtual = ${VIP}:80
	real = 10.1.0.11:80 masq 3
	protocol = tcp
	scheduler = wlc
	checktype = connect
virtual = ${VIP}:81
	real = 10.1.0.12:80 masq 2 l:5 u:10
	quiescent = yes
	protocol = tcp
	persistent = 77
	netmask = 255.255.255.0
	checktype = connect
virtual = 72
	real = 10.1.0.13->10.1.0.15:80 gate
	real = 10.1.0.16 ipip 4
	protocol = fwm
	scheduler = sh
	schedflags = sh-port
	checktype = on
virtual = ${VIP}:domain
	real = 10.1.0.13:5353 gate
	ops = yes
	checktype = on
`;

suite(
  "diff with the configuration of a running health checker",
  { skip: unprepared() },
  () => {
    let network: Network;
    let servers: Record<string, Server>;
    before(() => {
      network = buildNetwork({
        [DIRECTOR]: {
          addresses: {
            lan: ["10.1.0.1/24", "2001:db8:1::1/64"],
            lo: [`${VIP}/32`],
          },
        },
        web1: { addresses: { lan: ["10.1.0.11/24"] } },
        web2: { addresses: { lan: ["10.1.0.12/24"] } },
      });
      mkdirSync("/etc/keepalived/conf.d", { recursive: true });
    });
    beforeEach(async () => {
      servers = {
        web1: await startServer("web1", [80]),
        web2: await startServer("web2", [80]),
      };
      await ours(["-C"]);
      await ours(["--set", "900", "120", "300"]);
    });
    afterEach(async () => {
      for (const daemon of [KEEPALIVED, LDIRECTORD]) await stop(daemon);
      await ours(["-C"]);
      for (const server of Object.values(servers)) await server.stop();
    });
    after(() => {
      network[Symbol.dispose]();
    });

    test("keepalived: names servers that fail, and tells whether the reload reached the kernel", async () => {
      writeFileSync(KEEPALIVED.file, KEEPALIVED_CONF);
      writeFileSync("/etc/keepalived/conf.d/more.conf", INCLUDED);
      start(KEEPALIVED);
      await isUpToDate(KEEPALIVED);

      await servers["web1"]?.stop();
      await becomes(
        KEEPALIVED,
        0,
        `Health checks of keepalived:
  tcp/${VIP}:80
    10.1.0.11:80  in the file, not in the table: keepalived removes a server whose check fails
keepalived has read the services of this file as they are now.
${KEEPALIVED.file}: already up to date, except for health checks
`,
      );
      // A new server looks like one whose check fails, but keepalived has not read it.
      const added = KEEPALIVED_CONF.replace(
        "real_server ${NET}.12 80 {",
        "real_server ${NET}.11 81 {\n    $CHECK\n  }\n  real_server ${NET}.12 80 {",
      );
      writeFileSync(KEEPALIVED.file, added);
      await becomes(
        KEEPALIVED,
        4,
        `Health checks of keepalived:
  tcp/${VIP}:80
    10.1.0.11:80  in the file, not in the table: keepalived removes a server whose check fails
keepalived has not read the services of this file as they are now: reload it (systemctl reload keepalived).
  tcp/${VIP}:80
+   10.1.0.11:81  masq weight 1
1 real server to add
`,
      );
      reload(KEEPALIVED);
      await becomes(
        KEEPALIVED,
        0,
        `Health checks of keepalived:
  tcp/${VIP}:80
    10.1.0.11:80  in the file, not in the table: keepalived removes a server whose check fails
    10.1.0.11:81  in the file, not in the table: keepalived removes a server whose check fails
keepalived has read the services of this file as they are now.
${KEEPALIVED.file}: already up to date, except for health checks
`,
      );
      writeFileSync(KEEPALIVED.file, KEEPALIVED_CONF);
      reload(KEEPALIVED);
      const strict = await ours(["diff", "--strict", KEEPALIVED.file]);
      assert.equal(strict.status, 4);

      await servers["web2"]?.stop();
      await becomes(
        KEEPALIVED,
        0,
        `Health checks of keepalived:
  tcp/${VIP}:80
    10.1.0.11:80  in the file, not in the table: keepalived removes a server whose check fails
    10.1.0.12:80  weight 2 in the file, 0 in the table: keepalived sets weight 0 when a check fails
    127.0.0.1:80  in the table: the sorry server is in use
keepalived has read the services of this file as they are now.
${KEEPALIVED.file}: already up to date, except for health checks
`,
      );
      servers = {
        web1: await startServer("web1", [80]),
        web2: await startServer("web2", [80]),
      };
      await isUpToDate(KEEPALIVED);

      writeFileSync(
        KEEPALIVED.file,
        KEEPALIVED_CONF.replace("weight 3", "weight 5").replace(
          "fwmark 70",
          "fwmark 70\n  fwmark 73",
        ),
      );
      writeFileSync(
        "/etc/keepalived/conf.d/more.conf",
        INCLUDED.replace("8083", "8084"),
      );
      await becomes(
        KEEPALIVED,
        4,
        `keepalived has not read the services of this file as they are now: reload it (systemctl reload keepalived).
  tcp/${VIP}:80
~   10.1.0.11:80  weight 3 → 5
  tcp/${VIP}:83
+   10.1.0.11:8084  masq weight 1
-   10.1.0.11:8083  masq weight 1
+ fwm/73  sh (sh-port)
+   10.1.0.13:0  direct weight 1
+   10.1.0.14:0  direct weight 1
+   10.1.0.15:0  direct weight 1
1 service and 4 real servers to add, 1 real server to change, 1 real server to remove
`,
      );
      reload(KEEPALIVED);
      await isUpToDate(KEEPALIVED);
    });

    test("ldirectord: names servers that fail, and tells whether the configuration was loaded", async () => {
      writeFileSync(LDIRECTORD.file, LDIRECTORD_CF);
      start(LDIRECTORD);
      await isUpToDate(LDIRECTORD);

      for (const server of Object.values(servers)) await server.stop();
      await becomes(
        LDIRECTORD,
        0,
        `Probably health checks of ldirectord:
  tcp/${VIP}:80
    10.1.0.11:80  in the file, not in the table: ldirectord removes a server whose check fails
    127.0.0.1:80  in the table: the fallback server is in use
  tcp/${VIP}:81
    10.1.0.12:80  weight 2 in the file, 0 in the table: ldirectord sets weight 0 when a check fails
    127.0.0.1:81  in the table: the fallback server is in use
  A server that was added to the file after ldirectord last read it looks the same.
${LDIRECTORD.file}: already up to date, except for health checks
`,
      );
      servers = {
        web1: await startServer("web1", [80]),
        web2: await startServer("web2", [80]),
      };
      await isUpToDate(LDIRECTORD);

      writeFileSync(
        LDIRECTORD.file,
        LDIRECTORD_CF.replace("scheduler = wlc", "scheduler = rr"),
      );
      await becomes(
        LDIRECTORD,
        4,
        `~ tcp/${VIP}:80  scheduler wlc → rr\n1 service to change\n`,
      );
      reload(LDIRECTORD);
      await isUpToDate(LDIRECTORD);
    });
  },
);

function start({ service }: Daemon): void {
  const { stdout, stderr, status } = bash(`${service} start`);
  assert.equal(status, 0, stdout + stderr);
}

function reload({ service }: Daemon): void {
  const { stdout, stderr, status } = bash(`${service} reload`);
  assert.equal(status, 0, stdout + stderr);
}

/** Stops a daemon, if it runs. */
async function stop({ service, pidFile }: Daemon): Promise<void> {
  if (!existsSync(pidFile)) return;
  bash(`${service} stop`);
  const running = () => Promise.resolve(existsSync(pidFile));
  assert.ok(!(await eventually(running, (is) => !is, PATIENCE_SECONDS)));
}

function isUpToDate(daemon: Daemon): Promise<void> {
  return becomes(daemon, 0, `${daemon.file}: already up to date\n`);
}

/** Waits until diff prints a text. */
async function becomes(
  { file }: Daemon,
  status: number,
  expected: string,
): Promise<void> {
  const diff = async (): Promise<Outcome> => {
    const { stdout, ...rest } = await ours(["diff", file]);
    return { ...rest, stdout: Buffer.from(stdout, "latin1").toString() };
  };
  const outcome = await eventually(
    diff,
    ({ stdout }) => stdout === expected,
    PATIENCE_SECONDS,
  );
  assert.equal(outcome.stdout + outcome.stderr, expected);
  assert.equal(outcome.status, status);
}
