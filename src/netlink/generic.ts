import {
  decode,
  encode,
  required,
  text,
  u16,
  type Fields,
  type Layout,
} from "./attributes.js";
import { ENOENT } from "./errno.js";
import { MalformedReply } from "./errors.js";
import type { Exchange, Request } from "./exchange.js";
import { Window, type Span } from "./link.js";
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

/** A request to a generic netlink family, of which there may be very many. */
export class GenericRequest<L extends Layout> implements Request<never> {
  readonly #version: number;
  readonly #command: number;
  readonly #layout: L;
  readonly #fields: Fields<L>;

  /**
   * @param type the number of the family that `resolveFamily` found
   * @param version of the family's language
   * @param fields what goes out, in the order of the layout
   */
  constructor(
    readonly type: number,
    version: number,
    command: number,
    readonly answer: Request["answer"],
    layout: L,
    fields: Fields<L>,
  ) {
    this.#version = version;
    this.#command = command;
    this.#layout = layout;
    this.#fields = fields;
  }

  write(out: Writer): void {
    out.u8(this.#command);
    out.u8(this.#version);
    out.u16(0);
    encode(this.#layout, out, this.#fields);
  }
}

/** The same for what is answered with more than yes or no. */
export class GenericQuery<L extends Layout, T>
  extends GenericRequest<L>
  implements Request<T>
{
  readonly #read: (attributes: Span) => T;

  /** @param read is given the attributes of each message of the answer */
  constructor(
    type: number,
    version: number,
    command: number,
    answer: "one" | "dump",
    layout: L,
    fields: Fields<L>,
    read: (attributes: Span) => T,
  ) {
    super(type, version, command, answer, layout, fields);
    this.#read = read;
  }

  read(payload: Span): T {
    return this.#read(attributesOf(payload));
  }
}

const window = new Window();

/**
 * What is behind a generic netlink header, as one and the same object each time.
 *
 * @throws {MalformedReply} when the header is cut short
 */
export function attributesOf({ bytes, start, end }: Span): Span {
  if (end - start < HEADER_BYTES)
    throw new MalformedReply("a generic netlink header is cut short", 0);
  return window.move(bytes, start + HEADER_BYTES, end);
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
    new GenericQuery(
      GENL_ID_CTRL,
      1,
      CTRL_CMD_GETFAMILY,
      "one",
      CONTROLLER,
      { familyName: name },
      (attributes) =>
        required(decode(CONTROLLER, attributes), ["familyId"]).familyId,
    ),
  ]);
  if (reply?.kind === "refused") return reply.refusal;
  const [id] = reply?.kind === "done" ? reply.entries : [];
  return id === undefined ? { errno: ENOENT } : { id };
}
