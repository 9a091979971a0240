import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { makeNamespace, removeNamespace } from "../lab/namespaces.js";
import { installPrograms } from "../lab/installed.js";
import { ours, PROGRAM, type Outcome } from "../lab/program.js";
import { Original, quote, ShellProgram } from "./original.js";
import { rawTable } from "./table.js";

/** A command line with its standard input. */
export interface Step {
  readonly words: readonly string[];
  readonly stdin?: string | undefined;
}

/** A difference between the two programs. */
export class Difference extends Error {
  override readonly name = "Difference";
}

const NAMESPACE = "original";

/**
 * Runs the original in a network namespace of its own and our program in the namespace of this
 * process. Both get the same commands, and after each command the kernel's two tables must be
 * equal.
 */
export class Duel {
  /** Changes the table in the original's namespace */
  readonly #there: Original;
  /** Lists our table. Two tables with the same content can have a different order in the kernel */
  readonly #here: Original;
  readonly #reader: ChildProcess;
  /** The program that IPVSADM names; absent: ours runs in this process */
  readonly #program: ShellProgram | undefined;

  constructor(root: string) {
    makeNamespace(NAMESPACE);
    this.#there = new Original(root, NAMESPACE);
    this.#here = new Original(root);
    this.#program =
      PROGRAM === undefined
        ? undefined
        : new ShellProgram({
            PATH: `${installPrograms()}:${process.env["PATH"] ?? ""}`,
          });
    const script = fileURLToPath(new URL("table-reader.js", import.meta.url));
    this.#reader = spawn(
      "ip",
      ["netns", "exec", NAMESPACE, process.execPath, script],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
  }

  close(): void {
    this.#there.close();
    this.#here.close();
    this.#program?.close();
    this.#reader.kill();
    removeNamespace(NAMESPACE);
  }

  #ours(words: readonly string[], stdin?: string): Promise<Outcome> {
    return this.#program?.run(words, stdin) ?? ours(words, stdin);
  }

  /** Empties both tables and resets the timeouts. */
  async reset(): Promise<void> {
    for (const words of [["-C"], ["--set", "900", "120", "300"]]) {
      await this.#there.run(words);
      await this.#ours(words);
    }
    for (const state of ["master", "backup"]) {
      await this.#there.run(["--stop-daemon", state]);
      await this.#ours(["--stop-daemon", state]);
    }
  }

  /**
   * Runs a command line with both programs.
   *
   * @returns the result of the original
   * @throws {Difference} if our program behaves differently or leaves another table
   */
  async step(step: Step): Promise<Outcome> {
    const { words, stdin } = step;
    const theirs = await this.#there.run(words, stdin);
    const mine = expected(step, await this.#ours(words, stdin));
    const model =
      theirs.status === 0 && isListing(words)
        ? await this.#here.run(words, stdin)
        : theirs;
    for (const what of ["stdout", "stderr", "status"] as const)
      if (model[what] !== mine[what])
        throw new Difference(
          `${shown(step)}\n${what} of the original:\n${model[what]}\n${what} of ours:\n${mine[what]}`,
        );
    const [left, right] = await Promise.all([this.#table(), rawTable()]);
    if (left.join("\n") !== right.join("\n"))
      throw new Difference(
        `${shown(step)}\nthe original's table:\n${missing(left, right)}\nours:\n${missing(right, left)}`,
      );
    return model;
  }

  async #table(): Promise<string[]> {
    const answer = once(this.#reader, "message") as Promise<
      [{ lines: string[] } | { error: string }]
    >;
    this.#reader.send("table");
    const [message] = await answer;
    if ("error" in message) throw new Error(message.error);
    return message.lines;
  }
}

export function shown({ words, stdin }: Step): string {
  return `ipvsadm ${words.map(quote).join(" ")}${stdin ? ` <<END\n${stdin}END` : ""}`;
}

function isListing(words: readonly string[]): boolean {
  return words.length === 0 || /^(-[LlS]|--list$|--save$)/.test(words[0] ?? "");
}

/**
 * Our output without the intended differences (DIFFERENCES in ipvsadm.8): -S writes the thresholds.
 */
function expected({ words }: Step, outcome: Outcome): Outcome {
  if (!/^(-S|--save$)/.test(words[0] ?? "")) return outcome;
  return { ...outcome, stdout: outcome.stdout.replace(/ -[xy] [0-9]+/g, "") };
}

function missing(lines: readonly string[], from: readonly string[]): string {
  const other = new Set(from);
  return lines.filter((line) => !other.has(line)).join("\n");
}
