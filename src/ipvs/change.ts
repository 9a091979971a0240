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

/** One change of the table, as data: what {@link IpvsClient.apply} carries out. */
export type Change =
  | {
      /** See {@link IpvsClient.addService} and {@link IpvsClient.editService} */
      readonly command: "add-service" | "edit-service";
      /** Which virtual service */
      readonly service: ServiceKey;
      /** All that is to be set: an edit keeps nothing of what was before */
      readonly settings: ServiceSettings;
    }
  | {
      /** See {@link IpvsClient.deleteService} */
      readonly command: "delete-service";
      /** Which virtual service */
      readonly service: ServiceKey;
    }
  | {
      /** See {@link IpvsClient.addServer} and {@link IpvsClient.editServer} */
      readonly command: "add-server" | "edit-server";
      /** Of which virtual service */
      readonly service: ServiceKey;
      /** Which real server */
      readonly server: ServerKey;
      /** All that is to be set: an edit keeps nothing of what was before */
      readonly settings: ServerSettings;
    }
  | {
      /** See {@link IpvsClient.deleteServer} */
      readonly command: "delete-server";
      /** Of which virtual service */
      readonly service: ServiceKey;
      /** Which real server */
      readonly server: ServerKey;
    }
  | {
      /** See {@link IpvsClient.flush} */
      readonly command: "flush";
    }
  | {
      /** See {@link IpvsClient.zero} */
      readonly command: "zero";
      /** Which virtual service; undefined: all */
      readonly service?: ServiceKey | undefined;
    }
  | {
      /** See {@link IpvsClient.setTimeouts} */
      readonly command: "set";
      /** The new ones; 0 leaves one as it is */
      readonly timeouts: Timeouts;
    }
  | {
      /** See {@link IpvsClient.startDaemon} and {@link IpvsClient.stopDaemon} */
      readonly command: "start-daemon" | "stop-daemon";
      /** Which sync daemon; to stop one, its role is enough of it for the kernel */
      readonly daemon: Daemon;
    };

/** A change as a request to the kernel, of which there may be very many. */
export class ChangeRequest implements Request<never> {
  readonly answer: "silence" | "ack";
  readonly #change: Change;

  /** @param type the number of the family IPVS */
  constructor(
    readonly type: number,
    change: Change,
  ) {
    this.#change = change;
    // The kernel can break off what has to do with its threads (EINTR), and a change it broke off is none.
    this.answer = "daemon" in change ? "ack" : "silence";
  }

  write(out: Writer): void {
    writeChange(out, this.#change);
  }
}

/** Writes a change from the generic netlink header on. */
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

/** Whether two changes are the same message to the kernel. */
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

/** Whom a change concerns, for an error's sentence. */
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
