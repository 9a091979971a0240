import { decode, put, required, text, u16, type Layout } from "./attributes.js";
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

/** Begins a request to a generic netlink family: struct genlmsghdr, which the attributes follow. */
export function writeHeader(
  out: Writer,
  command: number,
  version: number,
): void {
  out.u32((version << 8) | command);
}

/** A request to a generic netlink family that is answered with more than yes or no. */
export class GenericQuery<T> implements Request<T> {
  readonly #version: number;
  readonly #command: number;
  readonly #write: (out: Writer) => void;
  readonly #read: (attributes: Span) => T;

  /**
   * @param type the number of the family that `resolveFamily` found
   * @param version of the family's language
   * @param write the attributes that go out
   * @param read is given the attributes of each message of the answer
   */
  constructor(
    readonly type: number,
    version: number,
    command: number,
    readonly answer: "one" | "dump",
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

/** For a request that carries none. */
export const noAttributes = (): void => undefined;

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
