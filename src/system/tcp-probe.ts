import { callAfter } from "./event-loop.js";

/** What became of a TCP connection. */
export type ProbeResult = "accepted" | "refused" | "no answer" | "unreachable";

/**
 * Connects to an address and port, and closes the connection at once.
 *
 * @param address as text
 * @param milliseconds how long to wait for an answer
 * @param from the source, an address of this machine; the kernel chooses one if it is absent
 */
export function probeTcp(
  address: string,
  port: number,
  milliseconds: number,
  from?: string,
): Promise<ProbeResult> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: address, port },
      ...(from === undefined ? {} : { localAddress: from }),
    });
    const stop = callAfter(milliseconds, () => {
      end("no answer");
    });
    const end = (result: ProbeResult) => {
      stop();
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => {
      end("accepted");
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      end(RESULTS[code ?? ""] ?? "unreachable");
    });
  });
}

const RESULTS: Readonly<Record<string, ProbeResult>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "no answer",
};
