import console from "node:console";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";

/*
 * npm-readme.js FOLDER: prints README.md for the npm package whose files are in FOLDER. The package does not contain the
 * documents, so links to them become plain text, and pictures go.
 */

const [folder = ""] = process.argv.slice(2);

function leadsNowhere(target) {
  if (/^([a-z]+:|#)/.test(target)) return false;
  return !existsSync(`${folder}/${target.replace(/#.*/, "")}`);
}

console.log(
  readFileSync("README.md", "utf8")
    .replace(/!\[[^\]]*\]\(([^)]*)\)\n*/g, (whole, target) =>
      leadsNowhere(target) ? "" : whole,
    )
    .replace(/^\[[^\]]*\]\(([^)]*)\)\n\n/gm, (whole, target) =>
      leadsNowhere(target) ? "" : whole,
    )
    .replace(/(?<!!)\[([^\]]*)\]\(([^)]*)\)/g, (whole, text, target) =>
      leadsNowhere(target) ? text : whole,
    )
    .trimEnd(),
);
