import console from "node:console";
import { bun, npmPackages } from "./components.js";

/* print-licenses.js: prints docs/reference/licenses.md, the licenses of all npm packages of package-lock.json. */

function table(packages) {
  const rows = packages.map(
    ({ name, version, license }) => `| ${name} | ${version} | ${license} |`,
  );
  return [
    "| package | version | license |",
    "| --- | --- | --- |",
    ...new Set(rows),
  ].join("\n");
}

const all = npmPackages();
const shipped = all.filter(({ development }) => !development);
console.log(`# Licenses

ipvsadm has the [MIT license](../../LICENSE). This page lists the licenses of what it uses, as package-lock.json names them.
\`node bin/package/print-licenses.js\` prints it. Each Debian and RPM package contains the texts of the licenses of its parts.

## In the light program

| part | license |
| --- | --- |
| QuickJS, from Debian's package libquickjs | MIT |
| GNU C Library, linked statically | LGPL-2.1-or-later |

## In the npm package, the subcommands and the full program

${table(shipped)}

The full program also contains Bun ${bun().version}: MIT, with JavaScriptCore under LGPL-2.0 and other libraries.

## In the container images

| part | license |
| --- | --- |
| BusyBox, from Debian's package busybox-static | GPL-2.0 |
| GNU C Library, from Debian's package libc6, in the image with subcommands | LGPL-2.1-or-later |

## Only for building and testing

${table(all.filter(({ development }) => development))}`);
