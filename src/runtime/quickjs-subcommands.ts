/*
 * The light program has no subcommands: it becomes the program that has them.
 */

/** The programs with the subcommands: the executable that needs no Node.js, and the launcher for Node.js. */
const PROGRAMS = ["ipvsadm-full", "ipvsadm-node.cjs"];
/** Where they are installed, unless they lie beside the light program. */
const FOLDERS = ["/usr/lib/ipvsadm", "/usr/local/lib/ipvsadm"];

/** The exit status of a subcommand that cannot run here. */
const CANNOT_RUN = 3;

/**
 * Becomes the program that has the subcommands.
 *
 * @param words the command line without the program's name
 * @returns the exit status, if there is no such program
 */
export function runSubcommands(words: readonly string[]): number {
  const [name = "ipvsadm"] = host.words();
  for (const path of candidates()) host.exec(path, [name, ...words]);
  const message = `ipvsadm: ${words[0] ?? ""} needs the full program: install ipvsadm-full beside this program or in ${FOLDERS.join(" or ")}\n`;
  const bytes = Buffer.from(message, "latin1");
  host.write(2, bytes);
  return CANNOT_RUN;
}

/**
 * Where to look. A program that has more rights than its caller trusts neither the folder that it was called from, where
 * the caller may have put a link to it, nor PATH, by which the launcher finds Node.js.
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

/** The folder of this program's file; undefined without procfs. */
function ownFolder(): string | undefined {
  const file = host.readLink("/proc/self/exe");
  return typeof file === "string"
    ? file.slice(0, file.lastIndexOf("/"))
    : undefined;
}
