import assert from "node:assert/strict";
import { test } from "node:test";
import { decideColor, LOOKS, looksOf, paintFor } from "../../src/cli/color.js";
import { terminal } from "../commands/run-subcommand.js";

test("decideColor() with auto gives colors to a terminal only", () => {
  assert.equal(decideColor("auto", "stdout", terminal(80)), true);
  assert.equal(decideColor("auto", "stdout", terminal(undefined)), false);
});

test("decideColor() with auto respects NO_COLOR and TERM=dumb", () => {
  const without = (variables: Record<string, string>) =>
    decideColor("auto", "stdout", terminal(80, variables));
  assert.equal(without({ NO_COLOR: "1" }), false);
  assert.equal(without({ NO_COLOR: "" }), true);
  assert.equal(without({ TERM: "dumb" }), false);
});

test("decideColor() lets always and never override the environment", () => {
  assert.equal(
    decideColor("always", "stdout", terminal(undefined, { NO_COLOR: "1" })),
    true,
  );
  assert.equal(decideColor("never", "stdout", terminal(80)), false);
});

test("paintFor() returns the text unchanged or between escape sequences", () => {
  assert.equal(paintFor("never", "stdout", terminal(80)).bad("x"), "x");
  assert.equal(
    paintFor("always", "stderr", terminal(undefined)).bad("x"),
    "\x1b[31m\x1b[1mx\x1b[22m\x1b[39m",
  );
});

test("looksOf() takes colors that do not depend on the theme if there are 256", () => {
  for (const [variables, expected] of [
    [{ TERM: "xterm-256color" }, "fixed colors"],
    [{ TERM: "foot", COLORTERM: "truecolor" }, "fixed colors"],
    [{ TERM: "linux" }, "dark theme"],
    [{ TERM: "rxvt", COLORFGBG: "15;0" }, "dark theme"],
    [{ TERM: "rxvt", COLORFGBG: "0;15" }, "light theme"],
    [{ TERM: "konsole", COLORFGBG: "0;default;7" }, "light theme"],
    [{ COLORFGBG: "rubbish" }, "dark theme"],
    [{}, "dark theme"],
  ] as const)
    assert.equal(looksOf(terminal(80, variables)), LOOKS[expected]);
  assert.equal(
    paintFor("always", "stdout", terminal(80, { TERM: "xterm-256color" })).good(
      "x",
    ),
    "\x1b[38;5;29mx\x1b[39m",
  );
});

/** Palettes of usual terminals: the 16 colors of the theme, and the background. */
const PALETTES: readonly {
  readonly name: string;
  readonly theme: "dark theme" | "light theme";
  readonly background: string;
  readonly text: string;
  readonly colors: string;
  /** Bold text gets the bright color */
  readonly boldIsBright?: boolean;
}[] = [
  {
    name: "xterm",
    theme: "dark theme",
    background: "000000",
    text: "e5e5e5",
    colors:
      "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
  },
  {
    name: "xterm on white",
    theme: "light theme",
    background: "ffffff",
    text: "000000",
    colors:
      "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
  },
  {
    name: "the console of Linux",
    theme: "dark theme",
    background: "000000",
    text: "aaaaaa",
    colors:
      "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
    boldIsBright: true,
  },
  {
    name: "Tango",
    theme: "dark theme",
    background: "000000",
    text: "d3d7cf",
    colors:
      "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
  },
  {
    name: "Tango on white",
    theme: "light theme",
    background: "ffffff",
    text: "2e3436",
    colors:
      "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
  },
  {
    name: "Campbell",
    theme: "dark theme",
    background: "0c0c0c",
    text: "cccccc",
    colors:
      "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2",
  },
  {
    name: "Solarized dark",
    theme: "dark theme",
    background: "002b36",
    text: "839496",
    colors:
      "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
  },
  {
    name: "Solarized light",
    theme: "light theme",
    background: "fdf6e3",
    text: "657b83",
    colors:
      "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3",
  },
  {
    name: "One Half Light",
    theme: "light theme",
    background: "fafafa",
    text: "383a42",
    colors:
      "383a42 e45649 50a14f c18301 0184bc a626a4 0997b3 fafafa 4f525d df6c75 98c379 e4c07a 61afef c577dd 56b5c1 ffffff",
  },
];

type Rgb = readonly number[];

const parseRgb = (text: string): Rgb =>
  [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));

/** A color of the palette with 256 colors. The first 16 depend on the theme. */
function rgbOf(color: number, theme: readonly Rgb[]): Rgb {
  if (color < 16) return theme[color] ?? assert.fail();
  if (color >= 232)
    return Array.from({ length: 3 }, () => 8 + (color - 232) * 10);
  const step = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const at = color - 16;
  return [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map(step);
}

/** @see WCAG 2.2, definitions of relative luminance and contrast ratio */
function contrast(a: Rgb, b: Rgb): number {
  const luminance = (rgb: Rgb) => {
    const [r = 0, g = 0, b = 0] = rgb.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort(
    (one, other) => one - other,
  );
  return (light + 0.05) / (dark + 0.05);
}

test("contrast() is that of WCAG's examples", () => {
  const ratio = (a: string, b: string) => contrast(parseRgb(a), parseRgb(b));
  assert.equal(ratio("000000", "ffffff"), 21);
  assert.ok(Math.abs(ratio("777777", "ffffff") - 4.48) < 0.01);
});

/** What WCAG asks of parts of a user interface. The color never is the only sign: the text says the same. */
const LEAST_CONTRAST = 3;
/** How much of its contrast faint text keeps in a terminal. */
const FAINT = 2 / 3;

for (const palette of PALETTES)
  for (const looks of ["fixed colors", palette.theme] as const)
    test(`each style is readable in ${palette.name} with ${looks}`, () => {
      const background = parseRgb(palette.background);
      const theme = palette.colors.split(" ").map(parseRgb);
      for (const [style, { color, bold, dim }] of Object.entries(
        LOOKS[looks],
      )) {
        const bright = palette.boldIsBright && bold && (color ?? 16) < 8;
        const plain =
          color === undefined
            ? parseRgb(palette.text)
            : rgbOf(bright ? color + 8 : color, theme);
        const shown = plain.map((value, i) => {
          const behind = background[i] ?? 0;
          return dim ? behind + (value - behind) * FAINT : value;
        });
        const ratio = contrast(shown, background);
        // Faint text is the theme's own text, so it can have no more than that allows.
        const least = dim
          ? Math.min(LEAST_CONTRAST, contrast(plain, background) / 2)
          : LEAST_CONTRAST;
        assert.ok(ratio >= least, `${style}: ${ratio.toFixed(2)}`);
      }
    });
