import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { allPages, readPage, resolveLink } from "./markdown.js";

/** The links of a page that lead nowhere, each with its line and what is missing. */
function brokenLinks(page: string, root = "."): string[] {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  return readPage(read(page)).links.flatMap(({ line, value }) => {
    const target = resolveLink(page, value);
    if (target === undefined) return [];
    const { path, anchor } = target;
    const found = path.startsWith("..")
      ? undefined
      : statSync(join(root, path), { throwIfNoEntry: false });
    if (!found) return [`${page}:${line}: ${value}: no such file`];
    if (anchor === "" || !path.endsWith(".md")) return [];
    return readPage(read(path)).anchors.has(anchor)
      ? []
      : [`${page}:${line}: ${value}: no such anchor`];
  });
}

suite("links of the documents", () => {
  for (const page of allPages())
    test(`${page} has no link that leads nowhere`, () => {
      assert.deepEqual(brokenLinks(page), []);
    });

  test("every page below docs can be reached from docs/index.md", () => {
    const reached = new Set<string>();
    const visit = (page: string): void => {
      if (reached.has(page)) return;
      reached.add(page);
      for (const { value } of readPage(readFileSync(page, "utf8")).links) {
        const path = resolveLink(page, value)?.path;
        if (path?.endsWith(".md") && statSync(path, { throwIfNoEntry: false }))
          visit(path);
      }
    };
    visit("docs/index.md");
    const pages = allPages().filter((page) => page.startsWith("docs/"));
    assert.deepEqual(
      pages.filter((page) => !reached.has(page)),
      [],
    );
  });

  test("a missing file, a missing anchor and a way out of the project are found", () => {
    const root = mkdtempSync(join(tmpdir(), "ipvsadm-links."));
    try {
      mkdirSync(join(root, "docs"));
      writeFileSync(
        join(root, "docs/a.md"),
        "# A `-t` & more\n\n[1](b.md) [2](c.md)\n\n![3](b.png) [4](#a--t--more) [5](#b)\n" +
          '[6](b.md#two-1) [7](b.md#three) <a href="d.md">8</a> [9](../../e.md) [10](https://example.com/x)\n\n' +
          "```text\n[no](link.md)\n```\n\n[11][name]\n\n[name]: f.md\n",
      );
      writeFileSync(join(root, "docs/b.md"), "## Two\n## Two\n");
      assert.deepEqual(brokenLinks("docs/a.md", root), [
        "docs/a.md:3: c.md: no such file",
        "docs/a.md:5: b.png: no such file",
        "docs/a.md:5: #b: no such anchor",
        "docs/a.md:5: b.md#three: no such anchor",
        "docs/a.md:5: d.md: no such file",
        "docs/a.md:5: ../../e.md: no such file",
        "docs/a.md:12: f.md: no such file",
      ]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
