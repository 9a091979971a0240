import { hex, hexOf } from "../fixtures/hex.js";
import { INFO } from "../fixtures/replies.js";
import {
  ack,
  done,
  ScriptedLink,
  message,
  MULTI,
  type Sent,
} from "../netlink/scripted-link.js";

const CONTROLLER = 16;
const FAMILY = 0x1c;
const FAMILY_ANSWER = hex("01020000 0600 0100 1c00 0000");
const DUMP = 0x300;
const ENOENT = 2;
const ESRCH = 3;
const EEXIST = 17;

/** IPVS commands by number. */
export const ADD_SERVICE = 1;
export const DELETE_SERVICE = 3;
export const GET_SERVICE = 4;
export const GET_SERVERS = 8;
export const FLUSH = 17;

/** The kernel's reply to a request: an errno, success, or success with messages. */
export interface Answer {
  readonly errno?: number;
  readonly messages?: readonly Uint8Array[];
}

/** @param attributes the request's attributes in hexadecimal digits */
export type Handler = (command: number, attributes: string) => Answer;

/** A kernel with IPVS. @param loaded whether the module is loaded */
export function scriptedKernel(
  handler: Handler = () => ({}),
  loaded: () => boolean = () => true,
): ScriptedLink {
  return new ScriptedLink((requests) =>
    requests.flatMap((sent) => respond(sent, handler, loaded)),
  );
}

function respond(sent: Sent, handler: Handler, loaded: () => boolean) {
  const { errno, messages = [] } = answerTo(sent, handler, loaded);
  if (errno !== undefined) return [ack(sent, errno)];
  const dump = (sent.flags & DUMP) !== 0;
  return [
    ...messages.map((payload) =>
      message(sent.type, dump ? MULTI : 0, sent.sequence, payload),
    ),
    dump ? done(sent) : ack(sent),
  ];
}

function answerTo(sent: Sent, handler: Handler, loaded: () => boolean): Answer {
  if (sent.type === CONTROLLER)
    return loaded() ? { messages: [FAMILY_ANSWER] } : { errno: ENOENT };
  if (sent.type !== FAMILY) return { errno: ENOENT }; // no family has this number
  const [command = 0] = sent.payload;
  const GET_INFO = 15;
  return command === GET_INFO
    ? { messages: [INFO] }
    : handler(command, hexOf(sent.payload.subarray(4)));
}

/** A handler that knows only which services exist. */
export function services(): Handler {
  const known = new Set<string>();
  return (command, attributes) => {
    // After the outer header come the family and the attributes that identify the service.
    const key = /^.{8}0600010002000000060002000.{7}14000300.{32}06000400.{8}/
      .exec(attributes)?.[0]
      .slice(8);
    switch (command) {
      case ADD_SERVICE:
        if (key === undefined || known.has(key)) return { errno: EEXIST };
        known.add(key);
        return {};
      case DELETE_SERVICE:
        return key !== undefined && known.delete(key) ? {} : { errno: ESRCH };
      case GET_SERVICE:
        return attributes === "" ? {} : { errno: ESRCH };
      case FLUSH:
        known.clear();
        return {};
      default:
        return {};
    }
  };
}

/** The numbers of the commands that a kernel received: one list per datagram. */
export function commands(link: ScriptedLink): number[][] {
  return link.sent
    .map((requests) =>
      requests
        .filter(({ type, payload }) => type === FAMILY && payload[0] !== 15)
        .map(({ payload }) => payload[0] ?? 0),
    )
    .filter((list) => list.length > 0);
}
