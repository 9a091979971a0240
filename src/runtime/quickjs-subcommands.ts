import { nearest } from "../text/nearest.js";
import { SUBCOMMAND_ALIASES, SUBCOMMAND_NAMES } from "./subcommand-names.js";

/* The light program has no subcommands. For a subcommand it executes a program that has them. */

/** The programs with subcommands: the full executable, and the launcher for Node.js. */
const PROGRAMS = ["ipvsadm-full", "ipvsadm-node.cjs"];
/** Their folder, unless they are beside the light program. */
const FOLDERS = ["/usr/lib/ipvsadm", "/usr/local/lib/ipvsadm"];

/** The exit status if a subcommand cannot run here. */
const CANNOT_RUN = 3;

/**
 * Executes the program that has the subcommands, in place of this one.
 *
 * @param words the command line arguments
 * @returns the exit status if there is no such program. Undefined if the first word is not similar to any subcommand
 *   either: then the classic parser answers
 */
export function runSubcommands(words: readonly string[]): number | undefined {
  const [name = "ipvsadm"] = host.words();
  for (const path of candidates()) host.exec(path, [name, ...words]);
  const [first = ""] = words;
  const known = [...SUBCOMMAND_NAMES, ...SUBCOMMAND_ALIASES];
  if (nearest(first, known) === undefined) return undefined;
  const message = `ipvsadm: ${first} needs the full program: install ipvsadm-full beside this program or in ${FOLDERS.join(" or ")}\n`;
  const bytes = Buffer.from(message, "latin1");
  host.write(2, bytes);
  return CANNOT_RUN;
}

/**
 * The folders to search. A program with more privileges than its caller trusts neither the folder
 * from which it was called, where the caller may have created a link to it, nor PATH, by which the
 * launcher finds Node.js.
 */
function candidates(): string[] {
  const trusting = !host.hasMoreRightsThanCaller();
  const own = trusting ? ownFolder() : undefined;
  const folders = own === undefined ? FOLDERS : [own, ...FOLDERS];
  const programs = trusting ? PROGRAMS : PROGRAMS.slice(0, 1);
  return folders.flatMap((folder) =>
    programs.map((program) => `${folder}/${program}`),
  );
}

/** The folder of this executable; undefined without procfs. */
function ownFolder(): string | undefined {
  const file = host.readLink("/proc/self/exe");
  return typeof file === "string"
    ? file.slice(0, file.lastIndexOf("/"))
    : undefined;
}
