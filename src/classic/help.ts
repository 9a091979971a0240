import {
  COMMANDS,
  OPTIONS,
  type ClassicCommandSpec,
  type ClassicOption,
} from "../grammar/options.js";
import { SUBCOMMAND_NAMES } from "../runtime/subcommand-names.js";
import { VERSION } from "../runtime/version.js";

/** The output of -v. Scripts search for the first two words and read the number from the second. */
export const VERSION_TEXT = `ipvsadm v1.31 (compatible; ipvsadm for Node.js ${VERSION})\n`;

const USAGE = `Usage:
  ipvsadm -A|-E SERVICE [-s NAME] [-p [SECONDS]] [-M MASK] [--pe NAME] [-b FLAGS] [-o]
  ipvsadm -D SERVICE
  ipvsadm -a|-e SERVICE -r HOST[:PORT] [-g|-i|-m] [-w WEIGHT] [-x COUNT] [-y COUNT] [tunnel options]
  ipvsadm -d SERVICE -r HOST[:PORT]
  ipvsadm -L|-l [SERVICE|-c|--timeout|--daemon] [options]
  ipvsadm -Z [SERVICE]
  ipvsadm -C
  ipvsadm -R | -S [-n]
  ipvsadm --set TCP TCPFIN UDP
  ipvsadm --start-daemon master|backup [daemon options]
  ipvsadm --stop-daemon master|backup
SERVICE is -t HOST[:PORT], -u HOST[:PORT], --sctp-service HOST[:PORT] or -f MARK [-6].
`;

/** The output of -h, from the table of options. */
export function helpText(): string {
  return [
    VERSION_TEXT,
    USAGE,
    "Commands:\n",
    ...COMMANDS.map(helpLine),
    "Options:\n",
    ...OPTIONS.map(helpLine),
    `Subcommands (see 'ipvsadm help'): ${SUBCOMMAND_NAMES.join(" ")}\n`,
  ].join("");
}

function helpLine(row: ClassicCommandSpec | ClassicOption): string {
  const letters = Array.from(row.short ?? "").map((letter) => `-${letter}`);
  const spelling = [...letters, `--${row.long}`].join(", ");
  const argument = row.argument ?? "";
  const shown = row.value === "optional" ? `[${argument}]` : argument;
  const left = `  ${`${spelling} ${shown}`.trimEnd()}`;
  const gap = left.length < 36 ? "" : `\n${" ".repeat(36)}`;
  return `${left.padEnd(36)}${gap} ${row.help}\n`;
}
