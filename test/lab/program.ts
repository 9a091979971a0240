import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { main } from "../../src/main.js";
import type { Io } from "../../src/runtime/io.js";
import { nodeIo } from "../../src/runtime/node-io.js";
import { mainSubcommands } from "../../src/subcommands.js";

/** What a run of the program leaves behind. Text is one character a byte. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Runs a command line with a text on standard input. */
export type Program = (
  words: readonly string[],
  stdin?: string,
) => Promise<Outcome>;

/**
 * The program that the tests are about: `IPVSADM=dist/full/ipvsadm-full npm test` is about that file. Without it,
 * they are about what has just been built, on Node.js.
 */
export const PROGRAM = process.env["IPVSADM"];

/**
 * Runs our program on this machine's kernel: in this process, for starting Node.js in a guest takes most of
 * a second; or as the file that IPVSADM names.
 *
 * @param change what of the world outside is to be different, which is possible in this process only
 */
export function ours(
  words: readonly string[],
  stdin = "",
  change?: Partial<Io>,
): Promise<Outcome> {
  return PROGRAM !== undefined && change === undefined
    ? spawned(PROGRAM, words, stdin)
    : inProcess(words, stdin, change);
}

async function inProcess(
  words: readonly string[],
  stdin: string,
  change: Partial<Io> = {},
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const io: Io = {
    ...nodeIo(),
    program: () => "ipvsadm",
    async *stdin() {
      const lines = stdin.split("\n");
      if (lines.at(-1) === "") lines.pop();
      yield await Promise.resolve(lines);
    },
    stdout(text) {
      stdout += text;
    },
    stdoutBytes(bytes) {
      stdout += bytes.toString("latin1");
    },
    stderr(text) {
      stderr += text;
    },
    flush() {
      return undefined; // all is kept
    },
    ...change,
  };
  const status = await main(words, io, (words) => mainSubcommands(words, io));
  return { stdout, stderr, status };
}

async function spawned(
  program: string,
  words: readonly string[],
  stdin: string,
): Promise<Outcome> {
  // Node.js hands arguments over as UTF-8, and a word may be any bytes: bash makes them of their numbers.
  const quoted = words.map((word) => `$'${word.replace(/./gs, escape)}'`);
  const line = `exec -a ipvsadm "$0" ${quoted.join(" ")}`;
  const child = spawn("bash", ["-c", line, program]);
  child.stdin.on("error", () => undefined); // it may not want to read all
  child.stdin.end(Buffer.from(stdin, "latin1"));
  const [out, err] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, "close"),
  ]);
  return {
    stdout: out.toString("latin1"),
    stderr: err.toString("latin1"),
    status: child.exitCode ?? -1,
  };
}

function escape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
