import {
  formatNarrowMask,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  type Stats,
} from "../../ipvs/model.js";
import { schedulerBitNames } from "../../ipvs/scheduler-flags.js";
import type { AssessedServer, AssessedService } from "../../ipvs/state.js";
import { CHECKSUMS, FORWARDING, TUNNELS } from "../../document/enum-names.js";
import type { ColumnKey } from "./column-keys.js";
import type { Labels } from "./labels.js";
import { sumsOf } from "./sums.js";

/** What a field of CSV says; undefined: nothing. */
type Value = string | number | bigint | undefined;

/** A field of CSV: of services, and of real servers. */
export interface Field {
  readonly name: string;
  readonly service: (service: AssessedService, labels: Labels) => Value;
  readonly server: (
    server: AssessedServer,
    service: AssessedService,
    labels: Labels,
  ) => Value;
}

const nothing = () => undefined;

const ofService = (name: string, service: Field["service"]): Field => ({
  name,
  service,
  server: nothing,
});

const ofServer = (
  name: string,
  server: (server: AssessedServer) => Value,
): Field => ({ name, service: nothing, server });

const ofStats = (name: string, counter: keyof Stats): Field => ({
  name,
  service: ({ stats }) => stats[counter],
  server: ({ stats }) => stats[counter],
});

const ofTunnel = (
  name: string,
  value: (server: AssessedServer["settings"]["tunnel"]) => Value,
): Field =>
  ofServer(name, ({ settings }) =>
    settings.forwarding === TUNNELING ? value(settings.tunnel) : undefined,
  );

const ofPersistence = (
  name: string,
  value: (settings: AssessedService["settings"]) => Value,
): Field =>
  ofService(name, ({ settings }) =>
    settings.flags & PERSISTENT ? value(settings) : undefined,
  );

/** The fields that stand for each column of the table. */
export const FIELDS: Readonly<Record<ColumnKey, readonly Field[]>> = {
  name: [
    { name: "kind", service: () => "service", server: () => "server" },
    {
      name: "service",
      service: ({ key }, labels) => labels.service(key),
      server: (_, { key }, labels) => labels.service(key),
    },
    {
      name: "server",
      service: nothing,
      server: (server, { key }, labels) => labels.server(key, server.key),
    },
  ],
  state: [
    {
      name: "state",
      service: ({ state }) => state,
      server: ({ state }) => state,
    },
  ],
  method: [
    ofService("scheduler", ({ settings }) => settings.scheduler),
    ofService("scheduler_flags", ({ settings }) =>
      schedulerBitNames(settings.scheduler, settings.flags).join(" "),
    ),
    ofPersistence("persistence_timeout", (set) => set.timeoutSeconds),
    ofPersistence("persistence_netmask", (set) =>
      formatNarrowMask(set.netmask),
    ),
    ofPersistence("persistence_engine", (set) => set.persistenceEngine),
    ofService("one_packet", ({ settings }) =>
      settings.flags & ONE_PACKET ? "true" : "false",
    ),
    ofServer(
      "forwarding",
      ({ settings }) =>
        FORWARDING.word(settings.forwarding) ?? settings.forwarding,
    ),
    ofTunnel("tunnel_type", ({ type }) => TUNNELS.word(type) ?? type),
    ofTunnel("tunnel_port", ({ port }) => (port === 0 ? undefined : port)),
    ofTunnel("tunnel_checksum", ({ flags }) => CHECKSUMS.word(flags) ?? flags),
  ],
  weight: [
    {
      name: "weight",
      service: ({ effectiveWeight }) => effectiveWeight,
      server: ({ settings }) => settings.weight,
    },
  ],
  share: [ofServer("share", ({ share }) => Math.round(share * 1e6) / 1e6)],
  active: [
    {
      name: "active_connections",
      service: (service) => sumsOf(service).active,
      server: (server) => server.activeConnections,
    },
  ],
  inactive: [
    {
      name: "inactive_connections",
      service: (service) => sumsOf(service).inactive,
      server: (server) => server.inactiveConnections,
    },
  ],
  persistent: [
    {
      name: "persistent_connections",
      service: (service) => sumsOf(service).persistent,
      server: (server) => server.persistentConnections,
    },
  ],
  limits: [
    ofServer("upper_threshold", ({ settings }) => settings.upperThreshold),
    ofServer("lower_threshold", ({ settings }) => settings.lowerThreshold),
  ],
  rate: [ofStats("connections_per_second", "connectionsPerSecond")],
  "in-rate": [ofStats("in_bytes_per_second", "inBytesPerSecond")],
  "out-rate": [ofStats("out_bytes_per_second", "outBytesPerSecond")],
  "packets-in-rate": [ofStats("in_packets_per_second", "inPacketsPerSecond")],
  "packets-out-rate": [
    ofStats("out_packets_per_second", "outPacketsPerSecond"),
  ],
  total: [ofStats("connections", "connections")],
  in: [ofStats("in_bytes", "inBytes")],
  out: [ofStats("out_bytes", "outBytes")],
  "packets-in": [ofStats("in_packets", "inPackets")],
  "packets-out": [ofStats("out_packets", "outPackets")],
};
