import { dlopen, read } from "bun:ffi";
import type { Io } from "./io.js";
import { errnoName } from "../netlink/errno.js";
import { systemIo } from "./system-io.js";
import { namesByGetent } from "../system/getent.js";
import { MODPROBE } from "../system/modprobe.js";
import { calledAs } from "../system/process.js";

/*
 * The machine as the full executable reaches it: without those modules of Node.js that Bun imitates, for
 * loading them takes longer than all else that a classic command does.
 */

const { symbols: libc } = dlopen("libc.so.6", {
  write: { args: ["i32", "ptr", "u64"], returns: "i64_fast" },
  __errno_location: { args: [], returns: "ptr" },
});

/**
 * Has code compiled as soon as is usual, which bin/compile puts off: most commands are over before compiled code has
 * paid for the compiling.
 */
export function compileFromNowOn(): void {
  Bun.unsafe.setJITPolicy(1);
}

/** The machine, where Bun is the runtime. */
export function bunIo(): Io {
  const io = systemIo({
    openLink: async (family) =>
      (await import("../netlink/bun-link.js")).openFfiLink(family),
    loadModule,
    program: calledAs,
    write,
  });
  const names = { ...io.names, ...namesByGetent(io.names), hostAddress };
  return { ...io, names, mayOpenRawSockets };
}

function write(descriptor: number, bytes: Uint8Array): number {
  const count = libc.write(descriptor, bytes, bytes.length);
  if (count >= 0) return count;
  const code = errnoName(read.i32(libc.__errno_location(), 0));
  throw Object.assign(new Error(`write: ${code}`), { code });
}

/** @see bits/socket.h, netinet/in.h */
const [AF_INET, SOCK_RAW, IPPROTO_RAW] = [2, 3, 255];

/** Tries it, as the original does: to look for the capability would need a module to read files with. */
function mayOpenRawSockets(): boolean {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
  });
  const socket = symbols.socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (socket < 0) return false;
  symbols.close(socket);
  return true;
}

function loadModule(): void {
  try {
    Bun.spawnSync(MODPROBE, { stdio: ["ignore", "inherit", "inherit"] });
  } catch {
    // There is no modprobe here; whether there is IPVS shows next.
  }
}

/** Where struct hostent has its list of addresses, on a 64-bit machine. */
const ADDRESS_LIST = 24;

/** `hostAddress` of names.ts, by gethostbyname(3): Bun's own resolver takes `*` for a host. */
function hostAddress(name: string): Promise<string | undefined> {
  if (!/^[!-~]+$/.test(name)) return Promise.resolve(undefined);
  const { symbols } = dlopen("libc.so.6", {
    gethostbyname: { args: ["ptr"], returns: "ptr" },
  });
  const entry = symbols.gethostbyname(Buffer.from(`${name}\0`, "latin1"));
  if (!entry) return Promise.resolve(undefined);
  const first = read.ptr(read.ptr(entry, ADDRESS_LIST), 0);
  const bytes = [0, 1, 2, 3].map((at) => read.u8(first, at));
  return Promise.resolve(bytes.join("."));
}
