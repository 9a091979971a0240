import { parseAddress, type Address } from "../../../src/ipvs/address.js";
import { TCP, UDP } from "../../../src/ipvs/model.js";
import {
  ACK,
  FIN,
  RST,
  SYN,
  type CapturedPacket,
  type IcmpErrorName,
} from "../../../src/doctor/packets/packet.js";
import {
  SightingsBuilder,
  type PacketSightings,
} from "../../../src/doctor/packets/sightings.js";
import { address } from "../../fixtures/entries.js";

const FLAGS: Readonly<Record<string, number>> = {
  S: SYN,
  ".": ACK,
  F: FIN,
  R: RST,
};

/**
 * What a capture of these packets shows. Each is a line: `SECONDS INTERFACE in|out SOURCE > TARGET FLAGS WORD…`, with the
 * index of the interface and the flags of tcpdump (`S`, `S.`, `.`, `F.`, `R`), or `udp` or `icmp` instead of flags. Words
 * are `fragment first` (or `last`), `seq 1`, `ack 1`, `len 100` (payload), `mss 1460`, `tunnel SOURCE TARGET`; of `icmp`: `too-big MTU` or another error with
 * dashes, and `about SOURCE TARGET` with ports.
 */
export function seen(
  client: string,
  lines: readonly string[],
  given: Partial<PacketSightings> = {},
): PacketSightings {
  const builder = new SightingsBuilder(address(client));
  for (const line of lines) {
    const [seconds = "", device = "", direction = ""] = line.split(" ");
    builder.add(packetOf(line), {
      time: Number(seconds) * 1000,
      device: Number(device),
      direction: direction === "in" ? "in" : "out",
      sender: direction === "in" ? Uint8Array.of(2, 0, 0, 0, 1, 9) : undefined,
    });
  }
  const found = builder.sightings({
    began: 0,
    ended: 10_000,
    skipped: 0,
    lost: 0,
    isFull: false,
  });
  return { ...found, ...given };
}

function packetOf(line: string): CapturedPacket {
  const words = line.split(" ");
  const [, , , source = "", , target = "", flags = ""] = words;
  const after = (word: string, offset = 1) => {
    const at = words.indexOf(word);
    return at < 0 ? undefined : words[at + offset];
  };
  const payload = Number(after("len") ?? 0);
  const outer = after("tunnel");
  const ends = {
    ...endsOf(source, target),
    outer:
      outer === undefined
        ? undefined
        : {
            protocol: 4,
            source: address(outer),
            target: address(after("tunnel", 2) ?? ""),
          },
  };
  const part = after("fragment");
  const fragment =
    part === undefined
      ? undefined
      : {
          // One packet at a time
          id: Math.floor(Number(words[0])),
          isFirst: part === "first",
          isLast: part === "last",
        };
  if (flags === "udp")
    return { ...ends, protocol: UDP, bytes: 28 + payload, fragment };
  if (flags === "icmp") {
    const name = (words[7] ?? "").replaceAll("-", " ") as IcmpErrorName;
    const about = after("about");
    return {
      ...ends,
      protocol: 1,
      bytes: 56,
      error: {
        name,
        mtu: name === "too big" ? Number(words[8]) : undefined,
        about:
          about === undefined
            ? undefined
            : { ...endsOf(about, after("about", 2) ?? ""), protocol: TCP },
      },
    };
  }
  const mss = after("mss");
  return {
    ...ends,
    protocol: TCP,
    bytes: 40 + payload,
    tcp: {
      flags: flags.split("").reduce((sum, one) => sum | (FLAGS[one] ?? 0), 0),
      sequence: Number(after("seq") ?? 0),
      acknowledged: Number(after("ack") ?? 0),
      payloadBytes: payload,
      maximumSegment: mss === undefined ? undefined : Number(mss),
    },
  };
}

function endsOf(source: string, target: string) {
  const from = endOf(source);
  const to = endOf(target);
  return {
    source: from.address,
    sourcePort: from.port,
    target: to.address,
    targetPort: to.port,
  };
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `192.0.2.1` */
function endOf(text: string): { address: Address; port: number } {
  const plain = parseAddress(text);
  if (plain) return { address: plain, port: 0 };
  const at = text.lastIndexOf(":");
  return {
    address: address(text.slice(0, at).replaceAll(/[[\]]/g, "")),
    port: Number(text.slice(at + 1)),
  };
}

/** The lines of a handshake, as they come in and go on: `[…, …]` of interfaces and directions. */
export function repeated(
  times: readonly number[],
  line: (seconds: number) => string | readonly string[],
): string[] {
  return times.flatMap(line);
}
