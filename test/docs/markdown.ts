import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import GithubSlugger from "github-slugger";
import MarkdownIt, { type Token } from "markdown-it";

/** What a page has in it that the tests look at. */
export interface Page {
  /** Targets of links and images, as they are written */
  readonly links: readonly Place<string>[];
  /** What a link to this page may have behind `#` */
  readonly anchors: ReadonlySet<string>;
  readonly fences: readonly Place<Fence>[];
}

/** A block of code. */
export interface Fence {
  /** The words behind the opening backquotes: the language comes first */
  readonly info: readonly string[];
  readonly code: string;
}

/** Something with the line that it begins at, counted from 1. */
export type Place<T> = Readonly<{ line: number; value: T }>;

const parser = new MarkdownIt({ html: true, linkify: false });
const HTML_TARGET = /\b(?:href|src)="([^"]*)"/g;
const HTML_ANCHOR = /\b(?:id|name)="([^"]*)"/g;

/** Parses a page of Markdown, as a forge renders it. */
export function readPage(markdown: string): Page {
  const links: Place<string>[] = [];
  const anchors = new Set<string>();
  const fences: Place<Fence>[] = [];
  const slugger = new GithubSlugger();
  const tokens = parser.parse(markdown, {});
  let line = 1;
  for (const [i, token] of tokens.entries()) {
    if (token.map) line = token.map[0] + 1; // a cell of a table is on the line of its row
    if (token.type === "fence")
      fences.push({
        line,
        value: { info: token.info.split(/\s+/), code: token.content },
      });
    if (token.type === "heading_open")
      anchors.add(slugger.slug(textOf(tokens[i + 1])));
    for (const part of [token, ...(token.children ?? [])]) {
      const target = part.attrGet("href") ?? part.attrGet("src");
      if (target !== null) links.push({ line, value: target });
      if (!part.type.startsWith("html_")) continue;
      for (const [, value = ""] of part.content.matchAll(HTML_TARGET))
        links.push({ line, value });
      for (const [, value = ""] of part.content.matchAll(HTML_ANCHOR))
        anchors.add(value);
    }
  }
  return { links, anchors, fences };
}

/** The text of a heading without its markup. */
function textOf(token: Token | undefined): string {
  return (token?.children ?? [])
    .filter(({ type }) => type === "text" || type === "code_inline")
    .map(({ content }) => content)
    .join("");
}

/** Every page of the project, by its path from the root. */
export function allPages(root = "."): string[] {
  const within = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  const atTop = readdirSync(root).filter((name) => name.endsWith(".md"));
  return [...atTop, ...within("docs"), ...within("examples")].sort();
}

/** A link's target as a path from the root and an anchor; undefined for what lies elsewhere, as `https:`. */
export function resolveLink(
  page: string,
  target: string,
): { path: string; anchor: string } | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined;
  const [path = "", anchor = ""] = target.split("#");
  return {
    path: path === "" ? page : join(dirname(page), decodeURI(path)),
    anchor: decodeURIComponent(anchor),
  };
}
