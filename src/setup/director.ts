import {
  familyOf,
  formatAddress,
  INET6,
  sameAddress,
  type Address,
  type Family,
} from "../ipvs/address.js";
import { MASQUERADING, TCP, type ServiceKey } from "../ipvs/model.js";
import type { ServerRule, ServiceRule } from "../ipvs/table.js";
import { directorsAreServers, peerMarks } from "./peer-marks.js";
import { SiteIncomplete, type Site } from "./site.js";
import type { Machine, Step, VirtualEndpoint } from "./step.js";

/** A director's set-up. The backup has the virtual addresses only after a failover. */
export function directorMachine(
  site: Site,
  role: "director" | "backup",
): Machine {
  const remarks: string[] = [];
  const steps: Step[] = [
    { kind: "module", name: "ip_vs" },
    ...ftpSteps(site, remarks),
    ...forwardingSteps(site),
    ...fullNatSteps(site),
    ...markSteps(site, role, remarks),
  ];
  const { directors, backups } = site;
  const { services, daemons } = site.table;
  const areServers = directorsAreServers({ services, directors, backups });
  if (site.activeActive) {
    if (areServers)
      remarks.push(
        "The directors are real servers of each other, and both balance. Packets that come from the other director get no firewall mark, so this machine answers them and does not balance them again.",
        "The marks contain the MAC address of the other director. After a change of its network card, undo and run this again.",
      );
    if (daemons && daemons.length > 0)
      remarks.push(
        "The sync daemons of the table are left out: with them, each director would need both roles.",
      );
  } else if (areServers) {
    steps.push(sysctl("net.ipv4.vs.backup_only", 1, 0));
    remarks.push(
      "The directors are real servers of each other. backup_only=1 keeps a director with a backup sync daemon from forwarding, so packets do not loop. At a failover, stop the backup daemon on the director that becomes active. If both are to balance at the same time, use --active-active.",
    );
  }
  if (role === "director") steps.push(...addressSteps(site));
  else
    remarks.push(
      `At a failover this machine needs the virtual addresses: ${virtualAddresses(site).map(formatAddress).join(", ")}. keepalived does that with a vrrp_instance.`,
    );
  steps.push({ kind: "rules", ...withDaemon(site, role) });
  return { name: role, remarks, steps };
}

function sysctl(name: string, value: number, usual: number): Step {
  return { kind: "sysctl", name, value, usual };
}

/** The services with the servers that are masqueraded. */
function masqueraded({
  table,
}: Site): { key: ServiceKey; server: ServerRule }[] {
  return table.services.flatMap(({ key, servers }) =>
    servers
      .filter(({ settings }) => settings.forwarding === MASQUERADING)
      .map((server) => ({ key, server })),
  );
}

/** The port at which clients of FTP log in */
const FTP_PORT = 21;

/** What handles the data connections of masqueraded FTP servers. */
function ftpSteps(site: Site, remarks: string[]): Step[] {
  const ports = new Set<number>();
  for (const { key, server } of masqueraded(site))
    for (const { protocol, port } of endpointsOf(site, key))
      if (protocol === TCP && [port, server.key.port].includes(FTP_PORT))
        ports.add(port);
  // The server of a service for all ports can have any port.
  ports.delete(0);
  if (ports.size === 0) return [];
  if (!ports.has(FTP_PORT) && !site.fullNat)
    remarks.push(
      "ip_vs_ftp needs connection tracking to change the answers to PASV at other ports than 21. A firewall rule turns it on: iptables -t mangle -A FORWARD -m conntrack --ctstate NEW does nothing else.",
    );
  const all = [...ports.add(FTP_PORT)].sort((a, b) => a - b);
  return [
    {
      kind: "module",
      name: "ip_vs_ftp",
      ...(all.length > 1 && { options: `ports=${all.join(",")}` }),
    },
  ];
}

