import {
  decode,
  encode,
  required,
  text,
  u16,
  type Layout,
} from "./attributes.js";
import { ENOENT } from "./errno.js";
import { MalformedReply } from "./errors.js";
import type { Exchange, Request } from "./exchange.js";
import type { Refusal } from "./messages.js";
import type { Writer } from "./writer.js";

/** Generic netlink's own family. @see include/uapi/linux/genetlink.h */
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const HEADER_BYTES = 4;

const CONTROLLER = {
  familyId: [1, u16],
  familyName: [2, text],
} as const satisfies Layout;

/** The attributes behind a generic netlink header, with the command that the header names. */
export interface GenericMessage {
  readonly command: number;
  readonly attributes: Uint8Array;
}

/**
 * Builds a request to a generic netlink family.
 *
 * @param family the number that `resolveFamily` found
 * @param write appends the attributes
 */
export function genericRequest(
  family: number,
  version: number,
  command: number,
  answer: Request["answer"],
  write?: (out: Writer) => void,
): Request {
  return {
    type: family,
    answer,
    write(out) {
      out.u8(command);
      out.u8(version);
      out.u16(0);
      write?.(out);
    },
  };
}

/** @throws {MalformedReply} when the header is cut short */
export function readGeneric(payload: Uint8Array): GenericMessage {
  if (payload.length < HEADER_BYTES)
    throw new MalformedReply("a generic netlink header is cut short", 0);
  return {
    command: payload[0] ?? 0,
    attributes: payload.subarray(HEADER_BYTES),
  };
}

/**
 * Asks for the number that the kernel gave to a generic netlink family.
 *
 * @returns the number, or the kernel's refusal: ENOENT when no module has registered the family
 */
export async function resolveFamily(
  exchange: Exchange,
  name: string,
): Promise<{ id: number } | Refusal> {
  const [reply] = await exchange([
    genericRequest(GENL_ID_CTRL, 1, CTRL_CMD_GETFAMILY, "one", (out) => {
      encode(CONTROLLER, out, { familyName: name });
    }),
  ]);
  if (reply?.kind === "refused") return reply.refusal;
  const [payload] = reply?.kind === "done" ? reply.payloads : [];
  if (!payload) return { errno: ENOENT };
  const { familyId } = required(
    decode(CONTROLLER, readGeneric(payload).attributes),
    "familyId",
  );
  return { id: familyId };
}
