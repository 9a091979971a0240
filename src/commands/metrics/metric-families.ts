import type { Stats } from "../../ipvs/model.js";
import {
  SERVER_STATES,
  SERVICE_STATES,
  type ServerState,
} from "../../ipvs/state.js";
import { VERSION } from "../../runtime/version.js";
import type { Series } from "./series.js";
import type {
  ConnectionTables,
  KernelTotals,
  LabeledServer,
  Labels,
  Snapshot,
} from "./snapshot.js";

/** A value and its labels. */
export interface Sample {
  /** Labels that other families use, too: one object for all, so that its text is made only once */
  readonly sharedLabels: Labels;
  /** Labels of this family alone */
  readonly labels: Labels;
  readonly value: number;
}

/** A metric family: all series with one name. */
export interface Family<Source = Snapshot> {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: (source: Source) => Sample[];
}

const NO_LABELS: Labels = {};

function sample(sharedLabels: Labels, value: number): Sample {
  return { sharedLabels, labels: NO_LABELS, value };
}

function serversOf({ services }: Snapshot): LabeledServer[] {
  return services.flatMap(({ servers }) => servers);
}

/** The suffix of the metric name, the counter, and the beginning of the help text. */
const COUNTERS = [
  ["connections_total", "connections", "Connections of"],
  ["incoming_packets_total", "inPackets", "Packets from clients to"],
  [
    "outgoing_packets_total",
    "outPackets",
    "Packets to clients through the director, from",
  ],
  ["incoming_bytes_total", "inBytes", "Bytes from clients to"],
  [
    "outgoing_bytes_total",
    "outBytes",
    "Bytes to clients through the director, from",
  ],
] as const satisfies readonly (readonly [string, keyof Stats, string])[];

const SINCE = "since it was added or its counters were zeroed.";

/* The families of node_exporter's ipvs collector, with its help texts: collector/ipvs_linux.go, version 1.5. */

const NODE_TOTALS: readonly Family[] = (
  [
    ["connections_total", "connections", "number of connections made"],
    ["incoming_packets_total", "inPackets", "number of incoming packets"],
    ["outgoing_packets_total", "outPackets", "number of outgoing packets"],
    ["incoming_bytes_total", "inBytes", "amount of incoming data"],
    ["outgoing_bytes_total", "outBytes", "amount of outgoing data"],
  ] as const satisfies readonly (readonly [
    string,
    keyof KernelTotals,
    string,
  ])[]
).map(([end, counter, what]) => ({
  name: `node_ipvs_${end}`,
  help: `The total ${what}.`,
  type: "counter",
  samples: ({ totals }) =>
    totals ? [sample(NO_LABELS, Number(totals[counter]))] : [],
}));

const NODE_BACKENDS: readonly Family[] = [
  nodeBackend(
    "connections_active",
    "The current active connections by local and remote address.",
    ({ server }) => server.activeConnections,
  ),
  nodeBackend(
    "connections_inactive",
    "The current inactive connections by local and remote address.",
    ({ server }) => server.inactiveConnections,
  ),
  nodeBackend(
    "weight",
    "The current backend weight by local and remote address.",
    ({ server }) => server.settings.weight,
  ),
];

function nodeBackend(
  end: string,
  help: string,
  value: (server: LabeledServer) => number,
): Family {
  return {
    name: `node_ipvs_backend_${end}`,
    help,
    type: "gauge",
    samples: (snapshot) =>
      summed(
        serversOf(snapshot).map((server) =>
          sample(server.nodeLabels, value(server)),
        ),
      ),
  };
}

/**
 * IPv4 and IPv6 have separate firewall marks, but these labels are the same for both. If both have the same real server, the
 * values are added, as node_exporter does.
 */
function summed(samples: readonly Sample[]): Sample[] {
  const marked = new Map<string, Sample>();
  const all: Sample[] = [];
  for (const one of samples) {
    const { sharedLabels, value } = one;
    if (sharedLabels["local_mark"] === "") {
      all.push(one);
      continue;
    }
    const name = Object.values(sharedLabels).join(" ");
    const sum = (marked.get(name)?.value ?? 0) + value;
    marked.set(name, sample(sharedLabels, sum));
  }
  return [...all, ...marked.values()];
}

/* Our own families. */

/** Makes families with one sample for each item. An item whose value is undefined has no sample. */
function familyOf<Item extends { readonly labels: Labels }>(
  itemsOf: (snapshot: Snapshot) => readonly Item[],
) {
  return (
    name: string,
    help: string,
    type: Family["type"],
    valueOf: (item: Item) => number | undefined,
  ): Family => ({
    name,
    help,
    type,
    samples: (snapshot) =>
      itemsOf(snapshot).flatMap((item) => {
        const value = valueOf(item);
        return value === undefined ? [] : [sample(item.labels, value)];
      }),
  });
}

const ofServices = familyOf(({ services }) => services);
const ofServers = familyOf(serversOf);

