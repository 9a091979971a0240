import { callAfter } from "./event-loop.js";

/** What became of a datagram: "too large" if the kernel knows that the way does not carry it. */
export type DatagramResult = "answered" | "no answer" | "too large" | "failed";

/** Sends packets of chosen sizes to one address, and sees whether they are answered. */
export interface SizedDatagrams {
  /**
   * Sends a datagram. One at a time.
   *
   * @param bytes the size of the packet, with its IP header; no smaller than an empty datagram
   * @param milliseconds how long to wait for an answer
   */
  send(bytes: number, milliseconds: number): Promise<DatagramResult>;
  /** How many answers came while none was waited for */
  readonly lateAnswers: number;
  close(): void;
}

/** The headers of IP and UDP */
const HEADER_BYTES = { ipv4: 20 + 8, ipv6: 40 + 8 } as const;

/** The size of the packet of an empty datagram. @param address as text */
export function emptyDatagramBytes(address: string): number {
  return address.includes(":") ? HEADER_BYTES.ipv6 : HEADER_BYTES.ipv4;
}

/**
 * Opens a UDP socket that is connected to a port where no program listens. The machine there answers each datagram with
 * ICMP port unreachable, and the kernel reports that as an error of the socket. Packets no larger than the MTU are not
 * fragmented on the way with IPv4 either: path MTU discovery is the default of sockets, unless net.ipv4.ip_no_pmtu_disc
 * is set.
 *
 * @param address as text
 * @param from the source, an address of this machine; the kernel chooses one if it is absent
 * @returns undefined if the kernel refuses the socket, such as without a route
 */
export function openSizedDatagrams(
  address: string,
  port: number,
  from?: string,
): Promise<SizedDatagrams | undefined> {
  const { createSocket } = process.getBuiltinModule("node:dgram");
  const smallest = emptyDatagramBytes(address);
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  let settle: ((result: DatagramResult) => void) | undefined;
  let lateAnswers = 0;
  const end = (result: DatagramResult) => {
    if (settle) settle(result);
    else if (result === "answered") lateAnswers++;
  };
  const fail = (error: Error | null) => {
    if (error) end(resultOf(error));
  };
  const datagrams: SizedDatagrams = {
    send: (bytes, milliseconds) =>
      new Promise((resolve) => {
        const stop = callAfter(milliseconds, () => {
          settle?.("no answer");
        });
        settle = (result) => {
          stop();
          settle = undefined;
          resolve(result);
        };
        socket.send(new Uint8Array(Math.max(0, bytes - smallest)), fail);
      }),
    get lateAnswers() {
      return lateAnswers;
    },
    close: () => {
      socket.close();
    },
  };
  return new Promise((resolve) => {
    let connected = false;
    const refuse = () => {
      if (connected) return;
      connected = true;
      socket.close();
      resolve(undefined);
    };
    socket.on("error", (error) => {
      if (connected) fail(error);
      else refuse();
    });
    socket.on("message", () => {
      end("answered");
    });
    socket.once("connect", () => {
      connected = true;
      resolve(datagrams);
    });
    try {
      if (from === undefined) socket.connect(port, address);
      else
        socket.bind({ address: from, port: 0 }, () => {
          socket.connect(port, address);
        });
    } catch {
      refuse();
    }
  });
}

function resultOf({ code }: NodeJS.ErrnoException): DatagramResult {
  if (code === "ECONNREFUSED") return "answered";
  return code === "EMSGSIZE" ? "too large" : "failed";
}
