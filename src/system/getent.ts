import { printable, type Names } from "./names.js";

/**
 * How many processes look for names at the same time. Each of them waits for its addresses one after the other,
 * as getnameinfo(3) does.
 */
const PROCESSES = 64;

/** Runs getent(1). @returns what it prints; undefined if there is no such program */
export type Getent = (words: readonly string[]) => Promise<string | undefined>;

/**
 * Names of addresses by getent(1), which asks the system's own name services: for a runtime that instead has
 * a resolver of its own, with other rules and other patience.
 *
 * @param otherwise asked where there is no getent
 */
export function namesByGetent(
  otherwise: Pick<Names, "hostName">,
  getent: Getent = runGetent,
): Pick<Names, "hostName"> {
  /** Addresses that are asked for, until all those of this turn are known and can be shared out */
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

/** The first two words of each line: an address, and a name or what else stands there. */
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
      // A status only says that some were not found.
      resolve(error?.code === "ENOENT" ? undefined : stdout);
    });
  });
};
