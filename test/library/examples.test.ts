import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allExamples,
  commentsWithExamples,
  examplesIn,
  sectionOf,
} from "./examples.js";

test("sectionOf() returns the text up to the next section of the same level", () => {
  const text = "# T\n## One\n1\n### Sub\n2\n## Two\n3\n";
  assert.equal(sectionOf(text, "One"), "\n1\n### Sub\n2\n");
  assert.equal(sectionOf(text, "Two"), "\n3\n");
  assert.throws(() => sectionOf(text, "Three"), /no section Three/);
});

test("examplesIn() returns TypeScript blocks, each with the text block after it as output", () => {
  const text =
    "```ts\na();\nb();\n```\n\n```text\n1\n2\n```\n\n```ts\nc();\n```\n\nBut:\n\n```text\n3\n```\n```sh\nls\n```\n";
  assert.deepEqual(examplesIn("x", text), [
    { name: "x-1", code: "a();\nb();\n", output: "1\n2\n" },
    { name: "x-2", code: "c();\n", output: undefined },
  ]);
});

test("commentsWithExamples() finds examples in comments", () => {
  const source =
    "/** None. */\nlet a;\n  /**\n   * One.\n   *\n   * @example\n   * ```ts\n   * f(\n   *   1);\n   * ```\n   */\n";
  const [comment = "", ...others] = commentsWithExamples(source);
  assert.deepEqual(others, []);
  assert.deepEqual(examplesIn("x", comment), [
    { name: "x-1", code: "f(\n  1);\n", output: undefined },
  ]);
});

test("every example has an output and imports the package by its name", () => {
  const examples = allExamples();
  const documents = examples.map(({ name }) => name.replace(/-[0-9]+$/, ""));
  assert.ok(documents.filter((name) => name === "library").length >= 5);
  assert.ok(documents.includes("readme"));
  assert.ok(documents.includes("library-open"));
  for (const { name, code, output } of examples) {
    assert.ok(output, name);
    assert.match(code, /from "ipvsadm"/, name);
  }
});
