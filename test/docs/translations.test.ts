import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import MarkdownIt from "markdown-it";

/*
 * A translated page has the code blocks of its original: the same commands, which run on the original, and the same
 * output. UPDATE_GOLDEN=1 node --test dist/test/docs/translations.test.js copies them from the originals.
 */

const CHINESE = "docs/zh-CN";

/** Translated pages, and their originals. */
const TRANSLATIONS: Readonly<Record<string, string>> = {
  "README.zh-CN.md": "README.md",
  [`${CHINESE}/quick-start.md`]: "docs/quick-start.md",
  [`${CHINESE}/nat.md`]: "docs/guides/nat.md",
  [`${CHINESE}/direct-routing.md`]: "docs/guides/direct-routing.md",
  [`${CHINESE}/tunneling.md`]: "docs/guides/tunneling.md",
  [`${CHINESE}/full-nat.md`]: "docs/guides/full-nat.md",
};

interface CodeBlock {
  /** The first line, from 0, and the line after the last one */
  readonly lines: readonly [number, number];
  readonly text: string;
}

/** The code blocks of a page, fenced or indented, each with its fence. */
function codeBlocks(markdown: string): CodeBlock[] {
  const lines = markdown.split("\n");
  return new MarkdownIt().parse(markdown, {}).flatMap(({ type, map }) => {
    if (!map || (type !== "fence" && type !== "code_block")) return [];
    const text = lines.slice(...map).join("\n");
    return [{ lines: map, text: text.trimEnd() }];
  });
}

/** A translation with the code blocks of its original in the places of its own. */
function withBlocksOf(original: string, translation: string): string {
  const wanted = codeBlocks(original);
  const lines = translation.split("\n");
  for (const [i, block] of [...codeBlocks(translation).entries()].reverse()) {
    const [start, end] = block.lines;
    const blanks = lines.slice(start, end).join("\n").endsWith("\n");
    const text = wanted[i]?.text ?? block.text;
    lines.splice(start, end - start, text, ...(blanks ? [""] : []));
  }
  return lines.join("\n");
}

function textsOf(markdown: string): string[] {
  return codeBlocks(markdown).map(({ text }) => text);
}

suite("translations", () => {
  for (const [page, original] of Object.entries(TRANSLATIONS))
    test(`${page} has the code blocks of ${original}`, () => {
      const source = readFileSync(original, "utf8");
      if (process.env["UPDATE_GOLDEN"])
        writeFileSync(page, withBlocksOf(source, readFileSync(page, "utf8")));
      assert.deepEqual(textsOf(readFileSync(page, "utf8")), textsOf(source));
    });

  test("codeBlocks() finds fenced and indented blocks, and tells different fences apart", () => {
    assert.deepEqual(
      textsOf("a\n\n    one\n    two\n\nb\n\n```sh lab\nthree\n```\n"),
      ["    one\n    two", "```sh lab\nthree\n```"],
    );
  });

  test("withBlocksOf() replaces code blocks and nothing else", () => {
    const original = "x\n\n    one\n\ny\n\n```sh lab\ntwo\nthree\n```\n\nz\n";
    const translation = "甲\n\n    eins\n\n乙\n\n```sh\nzwei\n```\n\n丙\n";
    assert.equal(
      withBlocksOf(original, translation),
      "甲\n\n    one\n\n乙\n\n```sh lab\ntwo\nthree\n```\n\n丙\n",
    );
  });
});
