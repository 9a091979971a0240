import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { tableMembers } from "../../document/write-table.js";
import { yamlText } from "../../document/yaml-text.js";
import { HASHED } from "../../ipvs/model.js";
import { readExisting } from "../../plan/snapshot.js";
import type { Table } from "../../ipvs/table.js";
import type { Io } from "../../runtime/io.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { sortServices } from "../../view/order.js";
import { oldestFirst } from "../../ipvs/server-order.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { escapeControls, fromBytes, toBytes } from "../../cli/escape.js";
import { ruleTexts, type Unsaid } from "./rule-text.js";

/** So much of what rules cannot say is told line by line. */
const TOLD = 10;

export const run: RunSubcommand = async ({ given, io, output }) => {
  const [file = "-"] = given.positionals;
  const format = given.text("output") ?? formatOf(file);
  const table = await readTable(io);
  if (format !== "rules") {
    const members = tableMembers(table);
    const text =
      format === "json" ? `${jsonText(members)}\n` : yamlText(members);
    if (file === "-") output.write(text);
    else writeAtomically(file, toBytes(text));
    return EXIT.ok;
  }
  const unsaid: Unsaid[] = [];
  const show = file === "-" ? printer(io, output) : undefined;
  const texts: string[] = [];
  for (const { text, lost } of ruleTexts(table)) {
    if (lost) unsaid.push(lost);
    if (show) show(text);
    else texts.push(text);
  }
  const grave = unsaid.some(({ matters }) => matters);
  tell(unsaid, output);
  if (grave && file !== "-")
    output.complain(
      `${escapeControls(file)} was not written: rules cannot say it all`,
    );
  else if (file !== "-") writeAtomically(file, texts.join(""));
  return grave ? EXIT.failed : EXIT.ok;
};

/** The whole table without what is the kernel's own: services sorted as -S sorts them, real servers the oldest first. */
async function readTable(io: Io): Promise<Table> {
  using access = new IpvsAccess(io);
  const client = await access.open();
  const all = { timeouts: true, daemons: true };
  const existing = await readExisting(client, all, "steady");
  return {
    ...existing,
    services: sortServices(existing.services).map(
      ({ key, settings, servers }) => ({
        key,
        settings: { ...settings, flags: (settings.flags & ~HASHED) >>> 0 },
        servers: oldestFirst(servers),
      }),
    ),
  };
}

function formatOf(file: string): "rules" | "json" | "yaml" {
  if (/\.json$/i.test(file)) return "json";
  return /\.ya?ml$/i.test(file) ? "yaml" : "rules";
}

/** Rules have one character a byte, and go out as they are; to a terminal, without what could steer it. */
function printer(io: Io, output: Output): (text: string) => void {
  return io.terminal.isTerminal("stdout")
    ? (text) => {
        output.lines([escapeControls(fromBytes(text.trimEnd()))]);
      }
    : (text) => {
        io.stdout(text);
      };
}

function tell(unsaid: readonly Unsaid[], output: Output): void {
  const graveFirst = unsaid.toSorted(
    (a, b) => Number(b.matters) - Number(a.matters),
  );
  for (const { subject, what, matters } of graveFirst.slice(0, TOLD)) {
    const fault = `rules cannot say of ${subject}: ${what}`;
    if (matters) output.complain(fault);
    else output.warn(fault, "it has no effect");
  }
  if (unsaid.length > TOLD)
    output.complain(`and so of ${unsaid.length - TOLD} more`);
  if (unsaid.length > 0)
    output.complain("'ipvsadm save -o json' says everything");
}
