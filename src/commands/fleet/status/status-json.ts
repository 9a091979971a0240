import type { Members } from "../../../document/write-table.js";
import type {
  DirectorReport,
  FleetReport,
} from "../../../fleet/fleet-report.js";
import type { Examination } from "../../../fleet/examination.js";
import { loadSums } from "./load-sums.js";

/** The report as a document: schema/fleet-status-1.json. */
export function statusJson({
  heads,
  directors,
  drains,
  rollouts,
}: FleetReport): Members {
  return {
    schema: "ipvsadm/fleet-status/1",
    tables: [...heads].map(([name, { newest, released }]) => ({
      name,
      newest,
      released,
    })),
    directors: directors.map(directorJson),
    drains: drains.map(({ id, author, at }) => ({ id, author, at })),
    rollouts: rollouts.map(
      ({ table, revision, state, wave, waves, gates, reason, author, at }) => ({
        table,
        revision,
        state,
        wave,
        waves,
        gates: gates?.length === 0 ? undefined : gates,
        reason,
        author,
        at,
      }),
    ),
    sums: { directors: directors.length, ...loadSums(directors) },
  };
}

function directorJson({
  name,
  verdict,
  reason,
  state,
  load,
  examination,
  wanted,
}: DirectorReport): Members {
  return {
    name,
    state: verdict,
    reason,
    wanted,
    table: state?.table,
    labels: state?.labels,
    applied: state?.applied,
    sha256: state?.sha256,
    since: state?.since,
    lastSeen: load?.at,
    dryRun: state?.dryRun,
    heals: state?.heals,
    version: state?.version,
    drift: state && { ...state.drift },
    drains: state?.drains.map((one) => ({ ...one })),
    examination: examination && examinationJson(examination),
    load:
      load && verdict !== "silent"
        ? {
            activeConnections: load.activeConnections,
            inactiveConnections: load.inactiveConnections,
            connectionsPerSecond: load.connectionsPerSecond,
            inBytesPerSecond: load.inBytesPerSecond,
            outBytesPerSecond: load.outBytesPerSecond,
          }
        : undefined,
  };
}

function examinationJson({
  revision,
  at,
  doctor,
  connections,
  fault,
}: Examination): Members {
  return {
    revision,
    at,
    doctor: doctor && {
      errors: doctor.errors,
      warnings: doctor.warnings,
      notes: doctor.notes,
      findings: doctor.findings.map((one) => ({ ...one })),
    },
    connections: connections && {
      seconds: connections.seconds,
      worst: connections.worst && { ...connections.worst },
    },
    fault,
  };
}
