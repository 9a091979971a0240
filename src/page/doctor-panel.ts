import { byId, element, setAttribute } from "./dom.js";
import { clock, counted } from "./format.js";
import { PolledPanel } from "./polled-panel.js";

/** A part of the document of `doctor -o json`. */
interface DoctorDocument {
  readonly findings: readonly Finding[];
  readonly examined: readonly string[];
  readonly unexamined: readonly { readonly reason: string | null }[];
  readonly notChecked: readonly string[];
}

interface Finding {
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  readonly title: string;
  readonly subject: string | null;
  readonly seen: string;
  readonly why: string;
  readonly cure: string;
  readonly evidence: readonly string[];
  readonly next: readonly Command[];
  readonly fix: readonly Command[];
}

interface Command {
  readonly command: string;
  readonly on: string | null;
}

const MILLISECONDS = 60_000;

/** The panel with the findings of doctor. */
export function doctorPanel(): PolledPanel {
  const list = byId("findings", HTMLElement);
  const note = byId("doctor-note", HTMLElement);
  const badge = byId("doctor-badge", HTMLElement);
  return new PolledPanel(
    byId("doctor", HTMLElement),
    MILLISECONDS,
    () => "api/v1/doctor",
    (answer) => {
      const { findings, examined, unexamined, notChecked } =
        answer as DoctorDocument;
      // A finding that somebody reads stays open.
      const open = new Set(
        [...list.querySelectorAll<HTMLElement>("details[open]")].map(
          ({ dataset }) => dataset["key"],
        ),
      );
      list.replaceChildren(...findings.map((finding) => itemOf(finding, open)));
      const reasons = unexamined.flatMap(({ reason }) => reason ?? []);
      const missing = [...new Set([...reasons, ...notChecked])];
      const wasOpen = note.querySelector("details")?.open;
      const nothing = examined.length === 0 && missing.length > 0;
      note.replaceChildren(
        element(
          "p",
          nothing ? { class: "warning" } : {},
          `${clock(Date.now())}: ${
            nothing && findings.length === 0
              ? "nothing could be checked."
              : `${summary(findings)}; ${counted(examined.length, "kind")} of fault checked.`
          }`,
        ),
        ...(missing.length > 0
          ? [
              element(
                "details",
                { open: wasOpen ?? nothing },
                element("summary", {}, "Not checked"),
                element(
                  "ul",
                  {},
                  ...missing.map((text) => element("li", {}, text)),
                ),
              ),
            ]
          : []),
      );
      const bad = findings.filter(({ severity }) => severity !== "note").length;
      badge.textContent = bad > 0 ? String(bad) : nothing ? "!" : "";
      setAttribute(badge, "title", nothing && "Nothing could be checked");
      setAttribute(badge, "data-warn", bad === 0);
      setAttribute(badge, "hidden", badge.textContent === "");
    },
    (reason) => {
      note.textContent = `Doctor did not answer: ${reason}.`;
    },
  );
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return "no fault found";
  const number = (severity: Finding["severity"]) =>
    findings.filter((finding) => finding.severity === severity).length;
  return (["error", "warning", "note"] as const)
    .filter((severity) => number(severity) > 0)
    .map((severity) => counted(number(severity), severity))
    .join(", ");
}

function itemOf(
  finding: Finding,
  open: ReadonlySet<string | undefined>,
): HTMLElement {
  const { id, severity, title, subject, seen, why, cure } = finding;
  const key = `${id} ${subject ?? ""} ${seen}`;
  const commands = (label: string, some: readonly Command[]) =>
    some.flatMap(({ command, on }) => [
      element("dt", {}, on === null ? label : `${label} on ${on}`),
      element("dd", {}, element("code", {}, command)),
    ]);
  return element(
    "li",
    {},
    element(
      "details",
      { "data-key": key, open: open.has(key) },
      element(
        "summary",
        {},
        element(
          "span",
          { class: "severity", "data-severity": severity },
          severity,
        ),
        element("strong", {}, title),
        element("span", { class: "who" }, subject ?? ""),
      ),
      element(
        "dl",
        {},
        element("dt", {}, "Seen"),
        element("dd", {}, seen),
        ...finding.evidence.flatMap((text) => [
          element("dt", {}, "Evidence"),
          element("dd", {}, text),
        ]),
        element("dt", {}, "Why"),
        element("dd", {}, why),
        ...commands("Next", finding.next),
        ...(finding.fix.length > 0
          ? commands("Fix", finding.fix)
          : [element("dt", {}, "Fix"), element("dd", {}, cure)]),
      ),
    ),
  );
}
