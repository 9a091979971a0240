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
import type { Span } from "./link.js";
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

/**
 * Builds a request to a generic netlink family.
 *
 * @param family the number that `resolveFamily` found
 * @param write appends the attributes
 * @param read is given the attributes of each message of the answer
 */
export function genericRequest<T>(
  family: number,
  version: number,
  command: number,
  answer: Request["answer"],
  write?: (out: Writer) => void,
  read?: (attributes: Span) => T,
): Request<T> {
  return {
    type: family,
    answer,
    write(out) {
      out.u8(command);
      out.u8(version);
      out.u16(0);
      write?.(out);
    },
    ...(read && { read: (payload) => read(attributesOf(payload)) }),
  };
}

/** What is behind a generic netlink header. @throws {MalformedReply} when the header is cut short */
export function attributesOf({ bytes, start, end }: Span): Span {
  if (end - start < HEADER_BYTES)
    throw new MalformedReply("a generic netlink header is cut short", 0);
  return { bytes, start: start + HEADER_BYTES, end };
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
    genericRequest(
      GENL_ID_CTRL,
      1,
      CTRL_CMD_GETFAMILY,
      "one",
      (out) => {
        encode(CONTROLLER, out, { familyName: name });
      },
      (attributes) =>
        required(decode(CONTROLLER, attributes), ["familyId"]).familyId,
    ),
  ]);
  if (reply?.kind === "refused") return reply.refusal;
  const [id] = reply?.kind === "done" ? reply.entries : [];
  return id === undefined ? { errno: ENOENT } : { id };
}
