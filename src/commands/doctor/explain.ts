import type { Kind } from "../../doctor/finding.js";
import { drawTable } from "../../cli/table.js";
import { wrapped } from "../../cli/help.js";
import type { Output } from "../../cli/output.js";

type Looks = Pick<Output, "paint" | "width">;

/** Explains a kind of finding: the output of `--explain`. */
export function explanationOf(kind: Kind, looks: Looks): string {
  const { title, strong } = looks.paint;
  const section = (name: string, text: string) =>
    `\n${title(name)}\n${wrapped(text, 2, looks)}`;
  return [
    `${strong(kind.id)} (${kind.severity})\n`,
    wrapped(sentence(kind.title), 2, looks),
    section("Why it matters", kind.why),
    section("What is checked", kind.looked),
    section("How to fix it", kind.cure),
    ...(kind.sysctls.length > 0
      ? [section("Sysctls", kind.sysctls.join(", "))]
      : []),
  ].join("");
}

/** One line for each kind: the output of `--list`. */
export function kindLines(kinds: readonly Kind[], looks: Looks): string[] {
  return drawTable(
    [
      { title: "Finding" },
      { title: "Severity", drop: 1 },
      { title: "What it is", shortest: 20 },
    ],
    kinds.map(({ id, severity, title }) => [
      { text: id, style: "name" },
      severity,
      title,
    ]),
    looks,
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
