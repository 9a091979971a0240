/** How a director may send requests to a real server: `tunnel` is IP in IP, as of -i. */
export const METHODS = ["direct", "tunnel", "gre", "masq"] as const;
export type Method = (typeof METHODS)[number];
