/** `node draw.js TITLE <CAPTURED >PICTURE.svg`: draws the output of `tmux capture-pane -p -e`. */
import { readFileSync } from "node:fs";
import { svgOf } from "./svg.js";

const [title = "a terminal"] = process.argv.slice(2);
process.stdout.write(svgOf(readFileSync(0, "utf8"), title));
