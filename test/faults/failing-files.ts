import { syncBuiltinESMExports } from "node:module";

/** The errors of a disk that is full, read-only, broken, or has vanished, and of a process without rights or descriptors. */
export const DISK_ERRORS = [
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EIO",
  "EACCES",
  "ENOENT",
  "ENODEV",
  "ESTALE",
  "EMFILE",
] as const;

/** A call of node:fs that concerns the folder of a run. */
export interface FileCall {
  readonly name: string;
  /** Whether it changes files */
  readonly changes: boolean;
}

/** Is called before each such call. It throws to fail the call, or returns `half` to write half of it and then fail it. */
export type FileHook = (call: FileCall) => undefined | { readonly half: Error };

const CHANGING = [
  "writeFileSync",
  "writeSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
  "rmSync",
  "mkdirSync",
  "fsyncSync",
  "fchmodSync",
  "fchownSync",
  "chmodSync",
];
const READING = [
  "readFileSync",
  "readSync",
  "lstatSync",
  "statSync",
  "fstatSync",
  "readlinkSync",
  "readdirSync",
  "realpathSync",
  "accessSync",
];

type FileFunction = (...given: unknown[]) => unknown;

let hook: FileHook | undefined;
let folder = "";
let depth = 0;
const descriptors = new Set<number>();
const fs = process.getBuiltinModule("node:fs") as unknown as Record<
  string,
  FileFunction
>;
const originals = new Map<string, FileFunction>();

/** An error as node:fs throws it. */
export function fileError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: ${call}`), { code, syscall: call });
}

/** Calls the hook for the calls of node:fs below a folder while something runs. */
export async function withHook<T>(
  below: string,
  given: FileHook,
  run: () => Promise<T>,
): Promise<T> {
  install();
  folder = below;
  hook = given;
  try {
    return await run();
  } finally {
    hook = undefined;
    descriptors.clear();
  }
}

/** Replaces the functions of node:fs once, also for modules that imported them by name. */
function install(): void {
  if (originals.size > 0) return;
  for (const name of CHANGING) replace(name, () => true);
  for (const name of READING) replace(name, () => false);
  replace("openSync", ([, flags = "r"]) =>
    typeof flags === "number" ? (flags & 0o103) !== 0 : flags !== "r",
  );
  const close = fs["closeSync"];
  if (!close) throw new Error("node:fs has no closeSync");
  originals.set("closeSync", close);
  fs["closeSync"] = (...given) => {
    descriptors.delete(given[0] as number);
    return close(...given);
  };
  syncBuiltinESMExports();
}

function replace(name: string, changes: (given: unknown[]) => boolean): void {
  const original = fs[name];
  if (!original) throw new Error(`node:fs has no ${name}`);
  originals.set(name, original);
  const replacement: FileFunction = (...given) => {
    if (!hook || depth > 0 || !concerns(given[0])) return original(...given);
    depth++;
    try {
      if (!isWithoutEffect(name, given)) {
        const outcome = hook({ name, changes: changes(given) });
        if (outcome) {
          writeHalf(name, given, original);
          throw outcome.half;
        }
      }
      const result = original(...given);
      if (name === "openSync") descriptors.add(result as number);
      return result;
    } finally {
      depth--;
    }
  };
  fs[name] = Object.assign(replacement, original);
}

function concerns(first: unknown): boolean {
  if (typeof first === "number") return descriptors.has(first);
  return typeof first === "string" && first.startsWith(folder);
}

/** Removing what is not there and making what is there succeed on every disk. */
function isWithoutEffect(name: string, [path]: unknown[]): boolean {
  if (name !== "rmSync" && name !== "mkdirSync") return false;
  const exists = originals.get("lstatSync")?.(path, { throwIfNoEntry: false });
  if (name === "rmSync") return exists === undefined;
  return exists !== undefined;
}

function writeHalf(
  name: string,
  [target, content]: unknown[],
  original: FileFunction,
): void {
  if (name !== "writeFileSync" && name !== "writeSync") return;
  const bytes =
    typeof content === "string"
      ? Buffer.from(content, "latin1")
      : (content as Buffer);
  original(target, bytes.subarray(0, bytes.length >> 1));
}
