import type { Stats } from "../../ipvs/model.js";
import {
  SERVER_STATES,
  SERVICE_STATES,
  type ServerState,
} from "../../ipvs/state.js";
import { VERSION } from "../../runtime/version.js";
import type { Series } from "./series.js";
import type {
  KernelTotals,
  LabelledServer,
  LabelledService,
  Labels,
  Snapshot,
} from "./snapshot.js";

/** A value with its labels. */
export interface Sample {
  /** Those that other families have as well: one object for all, whose text is made only once */
  readonly sharedLabels: Labels;
  /** Those of this family alone */
  readonly labels: Labels;
  readonly value: number;
}

/** What Prometheus calls a metric family: all series of one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: (snapshot: Snapshot) => Sample[];
}

const NO_LABELS: Labels = {};

function sample(sharedLabels: Labels, value: number): Sample {
  return { sharedLabels, labels: NO_LABELS, value };
}

/** Counters by the ends of their names, and what of a service or server they count. */
const COUNTERS = [
  ["connections_total", "connections", "The connections of"],
  ["incoming_packets_total", "inPackets", "The packets from clients to"],
  [
    "outgoing_packets_total",
    "outPackets",
    "The packets to clients, where they pass the director, of",
  ],
  ["incoming_bytes_total", "inBytes", "The bytes from clients to"],
  [
    "outgoing_bytes_total",
    "outBytes",
    "The bytes to clients, where they pass the director, of",
  ],
] as const satisfies readonly (readonly [string, keyof Stats, string])[];

const SINCE = "since it was added, or its counters were zeroed.";

/* Families of node_exporter's ipvs collector, with its own words: collector/ipvs_linux.go, version 1.5. */

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
  value: (server: LabelledServer) => number,
): Family {
  return {
    name: `node_ipvs_backend_${end}`,
    help,
    type: "gauge",
    samples: ({ services }) => summed(backendSamples(services, value)),
  };
}

/**
 * IPv4 and IPv6 have firewall marks of their own, which these labels do not tell apart: should both have a real server
 * of the same address, node_exporter adds them up.
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

function backendSamples(
  services: readonly LabelledService[],
  value: (server: LabelledServer) => number,
): Sample[] {
  return services.flatMap(({ servers }) =>
    servers.map((server) => sample(server.nodeLabels, value(server))),
  );
}

/* Our own families. */

const OWN_SERVICES: readonly Family[] = [
  ...COUNTERS.map(([end, counter, what]): Family =>
    ofServices(
      `ipvs_service_${end}`,
      `${what} a virtual service, ${SINCE}`,
      "counter",
      ({ service }) => Number(service.stats[counter]),
    ),
  ),
  ofServices(
    "ipvs_service_backends",
    "The real servers of a virtual service.",
    "gauge",
    ({ servers }) => servers.length,
  ),
  ofServices(
    "ipvs_service_available_weight",
    "The weights of all real servers that take new connections; 0 is a service that takes none.",
    "gauge",
    ({ service }) => service.effectiveWeight,
  ),
];

function ofServices(
  name: string,
  help: string,
  type: Family["type"],
  value: (service: LabelledService) => number,
): Family {
  return {
    name,
    help,
    type,
    samples: ({ services }) =>
      services.map((service) => sample(service.labels, value(service))),
  };
}

const STATE_LABELS: ReadonlyMap<ServerState, Labels> = new Map(
  SERVER_STATES.map((state) => [state, { state }]),
);

const OWN_BACKENDS: readonly Family[] = [
  ...COUNTERS.map(([end, counter, what]): Family =>
    ofServers(
      `ipvs_backend_${end}`,
      `${what} a real server, ${SINCE}`,
      "counter",
      ({ server }) => Number(server.stats[counter]),
    ),
  ),
  ofServers(
    "ipvs_backend_connections_persistent",
    "The clients that persistence binds to a real server.",
    "gauge",
    ({ server }) => server.persistentConnections,
  ),
  ofServers(
    "ipvs_backend_upper_threshold",
    "The connections at which a real server gets no new ones, where there is a limit.",
    "gauge",
    ({ server }) => server.settings.upperThreshold || undefined,
  ),
  ofServers(
    "ipvs_backend_lower_threshold",
    "The connections below which an overloaded real server gets new ones again, where it is set.",
    "gauge",
    ({ server }) => server.settings.lowerThreshold || undefined,
  ),
  {
    name: "ipvs_backend_state",
    help: "1 for the state that a real server is in.",
    type: "gauge",
    samples: ({ services }) =>
      services.flatMap(({ servers }) =>
        servers.map(({ server, labels }) => ({
          sharedLabels: labels,
          labels: STATE_LABELS.get(server.state) ?? NO_LABELS,
          value: 1,
        })),
      ),
  },
];

/** @param value undefined where there is nothing to tell */
function ofServers(
  name: string,
  help: string,
  type: Family["type"],
  value: (server: LabelledServer) => number | undefined,
): Family {
  return {
    name,
    help,
    type,
    samples: ({ services }) =>
      services.flatMap(({ servers }) =>
        servers.flatMap((server) => {
          const told = value(server);
          return told === undefined ? [] : [sample(server.labels, told)];
        }),
      ),
  };
}

const OWN_TABLE: readonly Family[] = [
  {
    name: "ipvs_services",
    help: "The virtual services in each state.",
    type: "gauge",
    samples: ({ services }) =>
      counted(
        SERVICE_STATES,
        services.map(({ service }) => service.state),
      ),
  },
  {
    name: "ipvs_backends",
    help: "The real servers in each state.",
    type: "gauge",
    samples: ({ services }) =>
      counted(
        SERVER_STATES,
        services.flatMap(({ servers }) =>
          servers.map(({ server }) => server.state),
        ),
      ),
  },
  {
    name: "ipvs_scrape_duration_seconds",
    help: "How long the table took to be read from the kernel.",
    type: "gauge",
    samples: ({ seconds }) => [sample(NO_LABELS, seconds)],
  },
  {
    name: "ipvs_exporter_info",
    help: "1; the version of ipvsadm is in a label.",
    type: "gauge",
    samples: () => [sample({ version: VERSION }, 1)],
  },
];

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
    help: "Whether the table could be read.",
    type: "gauge",
    samples: () => [sample(NO_LABELS, value)],
  };
}

/** The families that are wanted. */
export function familiesOf(series: Series): readonly Family[] {
  return [
    ...(series === "more" ? [] : [...NODE_TOTALS, ...NODE_BACKENDS]),
    ...(series === "node"
      ? []
      : [up(1), ...OWN_TABLE, ...OWN_SERVICES, ...OWN_BACKENDS]),
  ];
}

/** What is told when the table cannot be read. */
export const DOWN: readonly Family[] = [up(0)];
