import { decode, put, required, text, u16, type Layout } from "./attributes.js";
import { ENOENT } from "./errno.js";
import { MalformedReply } from "./errors.js";
import type { Exchange, Request } from "./exchange.js";
import { MutableSpan, type Span } from "./link.js";
import type { Refusal } from "./messages.js";
import type { Writer } from "./writer.js";

/** The controller: the family that knows the other families. @see include/uapi/linux/genetlink.h */
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const HEADER_BYTES = 4;

const CONTROLLER = {
  familyId: [1, u16],
  familyName: [2, text],
} as const satisfies Layout;

/** Writes struct genlmsghdr, which precedes the attributes of a generic netlink request. */
export function writeHeader(
  out: Writer,
  command: number,
  version: number,
): void {
  out.u32((version << 8) | command);
}

/** A generic netlink request that returns messages. */
export class GenericQuery<T> implements Request<T> {
  readonly #version: number;
  readonly #command: number;
  readonly #write: (out: Writer) => void;
  readonly #read: (attributes: Span) => T;

  /**
   * @param type the number of the family, from resolveFamily()
   * @param version the version of the family's protocol
   * @param write encodes the attributes of the request
   * @param read decodes the attributes of each reply message
   */
  constructor(
    readonly type: number,
    version: number,
    command: number,
    readonly expects: "one" | "dump",
    write: (out: Writer) => void,
    read: (attributes: Span) => T,
  ) {
    this.#version = version;
    this.#command = command;
    this.#write = write;
    this.#read = read;
  }

  write(out: Writer): void {
    writeHeader(out, this.#command, this.#version);
    this.#write(out);
  }

  read(payload: Span): T {
    return this.#read(attributesOf(payload));
  }
}

/** The `write` of a request without attributes. */
export const noAttributes = (): void => undefined;

const attributes = new MutableSpan();

/**
 * The attributes behind a generic netlink header. Always returns the same object: use it before the
 * next call.
 *
 * @throws {MalformedReply} if the header is cut short
 */
export function attributesOf({ bytes, start, end }: Span): Span {
  if (end - start < HEADER_BYTES)
    throw new MalformedReply("a generic netlink header is cut short", 0);
  return attributes.set(bytes, start + HEADER_BYTES, end);
}

/**
 * Asks the kernel for the number of a generic netlink family.
 *
 * @returns the number, or the kernel's refusal: ENOENT if no module has registered the family
 */
export async function resolveFamily(
  exchange: Exchange,
  name: string,
): Promise<{ id: number } | Refusal> {
  const [reply] = await exchange([
    new GenericQuery(
      GENL_ID_CTRL,
      1,
      CTRL_CMD_GETFAMILY,
      "one",
      (out) => {
        put(out, CONTROLLER.familyName, name);
      },
      (attributes) =>
        required(decode(CONTROLLER, attributes), ["familyId"]).familyId,
    ),
  ]);
  if (reply?.kind === "refused") return reply.refusal;
  const [id] = reply?.kind === "done" ? reply.entries : [];
  return id === undefined ? { errno: ENOENT } : { id };
}
