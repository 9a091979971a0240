import type {
  DoctorSummary,
  Examination,
  ExaminationRequest,
} from "../examination.js";

/** What a director must show, besides the revision, so that a rollout goes on. */
export type Gate =
  | {
      readonly kind: "doctor";
      /** The least severe findings that stop the rollout */
      readonly severity: "error" | "warning";
    }
  | {
      readonly kind: "failing";
      /** The largest share of failing connections of a service: 0 to 1 */
      readonly share: number;
    };

/** Parses `doctor`, `doctor=warning` or `failing=5%`. @returns undefined if the text is no gate */
export function parseGate(text: string): Gate | undefined {
  if (text === "doctor" || text === "doctor=error")
    return { kind: "doctor", severity: "error" };
  if (text === "doctor=warning") return { kind: "doctor", severity: "warning" };
  const [, percent] =
    /^failing=([0-9]{1,3}(?:\.[0-9]{1,3})?)%$/.exec(text) ?? [];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return { kind: "failing", share: Number(percent) / 100 };
}

/** What the directors are asked for; undefined if there are no gates. */
export function requestOf(
  gates: readonly Gate[],
  id: string,
): ExaminationRequest | undefined {
  if (gates.length === 0) return undefined;
  return {
    id,
    doctor: gates.some(({ kind }) => kind === "doctor"),
    connections: gates.some(({ kind }) => kind === "failing"),
  };
}

/** Why an examination stops a rollout; undefined if it passes all gates. */
export function gateFault(
  gates: readonly Gate[],
  examination: Examination,
): string | undefined {
  for (const gate of gates) {
    const fault =
      gate.kind === "doctor"
        ? doctorFault(gate, examination)
        : connectionsFault(gate, examination);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function doctorFault(
  { severity }: Gate & { readonly kind: "doctor" },
  { doctor, fault }: Examination,
): string | undefined {
  if (!doctor) return `was not examined by doctor: ${fault ?? NO_REASON}`;
  const { errors, warnings } = doctor;
  if (errors === 0 && (severity === "error" || warnings === 0))
    return undefined;
  const counts = [
    ...(errors > 0 ? [`${errors} error${errors === 1 ? "" : "s"}`] : []),
    ...(severity === "warning" && warnings > 0
      ? [`${warnings} warning${warnings === 1 ? "" : "s"}`]
      : []),
  ];
  return `fails the gate doctor: ${counts.join(", ")} (${findingsText(doctor, severity)})`;
}

function findingsText(
  { findings }: DoctorSummary,
  severity: "error" | "warning",
): string {
  return findings
    .filter((one) => one.severity === "error" || one.severity === severity)
    .map(({ id, subject }) => (subject === undefined ? id : `${id} ${subject}`))
    .join(", ");
}

function connectionsFault(
  { share }: Gate & { readonly kind: "failing" },
  { connections, fault }: Examination,
): string | undefined {
  if (!connections)
    return `did not count failing connections: ${fault ?? NO_REASON}`;
  const { worst, seconds } = connections;
  if (!worst || worst.failing <= share * worst.opened) return undefined;
  const { service, opened, failing } = worst;
  return `fails the gate failing=${percentText(share)}: ${failing} of ${opened} new connections of ${service} (${percentText(failing / opened)}) got no answer within ${seconds} s`;
}

function percentText(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}

const NO_REASON = "no reason given";
