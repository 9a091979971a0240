import { spanOf, type Link } from "../../src/netlink/link.js";

const CONTROLLER = 16;
const FAMILY = 0x1c;
const FAMILY_ANSWER = bytesOf("01020000 0600 0100 1c00 0000");
const INFO = bytesOf("0f010000 0800 0100 01020100 0800 0200 00100000");
const GET_INFO = 15;
const NLMSG_ERROR = 2;
const NLM_F_ACK = 4;
const HEADER_BYTES = 16;

/**
 * A kernel with IPVS that carries out everything.
 *
 * @param record is given each datagram that it receives
 */
export function recordingLink(record: (datagram: Uint8Array) => void): Link {
  const replies: Uint8Array[] = [];
  return {
    receiveBufferBytes: 8 * 1024 * 1024,
    send(datagram) {
      record(datagram);
      const bytes = new DataView(
        datagram.buffer,
        datagram.byteOffset,
        datagram.length,
      );
      for (let at = 0; at < datagram.length;) {
        const type = bytes.getUint16(at + 4, true);
        const flags = bytes.getUint16(at + 6, true);
        const sequence = bytes.getUint32(at + 8, true);
        if (type === CONTROLLER)
          replies.push(message(type, sequence, FAMILY_ANSWER));
        else if (type === FAMILY && datagram[at + HEADER_BYTES] === GET_INFO)
          replies.push(message(type, sequence, INFO));
        if (flags & NLM_F_ACK)
          replies.push(message(NLMSG_ERROR, sequence, new Uint8Array(4)));
        at += (bytes.getUint32(at, true) + 3) & ~3;
      }
    },
    receive() {
      const reply = replies.shift();
      if (!reply) throw new Error("nothing was asked");
      return spanOf(reply);
    },
    close: () => undefined,
  };
}

function message(
  type: number,
  sequence: number,
  payload: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + payload.length);
  const bytes = new DataView(message.buffer);
  bytes.setUint32(0, message.length, true);
  bytes.setUint16(4, type, true);
  bytes.setUint32(8, sequence, true);
  message.set(payload, HEADER_BYTES);
  return message;
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/[0-9a-f]{2}/g) ?? [], (byte) =>
    Number.parseInt(byte, 16),
  );
}

/** Bytes in hexadecimal digits, a line. */
export function hexLine(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  return `${digits.join("")}\n`;
}
