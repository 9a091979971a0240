import { dlopen, read } from "bun:ffi";
import type { Io } from "./io.js";
import { errnoName } from "../netlink/errno.js";
import { systemIo } from "./system-io.js";
import { namesByGetent } from "../system/getent.js";
import { MODPROBE } from "../system/modprobe.js";
import { calledAs } from "../system/process.js";

/*
 * The Io of the full executable. It avoids those Node.js modules that Bun emulates, because
 * loading them takes longer than a whole classic command.
 */

const { symbols: libc } = dlopen("libc.so.6", {
  write: { args: ["i32", "ptr", "u64"], returns: "i64_fast" },
  __errno_location: { args: [], returns: "ptr" },
});

/**
 * Makes Bun compile functions as early as usual. bin/compile delays compilation, because most
 * commands end before compiled code pays off.
 */
export function compileFromNowOn(): void {
  Bun.unsafe.setJITPolicy(1);
}

/** The Io of Bun. */
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

/**
 * Opens a raw socket, like the original. Reading the capability instead would need another module.
 */
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
    // No modprobe. Opening IPVS will report whether the module is loaded.
  }
}

/** The offset of h_addr_list in struct hostent, on a 64-bit machine. */
const ADDRESS_LIST = 24;

/**
 * Implements Names.hostAddress() with gethostbyname(3). Bun's own resolver accepts `*` as a host.
 */
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
