import type { Exchange, Request } from "../netlink/exchange.js";
import { NetworkRefusal } from "./errors.js";

/**
 * All that a dump tells, without what its reader passed over.
 *
 * @param asked what is said of a refusal, behind "cannot"
 * @param request that is answered with a dump
 * @throws {NetworkRefusal}
 */
export async function dump<T>(
  exchange: Exchange,
  asked: string,
  request: Request<T | undefined>,
): Promise<T[]> {
  const [reply] = await exchange([request]);
  if (reply?.kind === "refused") {
    const { errno, explanation } = reply.refusal;
    throw new NetworkRefusal(errno, asked, explanation);
  }
  const entries = reply?.kind === "done" ? reply.entries : [];
  return entries.filter((entry) => entry !== undefined);
}
