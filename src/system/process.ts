import { textOf } from "./files.js";

/** Capability numbers of linux/capability.h. */
const CAP_NET_ADMIN = 12n;
const CAP_NET_RAW = 13n;

/** Whether this process has a capability. @see /proc/self/status in proc(5) */
export function hasCapability(capability: bigint): boolean {
  const status = textOf("/proc/self/status") ?? "";
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return effective !== undefined
    ? (BigInt(`0x${effective}`) >> capability) % 2n === 1n
    : process.getuid?.() === 0;
}

export function mayOpenRawSockets(): boolean {
  return hasCapability(CAP_NET_RAW);
}

export function mayAdministerNetworks(): boolean {
  return hasCapability(CAP_NET_ADMIN);
}

/**
 * How the program was called. A script does not get argv[0], only the path that the kernel opened.
 * If the search path leads to that path, the user probably typed the bare name. Otherwise returns
 * the path.
 */
export function programName(): string {
  const path = process.getBuiltinModule("node:path");
  const script = rawArguments()[0] ?? "ipvsadm";
  const name = path.basename(script);
  if (!script.includes("/")) return script;
  const found = (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find(isFile);
  return found !== undefined && found === path.resolve(script) ? name : script;
}

/** Whether a file exists that this process can access. */
function isFile(path: string): boolean {
  try {
    return process.getBuiltinModule("node:fs").statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The command line arguments, one character per byte, in any encoding. */
export function commandWords(): string[] {
  const words = process.argv.slice(2);
  // Node.js decodes UTF-8 and loses invalid bytes. Only then is /proc needed.
  return words.every((word) => /^[\0-\x7f]*$/.test(word))
    ? words
    : rawArguments().slice(1);
}

/** argv[0]. Only a full executable gets it; a script does not. */
export function calledAs(): string {
  return process.argv0;
}

/** The script (or the full executable) and its arguments, from the kernel. */
function rawArguments(): string[] {
  const all = (textOf("/proc/self/cmdline") ?? "").split("\0");
  all.pop();
  return all.slice(all.length - (process.argv.length - 1));
}
