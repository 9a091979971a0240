import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { main } from "../../src/main.js";
import type { Io } from "../../src/runtime/io.js";
import { nodeIo } from "../../src/runtime/node-io.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { assertFollowsSchema } from "../document/schema.js";

/** The result of a run. Text has one character per byte. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Documents up to this length are checked: a longer one would take too long. */
const LONGEST_DOCUMENT = 1_000_000;

/** Runs a command line with a text on standard input. */
export type Program = (
  words: readonly string[],
  stdin?: string,
) => Promise<Outcome>;

/**
 * The program under test. `IPVSADM=dist/full/ipvsadm-full npm test` tests that file. By default
 * the tests run the current build on Node.js.
 */
export const PROGRAM = process.env["IPVSADM"];

/**
 * Runs our program on this machine's kernel. Each document that it prints must follow its schema. Runs it in this process, because starting Node.js in a
 * guest takes most of a second; with IPVSADM, runs that file.
 *
 * @param change overrides parts of the Io; only possible in this process
 */
export async function ours(
  words: readonly string[],
  stdin = "",
  change?: Partial<Io>,
): Promise<Outcome> {
  const outcome =
    PROGRAM !== undefined && change === undefined
      ? await spawned(PROGRAM, words, stdin)
      : await inProcess(words, stdin, change);
  const text = outcome.stdout;
  if (/^(?:\{|schema: )/.test(text) && text.length < LONGEST_DOCUMENT)
    assertFollowsSchema(
      Buffer.from(text, "latin1").toString(),
      words.join(" "),
    );
  return outcome;
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
      return undefined; // everything is kept
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
  // Node.js encodes arguments as UTF-8, but a word may have any bytes. bash creates them from their
  // numbers.
  const quoted = words.map((word) => `$'${word.replace(/./gs, escape)}'`);
  const line = `exec -a ipvsadm "$0" ${quoted.join(" ")}`;
  const child = spawn("bash", ["-c", line, program]);
  child.stdin.on("error", () => undefined); // the program need not read all of it
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
