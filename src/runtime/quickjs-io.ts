import { openQuickjsLink } from "../netlink/quickjs-link.js";
import { bytesOf, sizeOf } from "../system/files.js";
import { MODPROBE } from "../system/modprobe.js";
import { processStreams, writeByNode } from "../system/streams.js";
import { systemTerminal } from "../system/terminal.js";
import type { ClassicIo } from "./io.js";
import { every } from "./quickjs-loop.js";
import { quickjsNames } from "./quickjs-names.js";

/** The Io of QuickJS. */
export function quickjsIo(): ClassicIo {
  return {
    ...processStreams(writeByNode),
    interpretsCode: true,
    program: () => host.words()[0] ?? "ipvsadm",
    names: quickjsNames(),
    openLink: openQuickjsLink,
    loadModule() {
      host.run(MODPROBE);
    },
    mayOpenRawSockets,
    kernelTable: () => bytesOf("/proc/net/ip_vs"),
    connectionsFile: "/proc/net/ip_vs_conn",
    terminal: systemTerminal(),
    stdinBytes: () => sizeOf(0),
    clock: { now: () => host.now(), every },
    environment: (name) => host.environment(name),
  };
}

/** @see bits/socket.h, netinet/in.h */
const [AF_INET, SOCK_RAW, IPPROTO_RAW] = [2, 3, 255];

/** Opens a raw socket, like the original. This is faster than reading the capabilities. */
function mayOpenRawSockets(): boolean {
  const socket = host.socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (socket < 0) return false;
  host.close(socket);
  return true;
}
