/** The size of a terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What is known of the terminals behind the standard streams. */
export interface Terminal {
  /** Whether a standard stream is a terminal. */
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /** The size of the terminal that stdout is; undefined where it is none, or does not tell. */
  size(): Size | undefined;
}

const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** The terminal that the process runs in, if it does. */
export function systemTerminal(): Terminal {
  const isTerminal = (stream: keyof typeof DESCRIPTORS) =>
    isTerminalAt(DESCRIPTORS[stream]);
  return {
    isTerminal,
    size() {
      if (!isTerminal("stdout")) return undefined;
      const [columns, rows] = process.stdout.getWindowSize();
      return columns > 0 && rows > 0 ? { columns, rows } : undefined;
    },
  };
}

/** Whether an open file is a terminal. The module that knows is loaded only now: it takes as long as all of ours. */
export function isTerminalAt(descriptor: number): boolean {
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