const OWN_SERVICES: readonly Family[] = [
  ...COUNTERS.map(([end, counter, what]): Family =>
    ofServices(
      `ipvs_service_${end}`,
      `${what} a virtual service ${SINCE}`,
      "counter",
      ({ service }) => Number(service.stats[counter]),
    ),
  ),
  ofServices(
    "ipvs_service_backends",
    "Number of real servers of a virtual service.",
    "gauge",
    ({ service }) => service.servers.length,
  ),
  ofServices(
    "ipvs_service_available_weight",
    "Total weight of the real servers that accept new connections. 0: the service accepts none.",
    "gauge",
    ({ service }) => service.effectiveWeight,
  ),
];

const STATE_LABELS: ReadonlyMap<ServerState, Labels> = new Map(
  SERVER_STATES.map((state) => [state, { state }]),
);

const OWN_BACKENDS: readonly Family[] = [
  ...COUNTERS.map(([end, counter, what]): Family =>
    ofServers(
      `ipvs_backend_${end}`,
      `${what} a real server ${SINCE}`,
      "counter",
      ({ server }) => Number(server.stats[counter]),
    ),
  ),
  ofServers(
    "ipvs_backend_connections_persistent",
    "Persistence templates of a real server.",
    "gauge",
    ({ server }) => server.persistentConnections,
  ),
  ofServers(
    "ipvs_backend_upper_threshold",
    "Upper threshold: with this many connections, a real server is overloaded. Missing without a limit.",
    "gauge",
    ({ server }) => server.settings.upperThreshold || undefined,
  ),
  ofServers(
    "ipvs_backend_lower_threshold",
    "Lower threshold: below this many connections, an overloaded real server accepts new ones again. Missing if not set.",
    "gauge",
    ({ server }) => server.settings.lowerThreshold || undefined,
  ),
  {
    name: "ipvs_backend_state",
    help: "1 for the current state of a real server.",
    type: "gauge",
    samples: (snapshot) =>
      serversOf(snapshot).map(({ server, labels }) => ({
        sharedLabels: labels,
        labels: STATE_LABELS.get(server.state) ?? NO_LABELS,
        value: 1,
      })),
  },
];

const OWN_TABLE: readonly Family[] = [
  {
    name: "ipvs_services",
    help: "Number of virtual services in each state.",
    type: "gauge",
    samples: ({ services }) =>
      counted(
        SERVICE_STATES,
        services.map(({ service }) => service.state),
      ),
  },
  {
    name: "ipvs_backends",
    help: "Number of real servers in each state.",
    type: "gauge",
    samples: ({ services }) =>
      counted(
        SERVER_STATES,
        services.flatMap(({ service }) =>
          service.servers.map(({ state }) => state),
        ),
      ),
  },
  ofConnections(
    "ipvs_connection_table_entries",
    "Entries of the connection table: connections and persistence templates.",
    "entries",
  ),
  ofConnections(
    "ipvs_connection_table_limit",
    "Most entries of the connection table: net.ipv4.vs.conn_max. Missing on kernels without a limit.",
    "mostEntries",
  ),
  ofConnections(
    "ipvs_connection_table_buckets",
    "Hash buckets of the connection table. Not a limit: with 8 or more entries per bucket, the director slows down.",
    "buckets",
  ),
  ofConnections(
    "ipvs_conntrack_entries",
    "Entries of netfilter's connection tracking. Missing if it is not loaded.",
    "tracked",
  ),
  ofConnections(
    "ipvs_conntrack_limit",
    "Most entries of netfilter's connection tracking: net.netfilter.nf_conntrack_max.",
    "mostTracked",
  ),
  {
    name: "ipvs_scrape_duration_seconds",
    help: "Time to read the table from the kernel.",
    type: "gauge",
    samples: ({ seconds }) => [sample(NO_LABELS, seconds)],
  },
  {
    name: "ipvs_exporter_info",
    help: "Always 1. The label is the version of ipvsadm.",
    type: "gauge",
    samples: () => [sample({ version: VERSION }, 1)],
  },
];

function ofConnections(
  name: string,
  help: string,
  figure: keyof ConnectionTables,
): Family {
  return {
    name,
    help,
    type: "gauge",
    samples({ connections }) {
      const value = connections[figure];
      return value === undefined ? [] : [sample(NO_LABELS, value)];
    },
  };
}

function counted(
  states: readonly string[],
  found: readonly string[],
): Sample[] {
  const counts = new Map(states.map((state) => [state, 0]));
  for (const state of found) counts.set(state, (counts.get(state) ?? 0) + 1);
  return Array.from(counts, ([state, value]) => sample({ state }, value));
}

function up(value: 0 | 1): Family {
  return {
    name: "ipvs_up",
    help: "1 if the table could be read, 0 if not.",
    type: "gauge",
    samples: () => [sample(NO_LABELS, value)],
  };
}

/** The families of a series. */
export function familiesOf(series: Series): readonly Family[] {
  return [
    ...(series === "more" ? [] : [...NODE_TOTALS, ...NODE_BACKENDS]),
    ...(series === "node"
      ? []
      : [up(1), ...OWN_TABLE, ...OWN_SERVICES, ...OWN_BACKENDS]),
  ];
}

/** The families to report if the table cannot be read. */
export const DOWN: readonly Family[] = [up(0)];
