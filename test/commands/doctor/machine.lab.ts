import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { suite, test } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { sh } from "../../lab/namespaces.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  type Found,
  answered,
  carryOut,
  examined,
  proves,
  silent,
  unanswered,
} from "./case.js";

const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m`;
const URL = "http://192.0.2.100/";
const HASH_RULES = `
  -A -u 192.0.2.100:53 -s rr
  -a -u 192.0.2.100:53 -r 198.51.100.11:8080 -m`;

/** The modules are the whole machine's. */
const skip =
  process.env["LAB_KERNEL"] !== "uml" &&
  "only a guest of our own may lose its modules";

suite("doctor finds missing modules", { skip }, () => {
  const site = siteOf(BEHIND_DIRECTOR, { real1: { http: [8080] } });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  /** Removes the module, and with it the table and its sysctls. */
  async function unload(): Promise<void> {
    await ipvsadm("-C");
    sh(
      "modprobe -r xt_ipvs; for module in $(sed -n 's/^\\(ip_vs_[a-z_]*\\) .*/\\1/p' /proc/modules) ip_vs; do modprobe -r $module; done",
    );
  }

  // Two faults one after the other: the module comes back without a table.
  test("module-absent, then empty-table", async () => {
    await balance(RULES);
    await answered(site, URL);
    const rules = await ipvsadm("-Sn");
    director(`printf '%s' '${rules}' >/etc/ipvsadm.rules`);
    await unload();
    await unanswered(site, URL);
    const absent = await examined("some unexamined");
    assert.deepEqual(absent.found.map(told), ["error module-absent"]);
    assert.equal(absent.status, 1);
    carryOut(site, only(absent.found), {});
    await unanswered(site, URL);
    const empty = await examined();
    assert.deepEqual(empty.found.map(told), ["warning empty-table"]);
    assert.equal(empty.status, 0);
    carryOut(site, only(empty.found), {});
    await answered(site, URL);
    await silent();
  });

  proves(site, {
    id: "schedulers-missing",
    seen: /^the modules of this kernel do not include ip_vs_dh$/,
    rules: RULES,
    works: async () => {
      await answered(site, URL);
      await ipvsadm("-A -t 192.0.2.100:81 -s dh");
      await ipvsadm("-D -t 192.0.2.100:81");
    },
    // As if the file had come by a package that left it at that.
    fault: () =>
      void director(`
        modprobe -r ip_vs_dh
        file=$(modinfo -n ip_vs_dh)
        mv $file /run/kept
        depmod -a
        mv /run/kept $file`),
    fails: () => assert.rejects(ipvsadm("-A -t 192.0.2.100:81 -s dh")),
  });

  proves(site, {
    id: "hash-small",
    seen: /^[0-9]+ entries are in 256 buckets, [89] in each$/,
    rules: HASH_RULES,
    async prepare() {
      await unload();
      director("modprobe ip_vs conn_tab_bits=12");
    },
    works: () => fill(4096),
    async fault() {
      await unload();
      director("modprobe ip_vs conn_tab_bits=8");
      await balance(HASH_RULES);
    },
    fails: () => fill(256),
    // The fix counts when the module is loaded the next time.
    afterFix: async () => {
      await unload();
      director("modprobe ip_vs");
      await balance(HASH_RULES);
    },
    lastly: () =>
      void director("rm -f /etc/modprobe.d/ip_vs-conn_tab_bits.conf"),
  });

  /** Makes more connections than eight for each of 256 rows, and sees how many rows there are. */
  async function fill(rows: number): Promise<void> {
    await balance(HASH_RULES);
    for (let i = 0; i < 2600; i++) {
      const socket = createSocket("udp4");
      socket.send("x", 53, "192.0.2.100", () => socket.close());
      await once(socket, "close");
    }
    assert.match(await ipvsadm("-Ln"), new RegExp(`size=${rows}\\)`));
  }
});

function told({ severity, id }: Found): string {
  return `${severity} ${id}`;
}

function only([one]: readonly Found[]): Found {
  assert.ok(one);
  return one;
}
