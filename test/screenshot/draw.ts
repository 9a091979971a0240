/** `node draw.js TITLE <CAPTURED >PICTURE.svg`: what `tmux capture-pane -p -e` printed, as a picture. */
import { readFileSync } from "node:fs";
import { svgOf } from "./svg.js";

const [title = "a terminal"] = process.argv.slice(2);
process.stdout.write(svgOf(readFileSync(0, "utf8"), title));
