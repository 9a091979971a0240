import assert from "node:assert/strict";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before } from "node:test";
import { installPrograms } from "../../lab/installed.js";
import { sh } from "../../lab/namespaces.js";
import { DIRECTOR, type Network, type NetworkPlan } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { startResident, type Resident } from "../doctor/resident.js";

/** Our programs, and iptables as the lab has it. */
export const PATH = [tools(), installPrograms(), process.env["PATH"]].join(
  delimiter,
);

function tools(): string {
  const folder = mkdtempSync(join(tmpdir(), "tools."));
  for (const name of ["iptables", "ip6tables"])
    for (const rest of ["", "-restore"])
      symlinkSync(
        `/usr/sbin/${name}-legacy${rest}`,
        join(folder, `${name}${rest}`),
      );
  return folder;
}

const twoServers = (
  addresses: (n: number) => readonly string[],
  routes: readonly string[],
  moreOf2: readonly string[] = routes,
): NetworkPlan => ({
  real1: { addresses: { lan: addresses(11) }, routes },
  real2: { addresses: { lan: addresses(12) }, routes: moreOf2 },
});

/** The director between the clients and the servers, which have another default route. */
export const BETWEEN: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24", "2001:db8:1::10/64"] },
  },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", "2001:db8:1::1/64"],
      lan: ["198.51.100.1/24", "2001:db8:2::1/64"],
    },
  },
  ...twoServers(
    (n) => [`198.51.100.${n}/24`, `2001:db8:2::${n}/64`],
    ["default via 198.51.100.253", "default via 2001:db8:2::fd"],
    [
      "default nexthop via 198.51.100.253 nexthop via 198.51.100.254",
      "default via 198.51.100.252 proto static metric 100",
    ],
  ),
};

/** All machines in one network. */
export const ONE_NETWORK: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24", "2001:db8:3::10/64"] } },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.1/24", "2001:db8:3::1/64"] },
  },
  ...twoServers((n) => [`203.0.113.${n}/24`, `2001:db8:3::${n}/64`], []),
};

/** The servers behind a router, which also is their way to the clients. */
export const BEHIND_ROUTER: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24", "2001:db8:1::10/64"] },
    routes: [
      "198.51.100.0/24 via 192.0.2.2",
      "2001:db8:2::/64 via 2001:db8:1::2",
    ],
  },
  [DIRECTOR]: {
    addresses: { front: ["192.0.2.1/24", "2001:db8:1::1/64"] },
    routes: [
      "198.51.100.0/24 via 192.0.2.2",
      "2001:db8:2::/64 via 2001:db8:1::2",
    ],
  },
  router: {
    addresses: {
      front: ["192.0.2.2/24", "2001:db8:1::2/64"],
      lan: ["198.51.100.1/24", "2001:db8:2::1/64"],
    },
    sysctls: { "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 },
  },
  ...twoServers(
    (n) => [`198.51.100.${n}/24`, `2001:db8:2::${n}/64`],
    ["default via 198.51.100.1", "default via 2001:db8:2::1"],
  ),
};

/** Bare machines with programs that answer, and the doctor on those that are not the director. */
export interface BareSite {
  readonly site: Site;
  /** Runs doctor on a machine. @returns its findings */
  readonly doctor: (
    host: string,
    words?: readonly string[],
  ) => Promise<unknown[]>;
}

/** @param servers the hosts on which a program answers, at ports 80 and 8080 */
export function bareSite(
  plan: NetworkPlan,
  servers: readonly string[],
): BareSite {
  before(() =>
    // Each makes an interface in every namespace, which is no trace of setup.
    sh("modprobe -a ip_vs ipip ip_gre fou fou6 sit ip6_tunnel ip6_gre || true"),
  );
  const site = siteOf(
    plan,
    Object.fromEntries(servers.map((host) => [host, { http: [80, 8080] }])),
  );
  const residents = new Map<string, Resident>();
  before(() => {
    for (const host of servers)
      if (host !== DIRECTOR) residents.set(host, startResident(host));
  });
  after(async () => {
    for (const resident of residents.values()) await resident.stop();
  });
  return {
    site,
    async doctor(host, words = []) {
      const line = ["doctor", ...words, "-o", "json"];
      const { stdout, stderr } = await (residents.get(host)?.run(line) ??
        ours(line));
      assert.equal(stderr, "");
      return (JSON.parse(stdout) as { findings: unknown[] }).findings;
    },
  };
}

/** Writes a table of rules. @returns the file */
export function tableFile(rules: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "setup.")), "table.rules");
  writeFileSync(file, `${rules}\n`);
  return file;
}

/** What setup prints for a machine. */
export async function printed(
  file: string,
  machine: string,
  options: readonly string[],
): Promise<string> {
  const words = ["setup", file, "--for", machine, ...options];
  const { stdout, stderr, status } = await ours(words);
  assert.deepEqual([stderr, status], ["", 0], words.join(" "));
  return stdout;
}

/** Runs what was printed as an administrator would, who pastes it into a shell. */
export function runOn(network: Network, host: string, text: string): void {
  network.sh(host, `${ownRunFolder(host)}export PATH=${PATH}\n${text}`);
}

/** Each machine has a /run of its own. Namespaces share the files, but commands on a host have their own mounts. */
function ownRunFolder(host: string): string {
  if (host === DIRECTOR) return "";
  const folder = `${RUN_FOLDERS}/${host}`;
  return `mkdir -p ${folder}; mount --bind ${folder} /run\n`;
}

const RUN_FOLDERS = mkdtempSync(join(tmpdir(), "run."));

/** All that setup may change on a host. */
export function stateOf(network: Network, host: string): string {
  return network.sh(
    host,
    // The kernel makes link-local addresses and their routes on its own, some time after the link is up.
    `${ownRunFolder(host)}set +e
     { ip -o address show; ip route show; ip -6 route show; ip -o link show; } |
       grep -v fe80: | sed 's/ mtu .*//; s/ *valid_lft.*//; s/^[0-9]*: //'
     ip fou show; ip -6 fou show
     cd /proc/sys/net/ipv4
     grep . ip_forward conf/all/arp_* conf/all/send_redirects conf/*/rp_filter
     cat ../ipv6/conf/all/forwarding
     grep . vs/conntrack vs/backup_only
     iptables-legacy-save | grep -e '^-A' -e ':ipvs'; ip6tables-legacy-save | grep -e '^-A' -e ':ipvs'
     ls /run/ipvsadm-setup* 2>/dev/null
     cat /proc/net/ip_vs; true`,
  );
}
