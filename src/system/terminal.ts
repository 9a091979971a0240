/** The size of a terminal in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The terminals of the standard streams. */
export interface Terminal {
  /** Whether a standard stream is a terminal. */
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
  /**
   * The size of stdout's terminal; undefined if stdout is not a terminal, or if its size is
   * unknown.
   */
  size(): Size | undefined;
}

const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** The terminal of this process. */
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

/**
 * Whether an open file is a terminal. Loads the module node:tty only here, because that is slow.
 */
export function isTerminalAt(descriptor: number): boolean {
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
