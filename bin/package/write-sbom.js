import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { bun, project, quickjs, uuidOf } from "./components.js";

/*
 * write-sbom.js CONTENT FILE…: writes an SBOM beside each FILE, in CycloneDX's JSON format. CONTENT is what the files
 * contain: light, subcommands, runtime or none. SOURCE_DATE_EPOCH is its time.
 */

/** npm lists the packages that the subcommands use. It gives each document a random number and the current time. */
function npmDocument() {
  return JSON.parse(
    execFileSync(
      "npm",
      [
        "sbom",
        "--sbom-format=cyclonedx",
        "--sbom-type=application",
        "--package-lock-only",
        "--omit=dev",
        "--omit=optional",
      ],
      { encoding: "utf8", maxBuffer: 64 << 20 },
    ),
  );
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

function added(content) {
  if (content === "light") {
    const engine = quickjs();
    return [
      component(engine, `pkg:deb/debian/quickjs@${engine.version}?arch=source`),
    ];
  }
  if (content === "runtime") {
    const runtime = bun();
    return [component(runtime, `pkg:npm/bun@${runtime.version}`)];
  }
  return [];
}

function sbom(content, file) {
  const document = npmDocument();
  const own = document.metadata.component;
  const fromNpm = content === "subcommands" || content === "runtime";
  const components = [
    ...(fromNpm ? document.components : []),
    ...added(content),
  ];
  const dependencies = fromNpm
    ? document.dependencies
    : [{ ref: own["bom-ref"], dependsOn: [] }];
  for (const part of added(content)) {
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
