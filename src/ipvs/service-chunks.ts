/** Number of services whose servers are read in one batch of requests. */
const SERVICES_AT_A_TIME = 256;

/** Splits services into chunks, so that a long table does not need to be in memory as a whole. */
export function* serviceChunks<S>(
  services: readonly S[],
): Generator<readonly S[]> {
  for (let at = 0; at < services.length; at += SERVICES_AT_A_TIME)
    yield services.slice(at, at + SERVICES_AT_A_TIME);
}
