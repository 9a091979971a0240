/** How a director sends requests to a real server. `tunnel` is IP in IP, the default of -i. */
export const METHODS = ["direct", "tunnel", "gre", "gue", "masq"] as const;
export type Method = (typeof METHODS)[number];

/** The methods that use a tunnel */
export type TunnelMethod = Exclude<Method, "direct" | "masq">;

export function isTunnel(method: Method | undefined): method is TunnelMethod {
  return method !== undefined && method !== "direct" && method !== "masq";
}
