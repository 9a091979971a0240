/* Markdown of the reference pages. */

const RECORDED =
  "<!-- Generated: UPDATE_GOLDEN=1 node --test dist/test/docs/reference.test.js -->";

/** Text for a paragraph or a table cell, with the characters of Markdown escaped. What is between backticks is code. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part, i) =>
      i % 2 === 1
        ? part.replaceAll("|", "\\|")
        : part.replace(/[\\`*_<>[\]|]/g, "\\$&"),
    )
    .join("");
}

export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [titles, titles.map(() => "---"), ...rows].map(line).join("\n");
}

/** A page of these blocks. */
export function page(title: string, ...blocks: readonly string[]): string {
  return `${[`# ${title}`, RECORDED, ...blocks].join("\n\n")}\n`;
}
