import { join } from "node:path";
import { formatSelector } from "../../grammar/selector.js";
import { formatAddress } from "../../ipvs/address.js";
import type { IpvsClient } from "../../ipvs/client.js";
import {
  formatEndpoint,
  PROTOCOL_NAMES,
  type ServiceKey,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import {
  assess,
  type AssessedServer,
  type AssessedService,
} from "../../ipvs/state.js";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";
import { readConnectionLimits } from "../../doctor/connection-limits.js";
import {
  isSelected,
  isWhole,
  WHOLE_TABLE,
  type Selection,
} from "./selection.js";

/** The names of labels and their values. The values are numbers, addresses and our own words, so none needs escapes. */
export type Labels = Readonly<Record<string, string>>;

/** A virtual service with its labels. */
export interface LabeledService {
  readonly service: AssessedService;
  /** The labels of node_exporter, and `service`, which is unique */
  readonly labels: Labels;
  /** The real servers that have series: none with --services-only */
  readonly servers: readonly LabeledServer[];
}

/** A real server with its labels. node_exporter calls it a backend. */
export interface LabeledServer {
  readonly server: AssessedServer;
  /** The labels of node_exporter */
  readonly nodeLabels: Labels;
  /** The labels of node_exporter, and `service` */
  readonly labels: Labels;
}

/** The counters of the network namespace. They include services that were deleted. */
export interface KernelTotals {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

/** How full the tables of connections are. An undefined figure is not known. */
export interface ConnectionTables {
  /** Entries of IPVS: connections and persistence templates */
  readonly entries: number | undefined;
  /** net.ipv4.vs.conn_max, which newer kernels have */
  readonly mostEntries: number | undefined;
  readonly buckets: number | undefined;
  /** Entries of netfilter's connection tracking, if its module is loaded */
  readonly tracked: number | undefined;
  readonly mostTracked: number | undefined;
}

/** What one scrape reports. */
export interface Snapshot {
  readonly services: readonly LabeledService[];
  /** Undefined if the kernel does not report them */
  readonly totals: KernelTotals | undefined;
  readonly connections: ConnectionTables;
  /** How long reading the table took */
  readonly seconds: number;
}

/** Reads the selected part of the table, and the totals. */
export async function readSnapshot(
  client: IpvsClient,
  io: Pick<Io, "procFolder" | "clock">,
  selection: Selection = WHOLE_TABLE,
): Promise<Snapshot> {
  const began = io.clock.now();
  const table = await readServices(client, selection);
  const seconds = (io.clock.now() - began) / 1000;
  // If the table changes during a dump, an entry may appear twice, and Prometheus would reject the whole scrape.
  const services = unique(table, ({ key }) => formatSelector(key)).map(
    withUniqueServers,
  );
  return {
    services: services.map((service) =>
      labeled(service, selection.servicesOnly),
    ),
    totals: kernelTotals(textOf(join(io.procFolder, "net/ip_vs_stats")) ?? ""),
    connections: connectionTables(
      io.procFolder,
      isWhole(selection) ? services : undefined,
      client.info.connectionTableSize,
    ),
    seconds,
  };
}

/** @param table undefined if only a part of it was read: then older kernels do not tell the number of entries */
function connectionTables(
  procFolder: string,
  table: readonly AssessedService[] | undefined,
  buckets: number,
): ConnectionTables {
  const limits = readConnectionLimits(procFolder);
  return {
    entries: limits.entries ?? (table && sumOfConnections(table)),
    mostEntries: limits.most,
    buckets: buckets === 0 ? undefined : buckets,
    tracked: limits.tracked,
    mostTracked: limits.mostTracked,
  };
}

function sumOfConnections(table: readonly AssessedService[]): number {
  let sum = 0;
  for (const { servers } of table)
    for (const server of servers)
      sum +=
        server.activeConnections +
        server.inactiveConnections +
        server.persistentConnections;
  return sum;
}

/** Reads the servers of the selected services only. */
async function readServices(
  client: IpvsClient,
  selection: Selection,
): Promise<ServiceWithServers[]> {
  const services = (await client.services()).filter(({ key }) =>
    isSelected(selection, key),
  );
  const table: ServiceWithServers[] = [];
  for await (const some of client.withServers(services)) table.push(...some);
  return table;
}

function withUniqueServers(service: ServiceWithServers): AssessedService {
  const servers = unique(service.servers, ({ key }) =>
    formatEndpoint(key.address, key.port),
  );
  return assess({ ...service, servers });
}

/** Parses `/proc/net/ip_vs_stats`: its third line has hexadecimal numbers. @see ip_vs_stats_show() in ip_vs_ctl.c */
export function kernelTotals(text: string): KernelTotals | undefined {
  const fields = (text.split("\n")[2] ?? "").trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((one) => /^[0-9A-F]+$/i.test(one)))
    return undefined;
  const [connections, inPackets, outPackets, inBytes, outBytes] = fields.map(
    (digits) => BigInt(`0x${digits}`),
  ) as [bigint, bigint, bigint, bigint, bigint];
  return { connections, inPackets, outPackets, inBytes, outBytes };
}

function labeled(
  service: AssessedService,
  servicesOnly: boolean,
): LabeledService {
  const { address, mark, ...protocol } = serviceLabels(service.key);
  const selector = { service: formatSelector(service.key) };
  const servers = servicesOnly ? [] : service.servers;
  return {
    service,
    labels: { ...selector, ...address, ...protocol, ...mark },
    servers: servers.map((server) => {
      const nodeLabels = {
        ...address,
        remote_address: formatAddress(server.key.address),
        remote_port: String(server.key.port),
        ...protocol,
        ...mark,
      };
      return { server, nodeLabels, labels: { ...selector, ...nodeLabels } };
    }),
  };
}

/** The labels of node_exporter, which reads /proc/net/ip_vs: a firewall mark has eight hexadecimal digits. */
function serviceLabels(key: ServiceKey) {
  return "firewallMark" in key
    ? {
        address: { local_address: "", local_port: "0" },
        proto: "FWM",
        mark: {
          local_mark: key.firewallMark
            .toString(16)
            .toUpperCase()
            .padStart(8, "0"),
        },
      }
    : {
        address: {
          local_address: formatAddress(key.address),
          local_port: String(key.port),
        },
        proto: PROTOCOL_NAMES[key.protocol],
        mark: { local_mark: "" },
      };
}

function unique<Entry>(
  entries: readonly Entry[],
  name: (entry: Entry) => string,
): readonly Entry[] {
  return [...new Map(entries.map((entry) => [name(entry), entry])).values()];
}
