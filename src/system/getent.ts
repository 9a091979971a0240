import { printable, type Names } from "./names.js";

/**
 * The number of getent processes at a time. Each resolves its addresses one after the other, like
 * getnameinfo(3).
 */
const PROCESSES = 64;

/** Runs getent(1). @returns its output; undefined if it is not installed */
export type Getent = (words: readonly string[]) => Promise<string | undefined>;

/**
 * Resolves addresses with getent(1), which uses the system's name services. For runtimes whose own
 * resolver has different rules and timeouts.
 *
 * @param otherwise resolves if getent is not installed
 */
export function namesByGetent(
  otherwise: Pick<Names, "hostName">,
  getent: Getent = runGetent,
): Pick<Names, "hostName"> {
  /**
   * Addresses collected in this turn of the event loop, before they are distributed to the
   * processes
   */
  let asked: [address: string, answer: (name: string | undefined) => void][] =
    [];

  function shareOut(): void {
    const all = asked;
    asked = [];
    const count = Math.min(PROCESSES, all.length);
    for (let first = 0; first < count; first++)
      void answer(all.filter((_, i) => i % count === first));
  }

  async function answer(some: typeof asked): Promise<void> {
    const addresses = some.map(([address]) => address);
    const printed = await getent(["hosts", ...addresses]);
    const found = new Map(rowsOf(printed));
    for (const [address, tell] of some)
      tell(
        printed === undefined
          ? await otherwise.hostName(address)
          : found.get(address),
      );
  }

  return {
    hostName(address) {
      if (asked.length === 0) setImmediate(shareOut);
      return new Promise((resolve) => {
        asked.push([address, resolve]);
      });
    },
  };
}

/** The first two words of each line: an address and a name. */
function rowsOf(printed = ""): [string, string][] {
  return printed.split("\n").flatMap((line): [string, string][] => {
    const [address = "", name = ""] = line.split(/\s+/);
    return name === "" ? [] : [[address, printable(name)]];
  });
}

const runGetent: Getent = (words) => {
  const { execFile } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve) => {
    execFile("getent", [...words], { encoding: "latin1" }, (error, stdout) => {
      // A non-zero status only means that some addresses were not found.
      resolve(error?.code === "ENOENT" ? undefined : stdout);
    });
  });
};
