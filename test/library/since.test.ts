import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { VERSION } from "../../src/runtime/version.js";

const INDEX = "src/index.ts";

/** The exports of the library by name, each with the version in its `@since` tag. */
function exportsWithVersions(): Map<string, string | undefined> {
  const { config } = ts.readConfigFile("tsconfig.json", (path) =>
    ts.sys.readFile(path),
  ) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ".");
  const program = ts.createProgram([INDEX], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(INDEX);
  const module = source && checker.getSymbolAtLocation(source);
  assert.ok(module);
  return new Map(
    checker.getExportsOfModule(module).map((symbol) => {
      const declared =
        symbol.flags & ts.SymbolFlags.Alias
          ? checker.getAliasedSymbol(symbol)
          : symbol;
      const tag = declared
        .getJsDocTags(checker)
        .find(({ name }) => name === "since");
      return [symbol.name, ts.displayPartsToString(tag?.text)];
    }),
  );
}

test("every export of the library has an @since tag with a released version", () => {
  const versions = exportsWithVersions();
  assert.ok(versions.has("openIpvs"));
  for (const [name, version] of versions)
    assert.ok(
      version === "0.1.0" || version === VERSION,
      `${name}: @since ${version ?? "is missing"}`,
    );
});
