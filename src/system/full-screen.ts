import type { ReadStream } from "node:tty";
import { catchSignals, type EndingSignal } from "./signals.js";

/** What happens at a terminal that a program has taken over. */
export type TerminalEvent =
  /** Keys, as the bytes that the terminal sends for them: one character a byte, cut anywhere */
  | { readonly kind: "input"; readonly bytes: string }
  | { readonly kind: "ending"; readonly signal: EndingSignal }
  /** Its size has changed */
  | { readonly kind: "resized" }
  /** Somebody wants the process to stop, as ctrl-Z does (SIGTSTP) */
  | { readonly kind: "stopping" }
  /** The process goes on after it was stopped (SIGCONT); the shell may have changed the terminal meanwhile */
  | { readonly kind: "continued" }
  /** An error that nobody caught, or a promise that nobody waits for: the runtimes disagree what comes of those */
  | { readonly kind: "failed"; readonly error: unknown }
  /** There is no terminal any more */
  | { readonly kind: "gone" };

/** The terminal that stdin and stdout are, taken over by the program. */
export interface TakenTerminal {
  /** Whether keys come as they are pressed, unechoed and without a meaning of their own, or in lines again. */
  setRaw(raw: boolean): void;
  /**
   * Stops the process and its group, as the terminal does at ctrl-Z. Comes back when they continue, or at
   * once where there is no shell that could continue them.
   */
  stop(): void;
  /** Has the size looked up anew, which is not told to whom is in the background. */
  askSize(): void;
  /** Gives it back, in the mode in which it was taken. */
  release(): void;
}

/**
 * Takes over the terminal that stdin and stdout are.
 *
 * @param listen gets what happens, in its order
 * @param lastly is called before the process ends without `release`: it must be quick, and must not throw
 */
export function takeTerminal(
  listen: (event: TerminalEvent) => void,
  lastly: () => void,
): TakenTerminal {
  const input = process.stdin as ReadStream;
  const { stdout } = process; // from here on, its size is kept up to date
  const onData = (bytes: Buffer | string) => {
    const text = typeof bytes === "string" ? bytes : bytes.toString("latin1");
    listen({ kind: "input", bytes: text });
  };
  const onGone = () => {
    listen({ kind: "gone" });
  };
  const onResize = () => {
    listen({ kind: "resized" });
  };
  const onStopping = () => {
    listen({ kind: "stopping" });
  };
  const onContinued = () => {
    listen({ kind: "continued" });
  };
  const onFailed = (error: unknown) => {
    listen({ kind: "failed", error });
  };

  const setRaw = (raw: boolean) => {
    try {
      input.setRawMode(raw);
    } catch {
      // The terminal has gone away: nobody is left who would see in which mode it is.
    }
  };

  const releaseSignals = catchSignals((signal) => {
    listen({ kind: "ending", signal });
  });
  process.on("SIGTSTP", onStopping);
  process.on("SIGCONT", onContinued);
  process.on("uncaughtException", onFailed);
  process.on("unhandledRejection", onFailed);
  process.on("exit", lastly);
  stdout.on("resize", onResize);
  input.on("data", onData).on("end", onGone).on("error", onGone);

  return {
    setRaw,
    stop() {
      process.off("SIGTSTP", onStopping); // without a listener, the signal does what it usually does
      process.kill(0, "SIGTSTP");
      process.on("SIGTSTP", onStopping);
    },
    askSize() {
      process.kill(process.pid, "SIGWINCH");
    },
    release() {
      setRaw(false);
      input.off("data", onData).off("end", onGone).off("error", onGone);
      input.pause();
      stdout.off("resize", onResize);
      process.off("exit", lastly);
      process.off("unhandledRejection", onFailed);
      process.off("uncaughtException", onFailed);
      process.off("SIGCONT", onContinued);
      process.off("SIGTSTP", onStopping);
      releaseSignals();
    },
  };
}
