import type { ReadStream } from "node:tty";
import { catchSignals, type EndingSignal } from "./signals.js";

/** An event of a terminal in full-screen mode. */
export type TerminalEvent =
  /** Keys, as the bytes that the terminal sends: one character per byte, split anywhere */
  | { readonly kind: "input"; readonly bytes: string }
  | { readonly kind: "ending"; readonly signal: EndingSignal }
  /** The size has changed */
  | { readonly kind: "resized" }
  /** The process should stop, as with Ctrl-Z (SIGTSTP) */
  | { readonly kind: "stopping" }
  /**
   * The process continues after a stop (SIGCONT). The shell may have changed the terminal's mode
   */
  | { readonly kind: "continued" }
  /** An uncaught error or unhandled rejection. The runtimes treat these differently */
  | { readonly kind: "failed"; readonly error: unknown }
  /** The terminal is gone */
  | { readonly kind: "gone" };

/** The terminal of stdin and stdout in full-screen mode. */
export interface FullScreen {
  /** Switches between raw mode (single keys, no echo) and line mode. */
  setRaw(raw: boolean): void;
  /**
   * Stops the process and its group, like Ctrl-Z. Returns when they continue, or at once if there
   * is no shell that could continue them.
   */
  stop(): void;
  /** Reads the size again. A background process is not notified of changes. */
  askSize(): void;
  /** Restores the terminal's original mode. */
  release(): void;
}

/**
 * Puts the terminal of stdin and stdout into full-screen mode.
 *
 * @param listen gets the events in order
 * @param lastly is called before the process ends without release(). It must be quick and must not
 *   throw
 */
export function enterFullScreen(
  listen: (event: TerminalEvent) => void,
  lastly: () => void,
): FullScreen {
  const input = process.stdin as ReadStream;
  const { stdout } = process; // from now on, Node.js keeps its size up to date
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
      // The terminal is gone, so its mode does not matter.
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
      process.off("SIGTSTP", onStopping); // without a listener, the signal stops the process
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
