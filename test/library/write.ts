import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allExamples } from "./examples.js";

/*
 * write.js FOLDER: writes the examples as programs of a project that has the package installed, as somebody
 * has it who begins with it: strict, and with the declarations of the package checked, too.
 */

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("which folder?");

/** Of its own: within ours, its name would mean our sources. */
const PROJECT = { name: "examples", private: true, type: "module" };

const COMPILER = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2022", "esnext.disposable"],
    types: ["node"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    skipLibCheck: false,
  },
  include: ["*.ts"],
};

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "package.json"), JSON.stringify(PROJECT));
writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(COMPILER));
for (const { name, code } of allExamples())
  writeFileSync(join(folder, `${name}.ts`), code);
