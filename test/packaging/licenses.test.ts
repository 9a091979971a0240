import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { format } from "prettier";

const PAGE = "docs/reference/licenses.md";

/** Licenses that allow to use a package in this project. */
const ALLOWED =
  /^(0BSD|Apache-2\.0|BSD-[23]-Clause|BlueOak-1\.0\.0|CC BY-SA 4\.0|CC-BY-\d\.0|CC0-1\.0|ISC|MIT|MPL-2\.0|Python-2\.0|WTFPL)$/;
/** Those of packages that users get. */
const SHIPPED =
  /^(Apache-2\.0|BSD-[23]-Clause|ISC|MIT|\(Apache-2\.0 AND BSD-3-Clause\))$/;

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
}

/** The licenses of `(A AND B)`, which all hold. */
function parts(license: string): string[] {
  return license.replace(/^\((.*)\)$/, "$1").split(" AND ");
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
  packages: Record<string, Locked>;
};

suite("licenses of the npm packages", () => {
  test("each allows what the project does with the package", () => {
    const others = Object.entries(packages).filter(
      ([folder, { license = "none", dev = false }]) =>
        folder !== "" &&
        !parts(license).every((part) => (dev ? ALLOWED : SHIPPED).test(part)),
    );
    assert.deepEqual(others, []);
    assert.ok(Object.keys(packages).length > 100);
  });

  test(`${PAGE} is up to date: node bin/package/print-licenses.js`, async () => {
    const printed = execFileSync("node", ["bin/package/print-licenses.js"], {
      encoding: "utf8",
    });
    assert.equal(
      readFileSync(PAGE, "utf8"),
      await format(printed, { parser: "markdown" }),
    );
  });
});
