import { encode } from "../netlink/attributes.js";
import type { Request } from "../netlink/exchange.js";
import { writeHeader } from "../netlink/generic.js";
import { Writer } from "../netlink/writer.js";
import {
  writeDaemon,
  writeDestination,
  writeDestinationKey,
  writeService,
  writeServiceKey,
} from "./codec.js";
import { COMMANDS, FAMILY_VERSION, MESSAGE } from "./layouts.js";
import {
  formatEndpoint,
  formatService,
  MASTER,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
} from "./model.js";

/**
 * One change of the IPVS table, as data. {@link IpvsClient.apply} carries changes out.
 *
 * @since 0.1.0
 */
export type Change =
  | {
      /** See {@link IpvsClient.addService} and {@link IpvsClient.editService} */
      readonly command: "add-service" | "edit-service";
      /** The virtual service */
      readonly service: ServiceKey;
      /** All settings. An edit replaces all of them */
      readonly settings: ServiceSettings;
    }
  | {
      /** See {@link IpvsClient.deleteService} */
      readonly command: "delete-service";
      /** The virtual service */
      readonly service: ServiceKey;
    }
  | {
      /** See {@link IpvsClient.addServer} and {@link IpvsClient.editServer} */
      readonly command: "add-server" | "edit-server";
      /** The virtual service of the real server */
      readonly service: ServiceKey;
      /** The real server */
      readonly server: ServerKey;
      /** All settings. An edit replaces all of them */
      readonly settings: ServerSettings;
    }
  | {
      /** See {@link IpvsClient.deleteServer} */
      readonly command: "delete-server";
      /** The virtual service of the real server */
      readonly service: ServiceKey;
      /** The real server */
      readonly server: ServerKey;
    }
  | {
      /** See {@link IpvsClient.flush} */
      readonly command: "flush";
    }
  | {
      /** See {@link IpvsClient.zero} */
      readonly command: "zero";
      /** The virtual service; undefined for all */
      readonly service?: ServiceKey | undefined;
    }
  | {
      /** See {@link IpvsClient.setTimeouts} */
      readonly command: "set";
      /** The new timeouts in seconds; 0 leaves a timeout unchanged */
      readonly timeouts: Timeouts;
    }
  | {
      /** See {@link IpvsClient.startDaemon} and {@link IpvsClient.stopDaemon} */
      readonly command: "start-daemon" | "stop-daemon";
      /** The sync daemon. To stop one, the kernel looks only at its role */
      readonly daemon: Daemon;
    };

/** A change as a netlink request. There may be very many of them. */
export class ChangeRequest implements Request<never> {
  readonly expects: "errors" | "ack";
  readonly #change: Change;

  /** @param type the number of the generic netlink family IPVS */
  constructor(
    readonly type: number,
    change: Change,
  ) {
    this.#change = change;
    // The kernel can interrupt a request that starts or stops a thread (EINTR). Only an
    // acknowledgement shows whether it did.
    this.expects = "daemon" in change ? "ack" : "errors";
  }

  write(out: Writer): void {
    writeChange(out, this.#change);
  }
}

/** Encodes a change, beginning with the generic netlink header. */
function writeChange(out: Writer, change: Change): void {
  writeHeader(out, COMMAND_NUMBERS[change.command], FAMILY_VERSION);
  switch (change.command) {
    case "add-service":
    case "edit-service":
      writeService(out, change.service, change.settings);
      break;
    case "delete-service":
      writeServiceKey(out, change.service);
      break;
    case "add-server":
    case "edit-server":
      writeServiceKey(out, change.service);
      writeDestination(out, change.server, change.settings);
      break;
    case "delete-server":
      writeServiceKey(out, change.service);
      writeDestinationKey(out, change.server);
      break;
    case "zero":
      if (change.service) writeServiceKey(out, change.service);
      break;
    case "set":
      encode(MESSAGE, out, change.timeouts);
      break;
    case "start-daemon":
    case "stop-daemon":
      writeDaemon(out, change.daemon);
      break;
    case "flush":
  }
}

const COMMAND_NUMBERS: Readonly<Record<Change["command"], number>> = {
  "add-service": COMMANDS.newService,
  "edit-service": COMMANDS.setService,
  "delete-service": COMMANDS.deleteService,
  "add-server": COMMANDS.newDestination,
  "edit-server": COMMANDS.setDestination,
  "delete-server": COMMANDS.deleteDestination,
  flush: COMMANDS.flush,
  zero: COMMANDS.zero,
  set: COMMANDS.setConfig,
  "start-daemon": COMMANDS.newDaemon,
  "stop-daemon": COMMANDS.deleteDaemon,
};

/** Whether two changes are the same netlink message. */
export function sameChange(a: Change, b: Change): boolean {
  const [first, second] = [bytesOf(a), bytesOf(b)];
  return (
    first.length === second.length &&
    first.every((byte, i) => byte === second[i])
  );
}

function bytesOf(change: Change): Uint8Array {
  const out = new Writer();
  writeChange(out, change);
  return out.written;
}

/** The object of a change, for error messages; empty for the whole table. */
export function subjectOf(change: Change): string {
  switch (change.command) {
    case "add-service":
    case "edit-service":
    case "delete-service":
      return formatService(change.service);
    case "add-server":
    case "edit-server":
    case "delete-server":
      return `${formatEndpoint(change.server.address, change.server.port)} of ${formatService(change.service)}`;
    case "zero":
      return change.service ? formatService(change.service) : "";
    case "start-daemon":
    case "stop-daemon":
      return change.daemon.state === MASTER ? "master" : "backup";
    case "flush":
    case "set":
      return "";
  }
}
