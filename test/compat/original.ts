import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Outcome } from "../lab/program.js";

/** Library folders of the extracted packages, with and without the /usr merge. */
const PROGRAMS = ["usr/sbin", "sbin"];
const LIBRARIES = ["usr/lib", "lib"];

/** Runs the program `ipvsadm` of a search path in a shell that stays alive, because a small shell starts processes fastest. */
export class ShellProgram {
  readonly #shell: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #folder = mkdtempSync("/dev/shm/shell-program.");

  /**
   * @param environment the environment in which `ipvsadm` is the program
   * @param namespace the network namespace to run in; undefined for the one of this process
   */
  constructor(environment: NodeJS.ProcessEnv, namespace?: string) {
    const command = namespace
      ? ["ip", "netns", "exec", namespace, "sh"]
      : ["sh"];
    this.#shell = spawn(command[0] ?? "sh", command.slice(1), {
      env: { ...process.env, ...environment },
    });
    this.#shell.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#shell.stdout })[
      Symbol.asyncIterator
    ]();
  }

  async run(words: readonly string[], stdin = ""): Promise<Outcome> {
    const [input, out, err] = ["in", "out", "err"].map((name) =>
      join(this.#folder, name),
    ) as [string, string, string];
    writeFileSync(input, stdin, "latin1");
    this.#shell.stdin.write(
      `ipvsadm ${words.map(quote).join(" ")} <${input} >${out} 2>${err}; echo $?\n`,
      "latin1",
    );
    const { value } = (await this.#answers.next()) as { value?: string };
    if (value === undefined)
      throw new Error("the shell of a program has ended");
    return {
      stdout: readFileSync(out, "latin1"),
      stderr: readFileSync(err, "latin1"),
      status: Number(value),
    };
  }

  close(): void {
    this.#shell.stdin.end();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Runs the original. */
export class Original extends ShellProgram {
  /**
   * @param root the folder of the extracted packages
   * @param namespace the network namespace to run in; undefined for the one of this process
   */
  constructor(root: string, namespace?: string) {
    super(originalEnvironment(root), namespace);
  }

  /** Runs it, without the one difference between the packages of Debian 12 and 13: a message. */
  override async run(
    words: readonly string[],
    stdin?: string,
  ): Promise<Outcome> {
    const outcome = await super.run(words, stdin);
    return {
      ...outcome,
      stderr: outcome.stderr.replace(
        /^-6 must follow -f$/m,
        "-6 used before -f",
      ),
    };
  }
}

/** The environment in which `ipvsadm` is the original, with its libraries. */
export function originalEnvironment(root: string): {
  PATH: string;
  LD_LIBRARY_PATH: string;
} {
  const programs = PROGRAMS.map((folder) => join(root, folder));
  const libraries = LIBRARIES.map((folder) => join(root, folder)).flatMap(
    architectures,
  );
  return {
    PATH: [...programs, process.env["PATH"]].join(":"),
    LD_LIBRARY_PATH: libraries.join(":"),
  };
}

/** Debian has one library folder per architecture. */
function architectures(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
