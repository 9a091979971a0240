import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Failure } from "../lab/http.js";
import type { Call } from "./caller.js";

/** The reply of `datagram-server.ts` to a datagram. */
export interface DatagramPage {
  readonly server: string;
  readonly addressedAs: string;
  readonly client: string;
}

export interface DatagramAnswer extends DatagramPage {
  /** The source of the reply, as the client sees it. */
  readonly source: string;
}

export type DatagramReply = DatagramAnswer | Failure;

const PATIENCE_SECONDS = 30;

/** Sends datagrams from one socket, each after the reply to the previous one. */
export async function exchangeDatagrams(call: Call): Promise<DatagramReply[]> {
  const socket = createSocket("udp4");
  try {
    await once(socket.bind(call.port, call.from), "listening");
    const replies: DatagramReply[] = [];
    while (replies.length < call.count)
      replies.push(await exchangeOne(socket, call));
    return replies;
  } finally {
    socket.close();
  }
}

async function exchangeOne(
  socket: Socket,
  { to, patienceSeconds = PATIENCE_SECONDS }: Call,
): Promise<DatagramReply> {
  const [address, port] = to.split(":");
  const signal = AbortSignal.timeout(patienceSeconds * 1000);
  try {
    const answer = once(socket, "message", { signal });
    socket.send("who are you?", Number(port), address);
    const [message, from] = (await answer) as [Buffer, RemoteInfo];
    const page = JSON.parse(message.toString()) as DatagramPage;
    return { ...page, source: `${from.address}:${from.port}` };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { failure: `no answer in ${patienceSeconds} s` };
  }
}