function forwardingSteps(site: Site): Step[] {
  const families = new Set(masqueraded(site).map(({ key }) => key.family));
  const steps: Step[] = [];
  if (families.has(INET6))
    steps.push(sysctl("net.ipv6.conf.all.forwarding", 1, 0));
  if (!Array.from(families).some((family) => family !== INET6)) return steps;
  steps.push(sysctl("net.ipv4.ip_forward", 1, 0));
  // Clients and servers on one interface: the kernel would tell the servers to answer the clients directly.
  if (site.interface === site.serverInterface && !site.fullNat)
    steps.push(
      sysctl("net.ipv4.conf.all.send_redirects", 0, 1),
      sysctl(
        // sysctl(8) and sysctl.d(5) write a dot in the name of an interface as a slash.
        `net.ipv4.conf.${site.interface.replaceAll(".", "/")}.send_redirects`,
        0,
        1,
      ),
    );
  return steps;
}

function fullNatSteps(site: Site): Step[] {
  if (!site.fullNat) return [];
  const steps: Step[] = [sysctl("net.ipv4.vs.conntrack", 1, 0)];
  for (const { key, servers } of site.table.services) {
    if (!servers.some(({ settings }) => settings.forwarding === MASQUERADING))
      continue;
    for (const service of endpointsOf(site, key))
      steps.push({
        kind: "snat",
        service,
        source: addressOfFamily(
          site.directors,
          key.family,
          "full NAT needs the director's address",
        ),
      });
  }
  return steps;
}

function markSteps(
  site: Site,
  role: "director" | "backup",
  remarks: string[],
): Step[] {
  for (const { key } of site.table.services)
    if ("firewallMark" in key && endpointsOf(site, key).length === 0)
      remarks.push(
        `Nothing here sets firewall mark ${key.firewallMark}. Say which packets get it with --mark ${key.firewallMark}=tcp/ADDRESS:PORT.`,
      );
  if (site.activeActive && site.marks.length > 0)
    return [
      peerMarks(site, role === "director" ? site.backups : site.directors),
    ];
  return site.marks.map(({ mark, service }) => ({
    kind: "mark",
    mark,
    service,
  }));
}

/** The virtual addresses and ports whose packets belong to a service. */
function endpointsOf({ marks }: Site, key: ServiceKey): VirtualEndpoint[] {
  if (!("firewallMark" in key)) return [key];
  return marks
    .filter(
      ({ mark, service }) =>
        mark === key.firewallMark && familyOf(service.address) === key.family,
    )
    .map(({ service }) => service);
}

function addressSteps(site: Site): Step[] {
  return virtualAddresses(site).map((address) => ({
    kind: "address",
    address,
    device: site.interface,
  }));
}

/** Each virtual address once, in the order of the table. */
export function virtualAddresses(site: Site): Address[] {
  const found: Address[] = [];
  const all = site.table.services.flatMap(({ key }) => endpointsOf(site, key));
  for (const { address } of all)
    if (!found.some((one) => sameAddress(one, address))) found.push(address);
  return found;
}

/** The virtual addresses of the services that a real server belongs to. */
export function virtualAddressesOf(
  site: Site,
  services: readonly ServiceRule[],
): Address[] {
  return virtualAddresses({ ...site, table: { services } });
}

/** The rules. If there is a backup, each director runs the sync daemon of its own role: that of the table, or a new one. */
function withDaemon(
  site: Site,
  role: "director" | "backup",
): { lines: readonly string[]; undo: readonly string[] } {
  const { lines, undo } = site.rules;
  const { daemons } = site.table;
  if (site.backups.length === 0 || site.activeActive) return { lines, undo };
  const state = role === "director" ? "master" : "backup";
  if (daemons !== undefined) {
    const inRole = (line: string) =>
      daemons.length === 1
        ? line.replace(
            /^(--(?:start|stop)-daemon) (?:master|backup)/,
            `$1 ${state}`,
          )
        : line;
    return { lines: lines.map(inRole), undo: undo.map(inRole) };
  }
  return {
    lines: [
      ...lines,
      `--start-daemon ${state} --mcast-interface ${site.serverInterface}`,
    ],
    undo: [`--stop-daemon ${state}`, ...undo],
  };
}

/** @throws {SiteIncomplete} */
export function addressOfFamily(
  addresses: readonly Address[],
  family: Family,
  why: string,
): Address {
  const found = addresses.find((address) => familyOf(address) === family);
  if (found) return found;
  const version = family === INET6 ? "IPv6" : "IPv4";
  throw new SiteIncomplete(
    `${why}, and no ${version} address is given`,
    "give it with --director ADDRESS",
  );
}
