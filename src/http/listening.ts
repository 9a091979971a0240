import { chmodSync, existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect, type AddressInfo, type Server } from "node:net";
import { dirname } from "node:path";
import { CommandError } from "../cli/errors.js";
import { listenAddressText, type ListenAddress } from "./listen-address.js";

/** The owner and the group may connect to a Unix socket. */
const SOCKET_MODE = 0o660;

/**
 * Lets a server listen.
 *
 * @returns where it listens, with the actual port
 * @throws {CommandError} the address, the port or the path cannot be used
 */
export async function listenOn(
  server: Server,
  requested: ListenAddress,
): Promise<ListenAddress> {
  if ("path" in requested) await removeStaleSocket(requested.path);
  // The socket must never be open to others, not even for a moment.
  const mask = "path" in requested ? process.umask(0o777) : undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: Error) => {
        reject(cannotListen(requested, error));
      };
      server.once("error", fail);
      server.listen({ ...requested }, () => {
        server.off("error", fail);
        resolve();
      });
    });
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  if ("path" in requested) {
    chmodSync(requested.path, SOCKET_MODE);
    return requested;
  }
  const { port } = server.address() as AddressInfo;
  return { ...requested, port };
}

/** Removes the socket of a server that did not end properly. */
async function removeStaleSocket(path: string): Promise<void> {
  const address = { path };
  // Node.js reports a missing folder as EACCES.
  if (!existsSync(dirname(path)))
    throw cannotListen(address, Object.assign(new Error(), { code: "ENOENT" }));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new CommandError(
      `cannot listen on ${listenAddressText(address)}: the file exists and is not a socket`,
      "choose another path",
    );
  if (await accepts(path))
    throw new CommandError(
      `cannot listen on ${listenAddressText(address)}: another program listens there`,
      "'ss -lxp' shows the program; choose another path",
    );
  unlinkSync(path);
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== "ECONNREFUSED");
    });
  });
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: [
    "the port is in use",
    "'ss -ltnp' shows the program; choose another port",
  ],
  EADDRNOTAVAIL: [
    "this machine does not have the address",
    "'ip address' shows its addresses",
  ],
  EACCES: ["permission denied", "ports below 1024 need root"],
};

const PATH_REASONS: Readonly<Record<string, readonly [string, string]>> = {
  EACCES: ["permission denied", "choose a folder that you may write"],
  ENOENT: ["the folder does not exist", "make it first"],
};

/** Explains an error of a server. */
export function cannotListen(
  address: ListenAddress,
  { code = "unknown" }: NodeJS.ErrnoException,
): CommandError {
  const reasons = "path" in address ? PATH_REASONS : REASONS;
  const [reason, advice] = reasons[code] ?? [code];
  return new CommandError(
    `cannot listen on ${listenAddressText(address)}: ${reason}`,
    advice,
  );
}
