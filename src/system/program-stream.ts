import { PROGRAM_ENVIRONMENT } from "./program-output.js";

/** A program that runs until it is stopped. */
export interface RunningProgram {
  /** Resolves when the program has written its first byte to standard output, or has ended. */
  readonly started: Promise<void>;
  /** Resolves when it has ended and all of its output was read. */
  readonly ended: Promise<EndedProgram>;
  /** Asks the program to end (SIGINT). Kills it if it does not, and abandons it if it cannot be killed. Does nothing if it has ended. */
  stop(): void;
}

export interface EndedProgram {
  /** undefined if a signal ended it, or if it did not start */
  readonly status: number | undefined;
  /** The file does not exist */
  readonly missing: boolean;
  /** Its standard error, shortened, one character a byte */
  readonly complaint: string;
}

/** Runs a program by its full path, and passes on its standard output as it comes. */
export type StartProgram = (
  path: string,
  args: readonly string[],
  onOutput: (bytes: Uint8Array) => void,
) => RunningProgram;

/** The last of what a program writes to standard error is kept, because it contains the counts. */
const MOST_COMPLAINT = 4096;
const PATIENCE_MILLISECONDS = 2000;

/** Runs a program that changes nothing, with an environment of its own. What it writes is not stored. */
export const startProgram: StartProgram = (path, args, onOutput) => {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(path, [...args], {
    env: PROGRAM_ENVIRONMENT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let hasEnded = false;
  let isMissing = false;
  let complaint = "";
  let begin: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (begin = resolve));
  child.stdout.on("data", (bytes: Uint8Array) => {
    begin();
    onOutput(bytes);
  });
  child.stderr.setEncoding("latin1");
  child.stderr.on("data", (text: string) => {
    complaint = (complaint + text).slice(-MOST_COMPLAINT);
  });
  let end: (status: number | null) => void = () => undefined;
  const ended = new Promise<EndedProgram>((resolve) => {
    end = (status) => {
      hasEnded = true;
      begin();
      resolve({ status: status ?? undefined, missing: isMissing, complaint });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal that could not be sent
      isMissing = error.code === "ENOENT";
      complaint ||= error.message;
      end(null);
    });
    child.on("close", end);
  });
  return {
    started,
    ended,
    stop() {
      if (hasEnded) return;
      child.kill("SIGINT");
      const kill = () => {
        child.kill("SIGKILL");
        // A program that it has started may keep them open.
        child.stdout.destroy();
        child.stderr.destroy();
      };
      // Nothing can end a program that has another user, or waits for a device.
      const abandon = () => {
        child.unref();
        end(null);
      };
      const timers = [
        setTimeout(kill, PATIENCE_MILLISECONDS),
        setTimeout(abandon, 2 * PATIENCE_MILLISECONDS),
      ];
      void ended.then(() => {
        for (const timer of timers) clearTimeout(timer);
      });
    },
  };
};
