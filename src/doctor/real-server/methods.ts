/** How a director may send requests to a real server: `tunnel` is IP in IP, as of -i. */
export const METHODS = ["direct", "tunnel", "gre", "gue", "masq"] as const;
export type Method = (typeof METHODS)[number];

/** Of these the packets are in a tunnel. */
export type TunnelMethod = Exclude<Method, "direct" | "masq">;

export function isTunnel(method: Method | undefined): method is TunnelMethod {
  return method !== undefined && method !== "direct" && method !== "masq";
}
