import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allExamples } from "./examples.js";

/*
 * write.js FOLDER: writes the examples into a new project that has the package installed. The
 * project's compiler settings are strict, and check the package's declarations, too.
 */

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("which folder?");

/** A separate project: inside this one, "ipvsadm" would mean these sources. */
const PROJECT = { name: "examples", private: true, type: "module" };

const COMPILER = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2022"],
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
