import { get, type IncomingMessage, type RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import type { Page, Reply } from "./http.js";

/** A first packet may be lost, and is repeated after 1, 3, 7 and 15 seconds. */
const PATIENCE_SECONDS = 30;

/**
 * Makes one request to a server of `http-server.ts`. If no agent keeps the connection, the client has closed it by the
 * time the reply is returned: otherwise a test could delete a service before IPVS has seen that its connection ends.
 */
export async function requestPage(
  url: string,
  options: RequestOptions,
  patienceSeconds = PATIENCE_SECONDS,
): Promise<Reply> {
  try {
    return await ask(url, options, patienceSeconds);
  } catch (error) {
    return failureOf(error as Error, patienceSeconds);
  }
}

async function ask(
  url: string,
  options: RequestOptions,
  patienceSeconds: number,
): Promise<Reply> {
  const signal = AbortSignal.timeout(patienceSeconds * 1000);
  const response = await responseTo(url, { ...options, signal });
  const { socket } = response;
  const body = await text(response);
  if (options.agent === false && !socket.closed)
    await new Promise((resolve) => socket.once("close", resolve));
  if (response.statusCode !== 200)
    return { failure: `status ${response.statusCode ?? 0}` };
  const { server, addressedAs, client } = JSON.parse(body) as Page;
  return { server, addressedAs, client, bytes: body.length };
}

function responseTo(
  url: string,
  options: RequestOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, options, resolve).on("error", reject);
  });
}

function failureOf(
  error: Error & { code?: string },
  patienceSeconds: number,
): Reply {
  const timedOut = error.name === "AbortError" || error.name === "TimeoutError";
  if (timedOut) return { failure: `no answer in ${patienceSeconds} s` };
  return { failure: error.code ?? error.message };
}
