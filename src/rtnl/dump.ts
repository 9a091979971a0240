import type { Exchange, Request } from "../netlink/exchange.js";
import { NetworkRefusal } from "./errors.js";

/**
 * Runs a dump and returns its entries, without those that the request's reader skipped.
 *
 * @param operation for the error message: "cannot …"
 * @param request expects a dump
 * @throws {NetworkRefusal}
 */
export async function dump<T>(
  exchange: Exchange,
  operation: string,
  request: Request<T | undefined>,
): Promise<T[]> {
  const [reply] = await exchange([request]);
  if (reply?.kind === "refused") {
    const { errno, explanation } = reply.refusal;
    throw new NetworkRefusal(errno, operation, explanation);
  }
  const entries = reply?.kind === "done" ? reply.entries : [];
  return entries.filter((entry) => entry !== undefined);
}
