import console from "node:console";
import process from "node:process";
import { readFileSync } from "node:fs";
import { bun, licenseText, npmPackages, quickjs } from "./components.js";

/* print-copyright.js NAME: prints the file `copyright` of a Debian package, with the license of each part in it. */

const RULE = "-".repeat(72);

/** Where Debian keeps the texts of licenses that many packages have. */
const COMMON = {
  "Apache-2.0": "/usr/share/common-licenses/Apache-2.0",
  "(Apache-2.0 AND BSD-3-Clause)": "/usr/share/common-licenses/Apache-2.0",
};

function print(title, text) {
  console.log(`${RULE}\n${title}\n${RULE}\n\n${text}\n`);
}

/** Notices that are in the source code of a package, at the beginning of a file. */
const NOTICES = {
  "@bufbuild/protobuf": "dist/esm/wire/varint.js",
};

function noticeOf({ name, folder }) {
  const file = NOTICES[name];
  if (file === undefined) return "";
  const lines = readFileSync(`${folder}/${file}`, "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  if (end <= 0) throw new Error(`${name}: no notice in ${file}`);
  return `\n\nThe file ${file}:\n\n${lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n")}`;
}

function printNpmPackages() {
  for (const part of npmPackages().filter(({ development }) => !development)) {
    const common = COMMON[part.license];
    print(
      `${part.name} ${part.version}: ${part.license}`,
      common === undefined
        ? (licenseText(part) ?? `License: ${part.license}`)
        : `On Debian systems the text of Apache-2.0 is in ${common}.${noticeOf(part)}`,
    );
  }
}

function printQuickjs() {
  const { version, text } = quickjs();
  print(`QuickJS ${version}`, text);
  print(
    "GNU C Library",
    `The light program is linked statically with the GNU C Library, which is
distributed under the GNU Lesser General Public License, version 2.1 or later.
On Debian systems the text of the license is in
/usr/share/common-licenses/LGPL-2.1. The source code of this program and the
script that links it are in its repository: bin/build-light.`,
  );
}

function printBun() {
  const { version } = bun();
  print(
    `Bun ${version}: MIT`,
    `Bun contains JavaScriptCore and WebKit, which are distributed under the GNU
Library General Public License, version 2, and other libraries, each under its
own license. On Debian systems the text is in
/usr/share/common-licenses/LGPL-2. The package bun of the npm registry names
the source code and all licenses.`,
  );
}

const PARTS = {
  ipvsadm: [],
  "ipvsadm-lvs": [printQuickjs],
  "ipvsadm-lvs-full": [printNpmPackages],
  "ipvsadm-lvs-runtime": [printNpmPackages, printBun],
};

const [name = ""] = process.argv.slice(2);
const parts = PARTS[name];
if (parts === undefined) throw new Error(`no package ${name}`);
console.log(
  `This package was made from the sources of ipvsadm.\n\n${readFileSync("LICENSE", "utf8")}`,
);
if (parts.length > 0) console.log("It contains parts of others:\n");
for (const part of parts) part();
