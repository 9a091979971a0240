import { callAfter } from "./event-loop.js";

/** What became of a datagram. */
export type UdpProbeResult =
  "answered" | "refused" | "no answer" | "unreachable";

/** A socket hears of a refusal when it sends again. */
const SECOND_AFTER_MILLISECONDS = 100;

/**
 * Sends an empty datagram to an address and port, and a second one soon after it. Programs rarely answer an empty datagram,
 * so only a refusal (ICMP port unreachable) or an answer says something.
 *
 * @param address as text
 * @param milliseconds how long to wait for a refusal or an answer
 * @param from the source, an address of this machine; the kernel chooses one if it is absent
 */
export function probeUdp(
  address: string,
  port: number,
  milliseconds: number,
  from?: string,
): Promise<UdpProbeResult> {
  const { createSocket } = process.getBuiltinModule("node:dgram");
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let ended = false;
    const end = (result: UdpProbeResult) => {
      if (ended) return;
      ended = true;
      stop();
      clearTimeout(second);
      socket.close();
      resolve(result);
    };
    const fail = (error: Error | null) => {
      if (error) end(resultOf(error));
    };
    const send = () => {
      if (!ended) socket.send(new Uint8Array(0), fail);
    };
    const stop = callAfter(milliseconds, () => {
      end("no answer");
    });
    let second: NodeJS.Timeout | undefined;
    socket.once("message", () => {
      end("answered");
    });
    socket.on("error", fail);
    socket.once("connect", () => {
      send();
      second = setTimeout(send, SECOND_AFTER_MILLISECONDS);
    });
    try {
      if (from === undefined) socket.connect(port, address);
      else
        socket.bind({ address: from, port: 0 }, () => {
          if (!ended) socket.connect(port, address);
        });
    } catch (error) {
      fail(error as Error);
    }
  });
}

function resultOf(error: NodeJS.ErrnoException): UdpProbeResult {
  return error.code === "ECONNREFUSED" ? "refused" : "unreachable";
}
