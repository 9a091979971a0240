import { escapeControls } from "../../cli/escape.js";
import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { formatAddress } from "../../ipvs/address.js";
import { directorMachine } from "../../setup/director.js";
import { IPTABLES_FILES } from "../../setup/iptables.js";
import { NETWORKD_FILES } from "../../setup/networkd-files.js";
import { NFT_FILES } from "../../setup/nft-files.js";
import { realServerMachine, serverAddresses } from "../../setup/real-server.js";
import type { FileFormat } from "../../setup/setup-file.js";
import { shellLines, shellUndoLines } from "../../setup/shell.js";
import { SiteIncomplete, type Site } from "../../setup/site.js";
import type { Machine } from "../../setup/step.js";
import { SYSCTL_FILES } from "../../setup/sysctl-files.js";
import { readSite, wantedMachines } from "./site-options.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const site = await readSite(given, io, output);
  const names = wantedMachines(given, site);
  const print = printerFor(given.text("output") ?? "shell", given.flag("undo"));
  let texts: string[][];
  try {
    texts = names.map((name) => print(machineOf(name, site)));
  } catch (error) {
    if (!(error instanceof SiteIncomplete)) throw error;
    throw new CommandError(error.missing, error.advice, EXIT.usage);
  }
  texts.forEach((lines, i) => {
    if (i > 0) output.lines([""]);
    output.lines(lines.map(escapeControls));
  });
  return EXIT.ok;
};

function machineOf(name: string, site: Site): Machine {
  if (name === "director" || name === "backup")
    return directorMachine(site, name);
  const address = serverAddresses(site).find(
    (address) => formatAddress(address) === name,
  );
  if (!address) throw new Error(`${name} is no machine of the site`);
  return realServerMachine(site, address);
}

const FILE_FORMATS: Readonly<Record<string, FileFormat>> = {
  sysctl: SYSCTL_FILES,
  networkd: NETWORKD_FILES,
  iptables: IPTABLES_FILES,
  nft: NFT_FILES,
};

/** What turns a machine into the lines of a format. @throws {SiteIncomplete} */
function printerFor(
  format: string,
  undo: boolean,
): (machine: Machine) => string[] {
  const files = FILE_FORMATS[format];
  return (machine) => {
    const head = [
      title(machine),
      ...machine.remarks.map((text) => `# ${text}`),
    ];
    if (files) return [...head, ...fileLines(files, machine, undo)];
    const lines = undo ? shellUndoLines(machine) : shellLines(machine);
    return [...head, ...(lines.length === 0 ? ["# nothing to do"] : lines)];
  };
}

function fileLines(
  format: FileFormat,
  machine: Machine,
  undo: boolean,
): string[] {
  const printed = undo
    ? format.undoLines(machine)
    : format
        .filesOf(machine)
        .flatMap(({ path, notes = [], lines }) => [
          `# ${path}`,
          ...notes.map((note) => `# ${note}`),
          ...lines,
        ]);
  return printed.length === 0 ? ["# no file in this format"] : printed;
}

function title({ name }: Machine): string {
  if (name === "director") return "# on the director";
  if (name === "backup") return "# on the backup director";
  return `# on the real server ${name}`;
}
