import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A program shown in a document, and its output. */
export interface Example {
  /** The document and the number of the example, for tests and file names */
  readonly name: string;
  readonly code: string;
  /** undefined if the document shows no output */
  readonly output: string | undefined;
}

/**
 * The section of a Markdown document with a title, up to the next section of that level.
 *
 * @throws if there is none
 */
export function sectionOf(markdown: string, title: string): string {
  const [, section] = markdown.split(new RegExp(`^## ${title}$`, "m"));
  if (section === undefined) throw new Error(`there is no section ${title}`);
  return section.split(/^## /m)[0] ?? "";
}

/** The comments of a source file that contain an example, as Markdown. */
export function commentsWithExamples(source: string): string[] {
  return Array.from(source.matchAll(/\/\*\*.*?\*\//gs), ([comment]) =>
    comment.replace(/^ *\/?\*+[ /]?/gm, ""),
  ).filter((comment) => comment.includes("@example"));
}

/** The TypeScript blocks of a text. A text block directly after one is its output. */
export function examplesIn(name: string, markdown: string): Example[] {
  const blocks = markdown.matchAll(
    /^```ts\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms,
  );
  return Array.from(blocks, ([, code = "", output], i) => ({
    name: `${name}-${i + 1}`,
    code,
    output,
  }));
}

/** All examples, in the order in which they must run. Call it in the root of the repository. */
export function allExamples(): Example[] {
  const page = readFileSync("docs/library.md", "utf8");
  const readme = sectionOf(readFileSync("README.md", "utf8"), "Library");
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort();
  return [
    ...examplesIn("library", page),
    ...sources.flatMap((file) => {
      const comments = commentsWithExamples(
        readFileSync(join("src", file), "utf8"),
      );
      const name = file.replace(/\.ts$/, "").replaceAll("/", "-");
      return examplesIn(name, comments.join("\n"));
    }),
    ...examplesIn("readme", readme),
  ];
}
