/** `node dist/test/docs/draw-guides.js`: draws the pictures of docs/guides again. */
import { writeFileSync } from "node:fs";
import { renderDrawing } from "./drawing.js";
import { GUIDE_DRAWINGS } from "./guide-drawings.js";

for (const [name, drawing] of Object.entries(GUIDE_DRAWINGS))
  writeFileSync(`docs/guides/${name}.svg`, renderDrawing(drawing));
