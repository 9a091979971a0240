import process from "node:process";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import {
  bun,
  debianPart,
  npmPackages,
  project,
  quickjs,
  uuidOf,
} from "./components.js";

/*
 * write-sbom.js CONTENT FILE…: writes an SBOM beside each FILE, in CycloneDX's JSON format. CONTENT is what the files
 * contain: a key of CONTENTS. SOURCE_DATE_EPOCH is its time.
 */

/**
 * npm's document with the packages that users get. `npm sbom --omit=dev` leaves out packages that are also needed for
 * development, so this takes all and chooses.
 */
function npmDocument() {
  const document = JSON.parse(
    execFileSync(
      "npm",
      [
        "sbom",
        "--sbom-format=cyclonedx",
        "--sbom-type=application",
        "--package-lock-only",
      ],
      { encoding: "utf8", maxBuffer: 64 << 20 },
    ),
  );
  const shipped = new Set(
    npmPackages()
      .filter(({ development }) => !development)
      .map(({ name, version }) => `${name}@${version}`),
  );
  const components = document.components.filter((part) =>
    shipped.has(part["bom-ref"]),
  );
  const missing = [...shipped].filter(
    (ref) => !components.some((part) => part["bom-ref"] === ref),
  );
  if (missing.length > 0)
    throw new Error(`npm sbom does not list ${missing.join(", ")}`);
  const known = new Set([...shipped, document.metadata.component["bom-ref"]]);
  const dependencies = document.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: dependsOn.filter((part) => shipped.has(part)),
    }));
  return { ...document, components, dependencies };
}

function component({ name, version, license }, purl) {
  return {
    "bom-ref": purl,
    type: "library",
    name,
    version,
    purl,
    licenses: [{ license: { id: license } }],
  };
}

function lightParts() {
  const engine = quickjs();
  // It is linked statically. getconf prints "glibc 2.36".
  const [name, version] = execFileSync("getconf", ["GNU_LIBC_VERSION"], {
    encoding: "utf8",
  })
    .trim()
    .split(" ");
  return [
    component(engine, `pkg:deb/debian/quickjs@${engine.version}?arch=source`),
    component(
      { name, version, license: "LGPL-2.1-or-later" },
      `pkg:generic/glibc@${version}`,
    ),
  ];
}

function runtimeParts() {
  const runtime = bun();
  return [component(runtime, `pkg:npm/bun@${runtime.version}`)];
}

function debianParts(folder, package_, source, license) {
  const part = debianPart(folder, package_, license);
  return [
    component(part, `pkg:deb/debian/${source}@${part.version}?arch=source`),
  ];
}

const busyboxParts = () =>
  debianParts("busybox", "busybox-static", "busybox", "GPL-2.0-only");
const libcParts = () =>
  debianParts("libc", "libc6", "glibc", "LGPL-2.1-or-later");

/** What each kind of file contains besides this project's own code. */
const CONTENTS = {
  none: { npm: false, parts: () => [] },
  light: { npm: false, parts: lightParts },
  subcommands: { npm: true, parts: () => [] },
  runtime: { npm: true, parts: runtimeParts },
  image: {
    npm: false,
    parts: () => [...lightParts(), ...busyboxParts()],
  },
  "full-image": {
    npm: true,
    parts: () => [
      ...lightParts(),
      ...busyboxParts(),
      ...runtimeParts(),
      ...libcParts(),
    ],
  },
};

function sbom(content, file) {
  const document = npmDocument();
  const own = document.metadata.component;
  const { npm: fromNpm, parts } = CONTENTS[content];
  const added = parts();
  const components = [...(fromNpm ? document.components : []), ...added];
  const dependencies = fromNpm
    ? document.dependencies
    : [{ ref: own["bom-ref"], dependsOn: [] }];
  for (const part of added) {
    dependencies
      .find(({ ref }) => ref === own["bom-ref"])
      .dependsOn.push(part["bom-ref"]);
    dependencies.push({ ref: part["bom-ref"], dependsOn: [] });
  }
  return {
    ...document,
    serialNumber: `urn:uuid:${uuidOf(`${file} ${project.version} ${JSON.stringify(components)}`)}`,
    metadata: {
      ...document.metadata,
      timestamp: new Date(
        Number(process.env["SOURCE_DATE_EPOCH"]) * 1000,
      ).toISOString(),
      component: {
        ...own,
        type: "application",
        name: project.name,
        description: `${file}: ${project.description}`,
      },
    },
    components,
    dependencies,
  };
}

const [content, ...files] = process.argv.slice(2);
for (const file of files)
  writeFileSync(
    `${file}.cdx.json`,
    `${JSON.stringify(sbom(content, basename(file)), null, 2)}\n`,
  );
