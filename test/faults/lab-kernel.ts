import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { ours, type Outcome } from "../lab/program.js";
import { Broken, type TableState } from "./verdict.js";

/** Runs a command line in this process, on the real kernel. @throws {Broken} if it fails */
export async function succeed(
  words: readonly string[],
  stdin = "",
): Promise<Outcome> {
  const outcome = await ours(words, stdin);
  if (outcome.status !== 0)
    throw new Broken(
      `${words.join(" ")}: exit status ${outcome.status}: ${outcome.stderr}`,
    );
  return outcome;
}

/** Replaces the table of the real kernel. */
export async function install(rules: string): Promise<void> {
  await succeed(["-C"]);
  await succeed(["-R"], rules);
}

/** The table of the real kernel: each rule is a row. */
export async function tableNow(): Promise<TableState> {
  const { stdout } = await succeed(["-Sn"]);
  const rows = new Map<string, string>();
  for (const line of stdout.split("\n").filter((line) => line !== "")) {
    // The rule's service and server name the row; the rest is its settings.
    const [, name = line, settings = ""] =
      /^(-A \S+ \S+|-a \S+ \S+ -r \S+)(.*)$/.exec(line) ?? [];
    rows.set(name, settings);
  }
  return { rows, text: [...rows].flat().sort().join("\n") };
}

/** How a process ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATIENCE_MILLISECONDS = 600_000;

/** Runs a program to its end. @param begun is called when it has been started */
export async function spawned(
  program: string,
  words: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string;
    readonly argv0?: string;
    readonly begun?: (kill: () => void) => void;
  } = {},
): Promise<Ended> {
  const { env, stdin = "", argv0, begun } = options;
  const child = spawn(program, words, {
    env: { ...process.env, ...env },
    ...(argv0 !== undefined && { argv0 }),
  });
  const patience = setTimeout(
    () => child.kill("SIGKILL"),
    PATIENCE_MILLISECONDS,
  );
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  begun?.(() => child.kill("SIGKILL"));
  const began = Date.now();
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  clearTimeout(patience);
  if (Date.now() - began >= PATIENCE_MILLISECONDS)
    throw new Broken(`it never ends: ${stderr}`);
  return { status: child.exitCode, signal: child.signalCode, stdout, stderr };
}
