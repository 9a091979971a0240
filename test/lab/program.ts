import { beginsWithWord, main } from "../../src/main.js";
import type { Io } from "../../src/io.js";
import { systemIo } from "../../src/system-io.js";
import { mainWords } from "../../src/words.js";

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
 * Runs our program in this process, on this machine's kernel: starting Node.js in a guest takes most of
 * a second.
 *
 * @param change what of the world outside is to be different
 */
export async function ours(
  words: readonly string[],
  stdin = "",
  change: Partial<Io> = {},
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const io: Io = {
    ...systemIo(),
    program: () => "ipvsadm",
    async *stdin() {
      const lines = stdin.split("\n");
      if (lines.at(-1) === "") lines.pop();
      yield await Promise.resolve(lines);
    },
    stdout(text) {
      stdout += text;
    },
    stderr(text) {
      stderr += text;
    },
    flush() {
      return undefined; // all is kept
    },
    ...change,
  };
  const ofWords = beginsWithWord(words)
    ? await mainWords(words, io)
    : undefined;
  const status = ofWords ?? (await main(words, io));
  return { stdout, stderr, status };
}
