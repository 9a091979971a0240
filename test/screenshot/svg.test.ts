import assert from "node:assert/strict";
import { test } from "node:test";
import { svgOf } from "./svg.js";

test("text has its position and color", () => {
  const svg = svgOf("ab  \x1b[31m\x1b[1mcd\x1b[0m e\n\x1b[4mf\x1b[24m", "t");
  assert.match(svg, /<text x="12" y="25.5" textLength="16.8"[^>]*>ab<\/text>/);
  assert.match(
    svg,
    /<text x="45.6" [^>]*fill="#e06c75" font-weight="bold">cd<\/text>/,
  );
  assert.match(svg, /<text [^>]*text-decoration="underline">f<\/text>/);
  assert.match(svg, /height="60"/, "two lines and the margins");
});

test("bars are drawn with their height", () => {
  const heights = Array.from(
    svgOf("▁▄█", "t").matchAll(/width="7.8" height="([0-9.]+)"/g),
    ([, height]) => Number(height),
  );
  assert.deepEqual(heights, [1.8, 7, 14]);
});

test("special characters of SVG are escaped", () => {
  const svg = svgOf("a<b>&", "t < u");
  assert.match(svg, />a&lt;b&gt;&amp;<\/text>/);
  assert.match(svg, /<title>t &lt; u<\/title>/);
});
