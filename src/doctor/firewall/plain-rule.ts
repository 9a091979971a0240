/** A rule that iptables-save prints without quotes, escapes or anything that a shell expands. */
export const PLAIN_RULE = /^[\w ./:,!-]+$/;
