import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parse } from "../../src/grammar/parse.js";
import { NO_NAMES } from "../grammar/lookups.js";
import { ours } from "../lab/program.js";
import { allPages, readPage } from "./markdown.js";

/*
 * Each command line of ipvsadm in a page's shell code must be one that the program accepts: options that were renamed
 * or removed are found here.
 */

const SHELL = ["sh", "bash", "console", "shell"];

/** A command of ipvsadm, also behind a prompt, sudo or `ip netns exec HOST`. */
const COMMAND =
  /(?:^|[|&;(] *|\bdo |\bthen )(?:[#$] )?(?:sudo )?(?:ip netns exec \S+ )?ipvsadm +([^\n]*)/gm;

/** A word of the shell, with or without quotes; or what ends a command: a pipe, a redirection, a comment. */
const WORD = /'[^']*'|"[^"]*"|(?:^|\s)#.*|[|&;<>()]|[^\s'"|&;<>()]+/g;

/** The words of each command of ipvsadm; none of those with variables of the shell or left-out parts in them. */
function commandsIn(code: string): string[][] {
  const lines = code.replace(/\\\n\s*/g, " ");
  return Array.from(lines.matchAll(COMMAND), ([, line = ""]) => {
    const all = line.match(WORD) ?? [];
    const end = all.findIndex((word) => /^\s*[#|&;<>()]/.test(word));
    const words = end < 0 ? all : all.slice(0, end);
    return words.map((word) => word.replace(/^(['"])(.*)\1$/, "$2"));
  }).filter((words) => !words.some((word) => /[$…]|\.\.\./.test(word)));
}

/** What the program has against a command line; undefined if nothing. */
async function faultOf(words: readonly string[]): Promise<string | undefined> {
  const [first = ""] = words;
  if (!first.startsWith("-")) {
    // With --help a subcommand looks at its options and does nothing.
    for (const asked of [
      ["help", first],
      [...words, "--help"],
    ]) {
      const { status, stderr } = await ours(asked);
      if (status !== 0) return stderr;
    }
    return undefined;
  }
  try {
    parse(words, NO_NAMES);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

suite("commands of the documents", () => {
  for (const page of allPages())
    test(`${page} shows no command that the program refuses`, async () => {
      const faults: string[] = [];
      const { fences } = readPage(readFileSync(page, "utf8"));
      for (const { line, value } of fences) {
        if (!SHELL.includes(value.info[0] ?? "")) continue;
        for (const words of commandsIn(value.code)) {
          const fault = await faultOf(words);
          if (fault !== undefined)
            faults.push(`line ${line}: ipvsadm ${words.join(" ")}: ${fault}`);
        }
      }
      assert.deepEqual(faults, []);
    });

  test("commands are found behind prompts, in pipes and loops, and over several lines", () => {
    const code = `# ipvsadm -Ln # all
for i in 1 2; do ipvsadm -Z; done | cat
ip netns exec director ipvsadm -A \\
  -t '[2001:db8::1]:80' >/dev/null
ipvsadm-save -n
ipvsadm -a -t $VIP -r …
cat "x" | sudo ipvsadm apply -`;
    assert.deepEqual(commandsIn(code), [
      ["-Ln"],
      ["-Z"],
      ["-A", "-t", "[2001:db8::1]:80"],
      ["apply", "-"],
    ]);
  });

  test("an option that does not exist is found", async () => {
    assert.match(
      (await faultOf(["-A", "-t", "192.0.2.1:80", "-w", "1"])) ?? "",
      /Illegal 'weight'/,
    );
    assert.match((await faultOf(["list", "--nosuch"])) ?? "", /nosuch/);
    assert.match((await faultOf(["nosuch"])) ?? "", /nosuch/);
    assert.equal(await faultOf(["list", "-o", "json"]), undefined);
  });
});
