// cspell:ignore claer servic
import assert from "node:assert/strict";
import { test } from "node:test";
import { suggestSubcommand } from "../../src/cli/suggest-subcommand.js";
import { SPECS } from "../../src/commands/specs.js";

const suggested = (word: string) => suggestSubcommand(word, SPECS);

/** Commands that change nothing. */
const READS =
  /^'ipvsadm (?:list|watch|status|connections|check|diff|doctor|metrics|help|save|show|ls|top|--list|--version|--help)'$/;

test("suggestSubcommand() never answers a word for reading with a command that writes", () => {
  for (const word of [
    ..."get read view cat dump print display describe query info table servers".split(
      " ",
    ),
    ..."stat stats state health version rates tail follow conn sessions".split(
      " ",
    ),
    ..."lint test validate verify plan compare preview debug diagnose why".split(
      " ",
    ),
    ..."backup export snapshot man usage GET Get sho lst lits".split(" "),
  ])
    assert.match(suggested(word) ?? "none", READS, word);
});

for (const [word, expected] of [
  ["get", "'ipvsadm list'"],
  ["set", "'ipvsadm --edit-service'"],
  ["add", "'ipvsadm --add-service'"],
  ["rm", "'ipvsadm --delete-service'"],
  ["stauts", "'ipvsadm status'"],
  ["lsit", "'ipvsadm list'"],
  ["add-servic", "'ipvsadm --add-service'"],
  ["claer", "'ipvsadm --clear'"],
  ["enable", "'ipvsadm undrain'"],
  ["events", "'ipvsadm monitor'"],
  ["dashboard", "'ipvsadm serve'"],
  ["xyzzy", undefined],
] as const)
  test(`suggestSubcommand() answers ${word} with ${expected ?? "nothing"}`, () => {
    assert.equal(suggested(word), expected);
  });
