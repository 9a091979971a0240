import { encode, type Fields } from "../netlink/attributes.js";
import { Writer } from "../netlink/writer.js";
import {
  daemonFields,
  destinationFields,
  destinationKeyFields,
  serviceFields,
  serviceKeyFields,
} from "./codec.js";
import { COMMANDS, MESSAGE } from "./layouts.js";
import {
  formatEndpoint,
  formatService,
  MASTER,
  type Daemon,
  type DestinationKey,
  type DestinationSettings,
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
      readonly server: DestinationKey;
      /** All that is to be set: an edit keeps nothing of what was before */
      readonly settings: DestinationSettings;
    }
  | {
      /** See {@link IpvsClient.deleteServer} */
      readonly command: "delete-server";
      /** Of which virtual service */
      readonly service: ServiceKey;
      /** Which real server */
      readonly server: DestinationKey;
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

/** The command number of a change and the attributes that it carries. */
export function changeMessage(
  change: Change,
): [number, Fields<typeof MESSAGE>] {
  switch (change.command) {
    case "add-service":
    case "edit-service":
      return [
        change.command === "add-service"
          ? COMMANDS.newService
          : COMMANDS.setService,
        { service: serviceFields(change.service, change.settings) },
      ];
    case "delete-service":
      return [
        COMMANDS.deleteService,
        { service: serviceKeyFields(change.service) },
      ];
    case "add-server":
    case "edit-server":
      return [
        change.command === "add-server"
          ? COMMANDS.newDestination
          : COMMANDS.setDestination,
        {
          service: serviceKeyFields(change.service),
          destination: destinationFields(change.server, change.settings),
        },
      ];
    case "delete-server":
      return [
        COMMANDS.deleteDestination,
        {
          service: serviceKeyFields(change.service),
          destination: destinationKeyFields(change.server),
        },
      ];
    case "flush":
      return [COMMANDS.flush, {}];
    case "zero":
      return [
        COMMANDS.zero,
        change.service ? { service: serviceKeyFields(change.service) } : {},
      ];
    case "set":
      return [COMMANDS.setConfig, { ...change.timeouts }];
    case "start-daemon":
    case "stop-daemon":
      return [
        change.command === "start-daemon"
          ? COMMANDS.newDaemon
          : COMMANDS.deleteDaemon,
        { daemon: daemonFields(change.daemon) },
      ];
  }
}

/** Whether two changes are the same message to the kernel. */
export function sameChange(a: Change, b: Change): boolean {
  const [first, second] = [bytesOf(a), bytesOf(b)];
  return (
    first.length === second.length &&
    first.every((byte, i) => byte === second[i])
  );
}

function bytesOf(change: Change): Uint8Array {
  const [command, fields] = changeMessage(change);
  const out = new Writer();
  encode(MESSAGE, out, fields);
  return Uint8Array.of(command, ...out.written);
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
