import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A program that the documents show, and what they say that it prints. */
export interface Example {
  /** For a test and a file: the document and the place in it */
  readonly name: string;
  readonly code: string;
  /** Undefined where the document says nothing */
  readonly output: string | undefined;
}

/** The section of a document in Markdown under a title, down to the next of its level. @throws if there is none */
export function sectionOf(markdown: string, title: string): string {
  const [, section] = markdown.split(new RegExp(`^## ${title}$`, "m"));
  if (section === undefined) throw new Error(`there is no section ${title}`);
  return section.split(/^## /m)[0] ?? "";
}

/** The comments of a source that show an example, as the Markdown that they hold. */
export function commentsWithExamples(source: string): string[] {
  return Array.from(source.matchAll(/\/\*\*.*?\*\//gs), ([comment]) =>
    comment.replace(/^ *\/?\*+[ /]?/gm, ""),
  ).filter((comment) => comment.includes("@example"));
}

/** The blocks of TypeScript in a text; a block of text that follows one at once is what it prints. */
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

/** All examples, from the root of the repository, in the order in which they are to be run. */
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
