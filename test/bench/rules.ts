/**
 * An odd multiplier, so that different numbers stay different in 22 bits: about 2^22 divided by the
 * golden ratio.
 */
const STRIDE = 2_592_231;
const BITS = 22;
const SERVICES_FROM = (10 << 24) >>> 0;
const SERVERS_FROM = SERVICES_FROM + (1 << BITS);

/**
 * Address number `n` of the virtual services: in 10.0.0.0/10, all different, with evenly
 * distributed bytes. The kernel finds a service by a hash of address and port, in which neighboring
 * addresses share a bucket. With addresses that end in the same byte, a bench would measure
 * searches in long lists.
 */
export function serviceAddress(n: number): string {
  return dotted(SERVICES_FROM + scattered(n));
}

/** Address number `n` of the real servers, in 10.64.0.0/10. */
export function serverAddress(n: number): string {
  return dotted(SERVERS_FROM + scattered(n));
}

function scattered(n: number): number {
  return Number(BigInt.asUintN(BITS, BigInt(n + 1) * BigInt(STRIDE)));
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** The rules of a table for `ipvsadm -R`, in the format of `ipvsadm -Sn`. */
export function ruleText(services: number, serversEach: number): string {
  let text = "";
  for (let i = 0; i < services; i++) {
    const service = `-t ${serviceAddress(i)}:${i % 3 === 0 ? 443 : 80}`;
    text += `-A ${service} -s ${i % 2 === 0 ? "wlc" : "rr"}\n`;
    for (let j = 0; j < serversEach; j++) {
      const n = i * serversEach + j;
      text += `-a ${service} -r ${serverAddress(n)}:8080 -m -w ${1 + (n % 100)}\n`;
    }
  }
  return text;
}

/** The number of rules. */
export function ruleCount(services: number, serversEach: number): number {
  return services * (1 + serversEach);
}
