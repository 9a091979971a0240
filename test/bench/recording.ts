import type { Link, Span } from "../../src/netlink/link.js";
import { NLMSG_DONE, NLMSG_ERROR } from "../../src/netlink/messages.js";

/**
 * The datagrams that a program sent and the points where it waited: enough to repeat its work
 * without encoding or decoding. A program may use several sockets; they are numbered in the order
 * of opening.
 */
export type Step =
  | {
      readonly kind: "send";
      readonly socket: number;
      readonly datagram: Uint8Array;
    }
  /** Wait until this request is acknowledged or refused, or its dump has ended. */
  | {
      readonly kind: "await";
      readonly socket: number;
      readonly sequence: number;
    }
  /** Read a whole file. */
  | { readonly kind: "read"; readonly file: string };

const KINDS = ["send", "await", "read"] as const;
const STEP_BYTES = 8;
const HEADER_BYTES = 16;

/**
 * Calls `seen` for each message of a datagram, with its header.
 *
 * @returns the number of messages
 */
export function countMessages(
  { bytes: view, start, end }: Span,
  ended: (sequence: number) => void,
): number {
  let count = 0;
  let at = start;
  while (at + HEADER_BYTES <= end) {
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_ERROR || type === NLMSG_DONE)
      ended(view.getUint32(at + 8, true));
    count++;
    at += Math.max(HEADER_BYTES, (view.getUint32(at, true) + 3) & ~3);
  }
  return count;
}

/** Records the datagrams on links. */
export class Recorder {
  readonly steps: Step[] = [];
  #sockets = 0;

  /** A link that records another one. */
  tap(link: Link): Link {
    const socket = this.#sockets++;
    const heard = (datagram: Span) => {
      countMessages(datagram, (sequence) => {
        this.#ended(socket, sequence);
      });
      return datagram;
    };
    return {
      receiveBufferBytes: link.receiveBufferBytes,
      send: (datagram) => {
        this.steps.push({ kind: "send", socket, datagram: datagram.slice() });
        link.send(datagram);
      },
      receive() {
        const datagram = link.receive();
        return datagram instanceof Promise
          ? datagram.then(heard)
          : heard(datagram);
      },
      close() {
        link.close();
      },
    };
  }

  /** Records that a whole file was read. */
  read(file: string): void {
    this.steps.push({ kind: "read", file });
  }

  /** Replies on a socket come in order, so the last one implies the earlier ones. */
  #ended(socket: number, sequence: number): void {
    const last = this.steps.at(-1);
    if (last?.kind === "await" && last.socket === socket) this.steps.pop();
    this.steps.push({ kind: "await", socket, sequence });
  }
}

export function packSteps(steps: readonly Step[]): Uint8Array {
  const parts = steps.map((step) => {
    const head = Buffer.alloc(STEP_BYTES);
    head.writeUInt16LE(KINDS.indexOf(step.kind), 0);
    if (step.kind === "read") {
      const file = Buffer.from(step.file, "latin1");
      head.writeUInt32LE(file.length, 4);
      return Buffer.concat([head, file]);
    }
    head.writeUInt16LE(step.socket, 2);
    if (step.kind === "await") {
      head.writeUInt32LE(step.sequence, 4);
      return head;
    }
    head.writeUInt32LE(step.datagram.length, 4);
    return Buffer.concat([head, step.datagram]);
  });
  return Buffer.concat(parts);
}

/** Reads what `packSteps` wrote. Datagrams are views of the packed bytes. */
export function unpackSteps(packed: Uint8Array): Step[] {
  const view = new DataView(
    packed.buffer,
    packed.byteOffset,
    packed.byteLength,
  );
  const steps: Step[] = [];
  let at = 0;
  while (at < packed.length) {
    const kind = KINDS[view.getUint16(at, true)];
    const socket = view.getUint16(at + 2, true);
    const value = view.getUint32(at + 4, true);
    at += STEP_BYTES;
    switch (kind) {
      case "send":
        steps.push({ kind, socket, datagram: packed.subarray(at, at + value) });
        at += value;
        break;
      case "await":
        steps.push({ kind, socket, sequence: value });
        break;
      case "read": {
        const file = Buffer.from(packed.subarray(at, at + value));
        steps.push({ kind, file: file.toString("latin1") });
        at += value;
        break;
      }
      default:
        throw new RangeError(`not a recording (at byte ${at})`);
    }
  }
  return steps;
}
