/** What a program printed, or why there is no output. */
export type ProgramOutput =
  | { readonly text: string }
  | { readonly failed: "not installed" }
  /** In words, without control characters of its own making */
  | { readonly failed: "other"; readonly reason: string };

/** Runs a program that changes nothing, and returns what it prints. */
export type RunProgram = (
  path: string,
  args: readonly string[],
  /** In addition to the search path and the locale */
  environment?: Readonly<Record<string, string>>,
) => Promise<ProgramOutput>;

/** The environment of the programs that doctor runs: the search path and the locale. */
export const PROGRAM_ENVIRONMENT = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
};

const LONGEST_MILLISECONDS = 5000;
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Runs a program by its full path, with an environment of its own. Its time and its output are bounded.
 *
 * @returns its standard output, one character a byte
 */
export const runProgram: RunProgram = (path, args, environment = {}) => {
  const { execFile } = process.getBuiltinModule("node:child_process");
  return new Promise((resolve) => {
    const child = execFile(
      path,
      [...args],
      {
        encoding: "latin1",
        env: { ...PROGRAM_ENVIRONMENT, ...environment },
        killSignal: "SIGKILL",
        maxBuffer: MOST_BYTES,
        timeout: LONGEST_MILLISECONDS,
      },
      (error, stdout, stderr) => {
        if (!error) resolve({ text: stdout });
        else if (error.code === "ENOENT") resolve({ failed: "not installed" });
        else
          resolve({
            failed: "other",
            reason: reasonOf(error, path.replace(/^.*\//, ""), stderr),
          });
      },
    );
    child.stdin?.end();
  });
};

function reasonOf(
  { code, killed }: { code?: unknown; killed?: boolean },
  name: string,
  stderr: string,
): string {
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER")
    return `${name} prints more than ${MOST_BYTES / 1024 / 1024} MB`;
  if (killed === true)
    return `${name} did not end within ${LONGEST_MILLISECONDS / 1000} s`;
  const [first = ""] = stderr.trim().split("\n");
  return first === ""
    ? `${name} failed (${String(code)})`
    : `${name}: ${first}`;
}
