import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/*
 * What the packages contain besides this project's own code: npm packages from package-lock.json, QuickJS and the C library in
 * the light program, Bun in the full one.
 */

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));

export const project = JSON.parse(readFileSync("package.json", "utf8"));

/** Packages that are only needed to build the page of `serve`, and are then a part of it. */
const BUNDLED = ["uplot"];

/** The npm packages of package-lock.json. Each has name, version, license, folder and `development`. */
export function npmPackages() {
  return Object.entries(lock.packages)
    .filter(([folder]) => folder !== "")
    .map(
      ([folder, { version, license, dev = false, devOptional = false }]) => ({
        name: folder.slice(folder.lastIndexOf("node_modules/") + 13),
        version,
        license,
        folder,
        development:
          (dev || devOptional) &&
          !BUNDLED.some((name) => folder === `node_modules/${name}`),
      }),
    )
    .sort((one, other) =>
      one.folder < other.folder ? -1 : one.folder > other.folder ? 1 : 0,
    );
}

/** The text of a package's license file. */
export function licenseText({ folder }) {
  const file = readdirSync(folder).find((name) =>
    /^(license|copying)/i.test(name),
  );
  return file === undefined
    ? undefined
    : readFileSync(`${folder}/${file}`, "utf8").trim();
}

/** Bun, of the version that package-lock.json names. */
export function bun() {
  return npmPackages().find(({ folder }) => folder === "node_modules/bun");
}

/** The version of the Debian source package from which an unpacked package was made. */
function debianVersion(documents) {
  const changelog = gunzipSync(
    readFileSync(`${documents}/changelog.Debian.gz`),
  ).toString();
  return /\(([^)]+)\)/.exec(changelog)?.[1];
}

function firstFolder(candidates) {
  const found = candidates.find((folder) => existsSync(`${folder}/copyright`));
  if (found === undefined)
    throw new Error(`build the programs first: there is no ${candidates[0]}`);
  return found;
}

/** QuickJS: the version of Debian's package and its license. */
export function quickjs() {
  const documents = firstFolder([
    "dist/light/quickjs-x64/usr/share/doc/libquickjs",
    "dist/light/quickjs-arm64/usr/share/doc/libquickjs",
    "/usr/share/doc/libquickjs",
  ]);
  return {
    name: "quickjs",
    version: debianVersion(documents),
    license: "MIT",
    text: readFileSync(`${documents}/copyright`, "utf8").trim(),
  };
}

/** What the container images have from Debian. */
export function debianPart(folder, package_, license) {
  const documents = firstFolder(
    ["amd64", "arm64"].map(
      (architecture) =>
        `dist/image-parts/${folder}-${architecture}/usr/share/doc/${package_}`,
    ),
  );
  return { name: folder, version: debianVersion(documents), license };
}

/** A UUID that depends only on a text, so that the same input gives the same file. */
export function uuidOf(text) {
  const digits = createHash("sha256").update(text).digest("hex");
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
