import type { CounterReading } from "../../../doctor/failing-connections.js";
import type { Facts, Gathered } from "../../../doctor/facts.js";
import type { Severity } from "../../../doctor/finding.js";
import type { Examiner } from "../../../fleet/agent/examinations.js";
import type {
  ConnectionsSummary,
  DoctorSummary,
  ExaminationRequest,
  ExaminationResult,
} from "../../../fleet/examination.js";
import type { Io } from "../../../runtime/io.js";

/** More of them would not be read, and the report stays small. */
const MOST_FINDINGS = 5;
const LONGEST_SUBJECT = 100;

/** Examines this machine with doctor, and counts failing connections. It loads doctor when a rollout asks for it first. */
export class MachineExaminer implements Examiner {
  readonly intervalMilliseconds = 10_000;
  readonly deadlineMilliseconds = 20_000;
  readonly #io: Io;
  /** Readings of the counters within the last minute, oldest first */
  #readings: CounterReading[] = [];

  constructor(io: Io) {
    this.#io = io;
  }

  async begin(): Promise<void> {
    const [{ readTable }, { readCounters }] = await Promise.all([
      import("../../../doctor/director/read-ipvs.js"),
      import("../../../doctor/failing-connections.js"),
    ]);
    this.#readings = [readCounters(await readTable(this.#io), this.#seconds())];
  }

  async examine({
    doctor,
    connections,
  }: ExaminationRequest): Promise<ExaminationResult> {
    const [{ gatherDirector }, { needsOf }, { DIRECTOR_CHECKS }, isLookedFor] =
      await Promise.all([
        import("../../../doctor/director/gather.js"),
        import("../../../doctor/check.js"),
        import("../../../doctor/director/checks.js"),
        findable(),
      ]);
    // One reading of the connection table is enough for both.
    const { facts, reasons } = await gatherDirector(this.#io, {
      choose: (services) => services,
      needs: doctor
        ? needsOf(DIRECTOR_CHECKS, isLookedFor)
        : new Set(["connections"]),
      probe: false,
    });
    const counted = connections ? await this.#countFailing(facts) : undefined;
    const found =
      doctor && facts.table !== undefined
        ? await summaryOf(facts, reasons)
        : undefined;
    const missing =
      facts.table === undefined
        ? reasons.get("table")
        : connections && !counted
          ? reasons.get("connections")
          : found?.fault;
    return {
      doctor: found?.summary,
      connections: counted,
      fault: missing,
    };
  }

  async #countFailing(facts: Facts): Promise<ConnectionsSummary | undefined> {
    const { table, timeouts, connections } = facts;
    if (!table || !timeouts || !connections) return undefined;
    const { readCounters, worstFailures, LONGEST_WINDOW_SECONDS } =
      await import("../../../doctor/failing-connections.js");
    const now = readCounters(table, this.#seconds());
    const isOld = ({ seconds }: CounterReading) =>
      now.seconds - seconds > LONGEST_WINDOW_SECONDS;
    const last = this.#readings.at(-1) ?? now;
    const recent = this.#readings.filter((reading) => !isOld(reading));
    const [since = last] = recent;
    this.#readings = [...recent, now];
    return {
      seconds: Math.round(now.seconds - since.seconds),
      worst: worstFailures(table, connections, timeouts, since, now),
    };
  }

  #seconds(): number {
    return this.#io.clock.now() / 1000;
  }
}

/** Tells which kinds to look for. Probes send packets to the real servers, which a rollout does not ask for. */
async function findable(): Promise<(id: string) => boolean> {
  const { needsProbe } = await import("../../../doctor/needs-probe.js");
  return (id) => !needsProbe(id);
}

interface Found {
  /** Undefined if doctor found no error, but could not look for all of them */
  readonly summary?: DoctorSummary | undefined;
  /** Why it could not */
  readonly fault: string | undefined;
}

async function summaryOf(
  facts: Facts,
  reasons: Gathered["reasons"],
): Promise<Found> {
  const [{ examine }, { DIRECTOR_CHECKS }, { diagnosesOf }, isLookedFor] =
    await Promise.all([
      import("../../../doctor/check.js"),
      import("../../../doctor/director/checks.js"),
      import("../../../doctor/findings.js"),
      findable(),
    ]);
  const { findings, unexamined } = examine(DIRECTOR_CHECKS, facts, isLookedFor);
  const fault = unexamined
    .map(({ wanting }) => reasons.get(wanting))
    .find((reason) => reason !== undefined);
  const all = diagnosesOf(findings).flatMap(({ kind, findings: some }) =>
    some.map(({ id, subject }) => ({
      id,
      severity: kind.severity,
      subject: subject?.slice(0, LONGEST_SUBJECT),
    })),
  );
  const count = (severity: Severity) =>
    all.filter((one) => one.severity === severity).length;
  const errors = count("error");
  if (errors === 0 && fault !== undefined) return { fault };
  return {
    summary: {
      errors,
      warnings: count("warning"),
      notes: count("note"),
      findings: all.slice(0, MOST_FINDINGS),
    },
    fault,
  };
}
