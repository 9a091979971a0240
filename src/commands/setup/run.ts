import { escapeControls } from "../../cli/escape.js";
import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { formatAddress } from "../../ipvs/address.js";
import { directorMachine } from "../../setup/director.js";
import {
  iptablesFiles,
  networkdFiles,
  nftFiles,
  sysctlFiles,
  type SetupFile,
} from "../../setup/files.js";
import { realServerMachine, serverAddresses } from "../../setup/real-server.js";
import { shellLines, shellUndoLines } from "../../setup/shell.js";
import { SiteIncomplete, type Site } from "../../setup/site.js";
import type { Machine } from "../../setup/step.js";
import { readSite, wantedMachines } from "./site-options.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const site = await readSite(given, io, output);
  const names = wantedMachines(given, site);
  const print = printerFor(given.text("output") ?? "shell", given.flag("undo"));
  let machines: Machine[];
  try {
    machines = names.map((name) => machineOf(name, site));
  } catch (error) {
    if (!(error instanceof SiteIncomplete)) throw error;
    throw new CommandError(error.missing, error.advice, EXIT.usage);
  }
  machines.forEach((machine, i) => {
    if (i > 0) output.lines([""]);
    output.lines(print(machine).map(escapeControls));
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

/** What turns a machine into the lines of a format. */
function printerFor(
  format: string,
  undo: boolean,
): (machine: Machine) => string[] {
  const files: Readonly<Record<string, (machine: Machine) => SetupFile[]>> = {
    sysctl: sysctlFiles,
    networkd: networkdFiles,
    iptables: iptablesFiles,
    nft: nftFiles,
  };
  const filesOf = files[format];
  return (machine) => {
    const head = [
      title(machine),
      ...machine.remarks.map((text) => `# ${text}`),
    ];
    if (filesOf) return [...head, ...fileLines(filesOf(machine), undo)];
    const lines = undo ? shellUndoLines(machine) : shellLines(machine);
    return [...head, ...(lines.length === 0 ? ["# nothing to do"] : lines)];
  };
}

function fileLines(files: readonly SetupFile[], undo: boolean): string[] {
  if (files.length === 0) return ["# no file in this format"];
  if (undo) return files.map(({ path }) => `rm ${path}`);
  return files.flatMap(({ path, lines }) => [`# ${path}`, ...lines]);
}

function title({ name }: Machine): string {
  if (name === "director") return "# on the director";
  if (name === "backup") return "# on the backup director";
  return `# on the real server ${name}`;
}
