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

/** Names of labels and their values; all of them are numbers, addresses and words of ours. */
export type Labels = Readonly<Record<string, string>>;

/** A virtual service with its labels. */
export interface LabelledService {
  readonly service: AssessedService;
  /** Ours: our own name of it, which is unique, and node_exporter's labels of a service */
  readonly labels: Labels;
  readonly servers: readonly LabelledServer[];
}

/** A real server with its labels; node_exporter calls it a backend. */
export interface LabelledServer {
  readonly server: AssessedServer;
  /** Those of node_exporter */
  readonly nodeLabels: Labels;
  /** Ours: the same, and the name of the service */
  readonly labels: Labels;
}

/** What the kernel counts of the network namespace, whatever became of the services. */
export interface KernelTotals {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

/** All that is told at one time. */
export interface Snapshot {
  readonly services: readonly LabelledService[];
  /** Undefined where the kernel does not show them */
  readonly totals: KernelTotals | undefined;
  /** How long the table took to be read */
  readonly seconds: number;
}

/** Reads the table, and labels it. */
export async function readSnapshot(
  client: IpvsClient,
  io: Pick<Io, "procFolder" | "clock">,
): Promise<Snapshot> {
  const began = io.clock.now();
  const table = await client.table();
  const seconds = (io.clock.now() - began) / 1000;
  return {
    // While a table changes, a dump can tell of an entry twice, and Prometheus would take none of it.
    services: unique(table, ({ key }) => formatSelector(key)).map((service) =>
      labelled(assess(service)),
    ),
    totals: kernelTotals(textOf(join(io.procFolder, "net/ip_vs_stats")) ?? ""),
    seconds,
  };
}

/** Reads `/proc/net/ip_vs_stats`: its third line, in hexadecimal digits. @see ip_vs_stats_show() in ip_vs_ctl.c */
export function kernelTotals(text: string): KernelTotals | undefined {
  const fields = (text.split("\n")[2] ?? "").trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((one) => /^[0-9A-F]+$/i.test(one)))
    return undefined;
  const [connections, inPackets, outPackets, inBytes, outBytes] = fields.map(
    (digits) => BigInt(`0x${digits}`),
  ) as [bigint, bigint, bigint, bigint, bigint];
  return { connections, inPackets, outPackets, inBytes, outBytes };
}

function labelled(service: AssessedService): LabelledService {
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

/** As node_exporter has them, which takes them from /proc/net/ip_vs: a firewall mark is in eight hexadecimal digits. */
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
