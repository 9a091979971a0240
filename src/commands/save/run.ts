import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { tableMembers } from "../../document/write-table.js";
import { yamlText } from "../../document/yaml-text.js";
import { HASHED } from "../../ipvs/model.js";
import { readCurrentState } from "../../plan/current-state.js";
import type { Table } from "../../ipvs/table.js";
import type { Io } from "../../runtime/io.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { sortServices } from "../../view/order.js";
import { oldestFirst } from "../../ipvs/server-order.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { escapeControls, fromBytes, toBytes } from "../../cli/escape.js";
import { tableAsRules, type RuleLoss } from "./table-as-rules.js";

/** How many losses to report one by one. */
const MOST_REPORTED = 10;

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
  const losses: RuleLoss[] = [];
  const show = file === "-" ? printer(io, output) : undefined;
  const texts: string[] = [];
  for (const { text, loss } of tableAsRules(table)) {
    if (loss) losses.push(loss);
    if (show) show(text);
    else texts.push(text);
  }
  const losesSettings = losses.some(({ matters }) => matters);
  reportLosses(losses, output);
  if (losesSettings && file !== "-")
    output.complain(
      `${escapeControls(file)} was not written, because rules cannot express all settings`,
    );
  else if (file !== "-") writeAtomically(file, texts.join(""));
  return losesSettings ? EXIT.failed : EXIT.ok;
};

/** Reads the table without the kernel's own flag. Services are sorted as by -S, real servers oldest first. */
async function readTable(io: Io): Promise<Table> {
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  const all = { timeouts: true, daemons: true };
  const current = await readCurrentState(client, all, "steady");
  return {
    ...current,
    services: sortServices(current.services).map(
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

/** Writes rules byte by byte. To a terminal, control characters are escaped. */
function printer(io: Io, output: Output): (text: string) => void {
  return io.terminal.isTerminal("stdout")
    ? (text) => {
        output.lines([escapeControls(fromBytes(text.trimEnd()))]);
      }
    : (text) => {
        io.stdout(text);
      };
}

function reportLosses(losses: readonly RuleLoss[], output: Output): void {
  const effectiveFirst = losses.toSorted(
    (a, b) => Number(b.matters) - Number(a.matters),
  );
  for (const { subject, what, matters } of effectiveFirst.slice(
    0,
    MOST_REPORTED,
  )) {
    const fault = `rules cannot express this setting of ${subject}: ${what}`;
    if (matters) output.complain(fault);
    else output.warn(fault, "it has no effect");
  }
  if (losses.length > MOST_REPORTED)
    output.complain(`and ${losses.length - MOST_REPORTED} more`);
  if (losses.length > 0)
    output.complain("'ipvsadm save -o json' saves all settings");
}
