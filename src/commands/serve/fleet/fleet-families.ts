import { escapeControls } from "../../../cli/escape.js";
import {
  VERDICTS,
  type DirectorReport,
  type FleetReport,
} from "../../../fleet/fleet-report.js";
import { loadSums } from "../../fleet/status/load-sums.js";
import type { Family, Sample } from "../../metrics/metric-families.js";
import type { Labels } from "../../metrics/snapshot.js";
import type { FleetKnowledge } from "./fleet-view.js";

type FleetFamily = Family<FleetKnowledge>;

const NO_LABELS: Labels = {};

function sample(labels: Labels, value: number): Sample {
  return { sharedLabels: NO_LABELS, labels, value };
}

/** A family of the current state. Old values would look like new ones, so there are none if the store cannot be read. */
function ofReport(
  name: string,
  help: string,
  samples: (report: FleetReport) => Sample[],
): FleetFamily {
  return {
    name: `ipvs_fleet_${name}`,
    help,
    type: "gauge",
    samples: ({ last, fault }) =>
      last && fault === undefined ? samples(last.report) : [],
  };
}

/** A family with one sample for each director whose value is known. */
function ofDirectors(
  name: string,
  help: string,
  valueOf: (director: DirectorReport) => number | undefined,
): FleetFamily {
  return ofReport(`director_${name}`, help, ({ directors }) =>
    directors.flatMap((director) => {
      const value = valueOf(director);
      return value === undefined ? [] : [sample(labelsOf(director), value)];
    }),
  );
}

/** Names come from the store. */
function labelsOf({ name, state }: DirectorReport): Labels {
  return {
    director: escapeControls(name),
    table: escapeControls(state?.table ?? ""),
  };
}

function ofSums(
  name: string,
  help: string,
  figure: keyof ReturnType<typeof loadSums>,
): FleetFamily {
  return ofReport(name, help, ({ directors }) => [
    sample(NO_LABELS, loadSums(directors)[figure]),
  ]);
}

/** The metrics of `serve --fleet`. */
export const FLEET_FAMILIES: readonly FleetFamily[] = [
  {
    name: "ipvs_fleet_up",
    help: "1 if etcd could be read, 0 if not. Then the other metrics of the fleet are missing.",
    type: "gauge",
    samples: ({ fault }) => [sample(NO_LABELS, fault === undefined ? 1 : 0)],
  },
  {
    name: "ipvs_fleet_last_read_timestamp_seconds",
    help: "When etcd was last read. Missing if it never was.",
    type: "gauge",
    samples: ({ last }) =>
      last ? [sample(NO_LABELS, last.date.getTime() / 1000)] : [],
  },
  ofReport(
    "directors",
    "Number of directors in each state of 'ipvsadm fleet status'.",
    ({ directors }) =>
      VERDICTS.map((state) =>
        sample(
          { state },
          directors.filter(({ verdict }) => verdict === state).length,
        ),
      ),
  ),
  ofReport(
    "director_state",
    "1 for the state of a director.",
    ({ directors }) =>
      directors.map((director) =>
        sample({ ...labelsOf(director), state: director.verdict }, 1),
      ),
  ),
  ofDirectors(
    "wanted_revision",
    "Revision that a director is to apply. Missing if there is none.",
    ({ wanted }) => wanted,
  ),
  ofDirectors(
    "applied_revision",
    "Revision that the kernel of a director had after the last change. Missing if there is none.",
    ({ state }) => state?.applied,
  ),
  ofDirectors(
    "drift",
    "Services, servers and other settings of a director that differ from the applied revision.",
    ({ state }) =>
      state && state.drift.add + state.drift.change + state.drift.remove,
  ),
  ofDirectors(
    "last_seen_timestamp_seconds",
    "When a director last reported, by its own clock.",
    ({ load }) => {
      const seconds = Date.parse(load?.at ?? "") / 1000;
      return Number.isFinite(seconds) ? seconds : undefined;
    },
  ),
  ofReport(
    "released_revision",
    "Revision of a table that directors apply outside of rollouts. 0 if none was released.",
    ({ heads }) =>
      [...heads].map(([table, { released }]) =>
        sample({ table: escapeControls(table) }, released),
      ),
  ),
  ofReport("newest_revision", "Newest revision of a table.", ({ heads }) =>
    [...heads].map(([table, { newest }]) =>
      sample({ table: escapeControls(table) }, newest),
    ),
  ),
  ofReport(
    "rollout_state",
    "1 for the state of the last rollout of a table.",
    ({ rollouts }) =>
      rollouts.map(({ table, state }) =>
        sample({ table: escapeControls(table), state }, 1),
      ),
  ),
  ofReport("drains", "Number of drains.", ({ drains }) => [
    sample(NO_LABELS, drains.length),
  ]),
  ofSums(
    "connections_active",
    "Active connections of all directors that are not silent.",
    "activeConnections",
  ),
  ofSums(
    "connections_inactive",
    "Inactive connections of all directors that are not silent.",
    "inactiveConnections",
  ),
  ofSums(
    "connections_per_second",
    "New connections per second of all directors that are not silent.",
    "connectionsPerSecond",
  ),
  ofSums(
    "incoming_bytes_per_second",
    "Bytes per second from clients of all directors that are not silent.",
    "inBytesPerSecond",
  ),
  ofSums(
    "outgoing_bytes_per_second",
    "Bytes per second to clients of all directors that are not silent.",
    "outBytesPerSecond",
  ),
];
