import type { StoredValue } from "../store/store.js";
import { RecordReader } from "./record.js";

/** What a rollout wants to know of a director that has its revision. */
export interface ExaminationRequest {
  /** Names the rollout: reports for another one do not count */
  readonly id: string;
  /** Whether doctor examines the director */
  readonly doctor: boolean;
  /** Whether failing connections are counted */
  readonly connections: boolean;
}

export function readRequest(record: RecordReader): ExaminationRequest {
  return {
    id: record.text("id"),
    doctor: record.flag("doctor"),
    connections: record.flag("connections"),
  };
}

/** A finding of doctor, in short. */
export interface FindingSummary {
  /** `server-no-arp` */
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  /** A service, a real server, an interface */
  readonly subject?: string | undefined;
}

/** What doctor found on a director. */
export interface DoctorSummary {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  /** The first findings, most severe first */
  readonly findings: readonly FindingSummary[];
}

/** The connections of a service that get no answer. */
export interface FailingService {
  /** `tcp/192.0.2.1:80` */
  readonly service: string;
  /** How many connections the kernel has counted in this time */
  readonly opened: number;
  /** How many of them wait in SYN_RECV */
  readonly failing: number;
}

/** How many connections of a director fail. */
export interface ConnectionsSummary {
  /** The time that it covers */
  readonly seconds: number;
  /** The service with the largest share; undefined if no service has enough connections to judge */
  readonly worst?: FailingService | undefined;
}

/** What an examination found. */
export interface ExaminationResult {
  readonly doctor?: DoctorSummary | undefined;
  readonly connections?: ConnectionsSummary | undefined;
  /** Why something was not examined. It comes from the network: escape it before it is shown */
  readonly fault?: string | undefined;
}

/** What a director reports of an examination. */
export interface Examination extends ExaminationResult {
  /** The id of the request */
  readonly id: string;
  /** The revision that the director had */
  readonly revision: number;
  /** When it was done, by its own clock: ISO 8601 */
  readonly at: string;
}

/** An examination in the store. */
export interface StoredExamination extends Examination {
  /** The store's revision at which it was written */
  readonly written: bigint;
}

export function readExamination({
  key,
  value,
  revision,
}: StoredValue): StoredExamination {
  const record = RecordReader.parse(key, value);
  return {
    id: record.text("id"),
    revision: record.count("revision"),
    at: record.text("at"),
    doctor: record.has("doctor")
      ? readDoctor(record.record("doctor"))
      : undefined,
    connections: record.has("connections")
      ? readConnections(record.record("connections"))
      : undefined,
    fault: record.optionalText("fault"),
    written: revision,
  };
}

function readDoctor(record: RecordReader): DoctorSummary {
  return {
    errors: record.count("errors"),
    warnings: record.count("warnings"),
    notes: record.count("notes"),
    findings: record.records("findings").map((one) => ({
      id: one.text("id"),
      severity: severityOf(one.text("severity")),
      subject: one.optionalText("subject"),
    })),
  };
}

function severityOf(text: string): FindingSummary["severity"] {
  return text === "warning" || text === "note" ? text : "error";
}

function readConnections(record: RecordReader): ConnectionsSummary {
  const worst = record.has("worst") ? record.record("worst") : undefined;
  return {
    seconds: record.count("seconds"),
    worst: worst && {
      service: worst.text("service"),
      opened: worst.count("opened"),
      failing: worst.count("failing"),
    },
  };
}
