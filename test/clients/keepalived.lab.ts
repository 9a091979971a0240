import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { startServer, type Server } from "../lab/http.js";
import { buildNetwork, DIRECTOR, type Network } from "../lab/network.js";
import { ours } from "../lab/program.js";
import { originalProgram, unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { addRules, becomes, PATIENCE_SECONDS, rules } from "./table.js";

const PID_FILE = "/run/keepalived.pid";

// Not the virtual service of another test: its real servers would keep their counters, and the
// rates would decrease
// between two listings.
const CONFIGURATION = `
global_defs {
  router_id director
  lvs_sync_daemon lan VI_1 id 9 maxlen 1400 port 8850 ttl 2 group 224.0.0.99
}
vrrp_instance VI_1 {
  state MASTER
  interface lan
  virtual_router_id 51
  priority 200
  virtual_ipaddress {
    198.51.100.2/32 dev lo
  }
}
virtual_server 198.51.100.2 80 {
  delay_loop 1
  lb_algo wlc
  lb_kind NAT
  persistence_timeout 77
  persistence_granularity 255.255.255.0
  protocol TCP
  sorry_server 127.0.0.1 80
  real_server 10.1.0.11 80 {
    weight 3
    uthreshold 100
    lthreshold 50
    TCP_CHECK {
      connect_timeout 30
    }
  }
  real_server 10.1.0.12 80 {
    weight 2
    inhibit_on_failure
    TCP_CHECK {
      connect_timeout 30
    }
  }
}
virtual_server 2001:db8::1 53 {
  lb_algo rr
  lvs_method TUN type gue port 6080 csum
  protocol UDP
  ops
  real_server 2001:db8:1::11 53 {
    weight 1
  }
}
virtual_server fwmark 7 {
  lb_algo mh
  mh-fallback
  mh-port
  lb_kind DR
  persistence_engine sip
  persistence_timeout 60
  real_server 10.1.0.13 0 {
    weight 1
  }
}
`;

const WEB = "-A -t 198.51.100.2:80 -s wlc -p 77 -M 255.255.255.0\n";
const WEB1 = "-a -t 198.51.100.2:80 -r 10.1.0.11:80 -m -w 3 -x 100 -y 50\n";
const WEB2 = (weight: number) =>
  `-a -t 198.51.100.2:80 -r 10.1.0.12:80 -m -w ${weight}\n`;
const SORRY = "-a -t 198.51.100.2:80 -r 127.0.0.1:80 -m -w 1\n";
const REST = `-A -u [2001:db8::1]:53 -s rr -o
-a -u [2001:db8::1]:53 -r [2001:db8:1::11]:53 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-A -f 7 -s mh -p 60 --pe sip -b mh-fallback,mh-port
-a -f 7 -r 10.1.0.13:0 -g -w 1
`;

const LISTINGS = [
  "-L -n",
  "-L -n --nosort",
  "-L -n --tun-info",
  "-L -n --thresholds",
  "-L -n --persistent-conn",
  "-L -n --stats --exact",
  "-L -n --rate",
  "-L -n -t 198.51.100.2:80",
  "-L -n -f 7",
  "-L -n -u [2001:db8::1]:53",
  "-L --daemon",
  "-L --timeout",
  "-S -n",
];

// keepalived uses netlink itself, so it does not call the original. Both programs list what it
// created.
suite(
  "keepalived, which programs the same kernel",
  { skip: unprepared() },
  () => {
    let network: Network;
    let servers: Record<string, Server>;
    before(() => {
      network = buildNetwork({
        [DIRECTOR]: { addresses: { lan: ["10.1.0.1/24"] } },
        web1: { addresses: { lan: ["10.1.0.11/24"] } },
        web2: { addresses: { lan: ["10.1.0.12/24"] } },
      });
      mkdirSync("/etc/keepalived", { recursive: true });
      writeFileSync("/etc/keepalived/keepalived.conf", CONFIGURATION);
    });
    beforeEach(async () => {
      servers = {
        web1: await startServer("web1", [80]),
        web2: await startServer("web2", [80]),
      };
      await ours(["-C"]);
    });
    afterEach(async () => {
      await stop();
      await ours(["-C"]);
      for (const server of Object.values(servers)) await server.stop();
    });
    after(() => {
      network[Symbol.dispose]();
    });

    test("what it makes of its configuration is listed like the original lists it", async () => {
      start();
      await becomes(WEB + WEB1 + WEB2(2) + REST);
      const daemons = await eventually(
        listDaemons,
        (text) => text.startsWith("master"),
        PATIENCE_SECONDS,
      );
      assert.equal(
        daemons,
        "master sync daemon (mcast=lan, syncid=9, maxlen=1400, group=224.0.0.99, port=8850, ttl=2)\n",
      );
      await bothList();
    });

    test("what its checks change is listed at once", async () => {
      start();
      await becomes(WEB + WEB1 + WEB2(2) + REST);
      await servers["web1"]?.stop();
      await becomes(WEB + WEB2(2) + REST);
      await servers["web2"]?.stop();
      await becomes(WEB + WEB2(0) + SORRY + REST);
      await bothList();
      servers["web1"] = await startServer("web1", [80]);
      await becomes(WEB + WEB1 + WEB2(0) + REST);
      servers["web2"] = await startServer("web2", [80]);
      await becomes(WEB + WEB1 + WEB2(2) + REST);
    });

    test("it goes on with what ours has changed, and ours with what it leaves", async () => {
      start();
      await becomes(WEB + WEB1 + WEB2(2) + REST);
      const saved = await rules();
      const drained = WEB1.replace("-w 3", "-w 0");
      await addRules(drained.replace("-a", "-e"));
      assert.equal(await rules(), saved.replace(WEB1, drained));
      await servers["web1"]?.stop();
      await becomes(WEB + WEB2(2) + REST);
      servers["web1"] = await startServer("web1", [80]);
      await becomes(WEB + WEB1 + WEB2(2) + REST);
      await stop();
      assert.equal(await rules(), "");
      await addRules(saved);
      assert.equal(await rules(), saved);
    });
  },
);

function start(): void {
  const { stdout, status } = bash("/etc/init.d/keepalived start");
  assert.equal(status, 0, stdout);
}

async function stop(): Promise<void> {
  bash("/etc/init.d/keepalived stop");
  const running = () => Promise.resolve(existsSync(PID_FILE));
  assert.ok(!(await eventually(running, (is) => !is, PATIENCE_SECONDS)));
}

async function listDaemons(): Promise<string> {
  const { stdout } = await ours(["-L", "--daemon"]);
  return stdout;
}

/** Compares every listing with the original's listing of the same table. */
async function bothList(): Promise<void> {
  for (const listing of LISTINGS) {
    const theirs = bash(`${originalProgram("ipvsadm")} ${listing}`);
    const { stdout, stderr, status } = await ours(listing.split(" "));
    // The original does not save thresholds, our program does: see DIFFERENCES in man/ipvsadm.8.
    const comparable =
      listing === "-S -n" ? stdout.replace(/ -[xy] \d+/g, "") : stdout;
    assert.deepEqual({ stdout: comparable, stderr, status }, theirs, listing);
  }
}
