import { COMMANDS } from "../grammar/options.js";
import { nearest } from "../text/nearest.js";
import type { SubcommandSpec } from "./spec.js";

/*
 * What a user who knows other programs means by a word. It comes before similar spellings: `get` is similar to --set, but
 * a user who wants to read must not be told how to write.
 */
const MEANINGS: Readonly<Record<string, readonly string[]>> = {
  list: [
    "cat",
    "describe",
    "dir",
    "display",
    "dump",
    "get",
    "info",
    "print",
    "query",
    "read",
    "servers",
    "services",
    "table",
    "view",
  ],
  watch: ["follow", "live", "rate", "rates", "tail"],
  monitor: ["changes", "events", "log"],
  serve: ["dashboard", "http", "page", "ui", "web"],
  status: ["health", "state", "stat", "stats", "version"],
  connections: ["conn", "conns", "flows", "sessions"],
  check: ["lint", "test", "validate", "verify"],
  diff: ["compare", "plan", "preview"],
  apply: ["deploy", "reload", "sync", "update"],
  save: ["backup", "export", "snapshot", "write"],
  restore: ["import", "load", "rollback"],
  drain: ["disable", "evict", "quiesce"],
  undrain: ["enable", "resume"],
  doctor: ["debug", "diagnose", "troubleshoot", "why"],
  metrics: ["exporter", "prometheus"],
  help: ["man", "usage"],
  "--add-service": ["add", "create", "new"],
  "--edit-service": ["change", "edit", "modify", "set"],
  "--delete-service": ["del", "delete", "remove", "rm"],
  "--clear": ["flush", "reset"],
};

/**
 * The subcommand or classic option that the user probably meant: by the meaning of the word, or by its spelling. A classic
 * option must begin with the same letter: some have short names that are similar to many words.
 *
 * @returns a command, such as `'ipvsadm list'`
 */
export function suggestSubcommand(
  name: string,
  specs: readonly SubcommandSpec[],
): string | undefined {
  const word = name.toLowerCase();
  const meant = Object.entries(MEANINGS).find(([, words]) =>
    words.includes(word),
  );
  const similar =
    meant?.[0] ??
    nearest(
      word,
      specs.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])]),
    );
  if (similar !== undefined) return `'ipvsadm ${similar}'`;
  const [first = ""] = word;
  const command = nearest(
    word,
    COMMANDS.map(({ long }) => long).filter((long) => long.startsWith(first)),
  );
  return command === undefined ? undefined : `'ipvsadm --${command}'`;
}
