import { join } from "node:path";
import { formatSelector } from "../../grammar/selector.js";
import { formatAddress } from "../../ipvs/address.js";
import type { IpvsClient } from "../../ipvs/client.js";
import {
  formatEndpoint,
  PROTOCOL_NAMES,
  type ServiceKey,
} from "../../ipvs/model.js";
import {
  assess,
  type AssessedServer,
  type AssessedService,
} from "../../ipvs/state.js";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";

/** The names of labels and their values. The values are numbers, addresses and our own words, so none needs escapes. */
export type Labels = Readonly<Record<string, string>>;

/** A virtual service with its labels. */
export interface LabeledService {
  readonly service: AssessedService;
  /** The labels of node_exporter, and `service`, which is unique */
  readonly labels: Labels;
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

/** What one scrape reports. */
export interface Snapshot {
  readonly services: readonly LabeledService[];
  /** Undefined if the kernel does not report them */
  readonly totals: KernelTotals | undefined;
  /** How long reading the table took */
  readonly seconds: number;
}

/** Reads the table and the totals. */
export async function readSnapshot(
  client: IpvsClient,
  io: Pick<Io, "procFolder" | "clock">,
): Promise<Snapshot> {
  const began = io.clock.now();
  const table = await client.table();
  const seconds = (io.clock.now() - began) / 1000;
  return {
    // If the table changes during a dump, an entry may appear twice, and Prometheus would reject the whole scrape.
    services: unique(table, ({ key }) => formatSelector(key)).map((service) =>
      labeled(assess(service)),
    ),
    totals: kernelTotals(textOf(join(io.procFolder, "net/ip_vs_stats")) ?? ""),
    seconds,
  };
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

function labeled(service: AssessedService): LabeledService {
  const { address, mark, ...protocol } = serviceLabels(service.key);
  const selector = { service: formatSelector(service.key) };
  const servers = unique(service.servers, ({ key }) =>
    formatEndpoint(key.address, key.port),
  );
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
