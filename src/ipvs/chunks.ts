/** For how many services the real servers are asked in one go. */
const SERVICES_AT_A_TIME = 256;

/** Services, some at a time: a long table need not be in memory whole. */
export function* chunksOf<S>(services: readonly S[]): Generator<readonly S[]> {
  for (let at = 0; at < services.length; at += SERVICES_AT_A_TIME)
    yield services.slice(at, at + SERVICES_AT_A_TIME);
}
