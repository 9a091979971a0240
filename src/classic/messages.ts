import type { Command } from "../ipvs/errors.js";
import {
  EAFNOSUPPORT,
  EEXIST,
  EINVAL,
  EMSGSIZE,
  ENOENT,
  ENOMEM,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPERM,
  errnoText,
  ESRCH,
} from "../netlink/errno.js";

/** Meanings of errnos for all commands. */
const GENERAL: Readonly<Record<number, string>> = {
  [EPERM]: "Permission denied (you must be root)",
  [EINVAL]:
    "Invalid operation.  Possibly wrong module version, address not unicast, ...",
  [ENOPROTOOPT]: "Protocol not available",
  [ENOMEM]: "Memory allocation problem",
  [EOPNOTSUPP]: "Operation not supported with IPv6",
  [EAFNOSUPPORT]: "Operation not supported with specified address family",
  [EMSGSIZE]: "Module is wrong version",
};

const NO_SERVICE = { [ESRCH]: "No such service" };
const SERVER = {
  [ESRCH]: "Service not defined",
  [ENOENT]: "No such destination",
};

/** Meanings of errnos for single commands. */
const SPECIAL: Readonly<
  Partial<Record<Command, Readonly<Record<number, string>>>>
> = {
  "add-service": {
    [EEXIST]: "Service already exists",
    [ENOENT]: "Scheduler or persistence engine not found",
  },
  "edit-service": {
    ...NO_SERVICE,
    [ENOENT]: "Scheduler or persistence engine not found",
  },
  "delete-service": NO_SERVICE,
  zero: NO_SERVICE,
  "get-service": NO_SERVICE,
  "add-server": { ...SERVER, [EEXIST]: "Destination already exists" },
  "edit-server": SERVER,
  "delete-server": SERVER,
  "start-daemon": { [EEXIST]: "Daemon has already run" },
  "stop-daemon": { [ESRCH]: "No daemon is running" },
};

/** The original's message for a refusal. @param command undefined if no command was sent yet */
export function refusalText(
  command: Command | undefined,
  errno: number,
): string {
  return (
    (command && SPECIAL[command]?.[errno]) ?? GENERAL[errno] ?? errnoText(errno)
  );
}
