import { Buffer } from "node:buffer";
import process from "node:process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { project } from "./components.js";

/*
 * write-image.js FOLDER VERSION ARCHITECTURE=LAYER[,LAYER…]…: writes an image in the OCI image layout, with a manifest for each
 * architecture. The layers are .tar.gz files. SOURCE_DATE_EPOCH is its time.
 */

const TYPES = "application/vnd.oci.image";
const created = new Date(
  Number(process.env["SOURCE_DATE_EPOCH"]) * 1000,
).toISOString();

const sha256 = (bytes) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Writes a blob. @returns its descriptor */
function writeBlob(folder, mediaType, bytes) {
  const digest = sha256(bytes);
  writeFileSync(join(folder, "blobs", digest.replace(":", "/")), bytes);
  return { mediaType, digest, size: bytes.length };
}

function writeJson(folder, type, value) {
  return writeBlob(
    folder,
    `${TYPES}.${type}+json`,
    Buffer.from(JSON.stringify(value)),
  );
}

function writeManifest(folder, version, architecture, files) {
  const layers = files.map((file) => readFileSync(file));
  const labels = {
    "org.opencontainers.image.title": project.name,
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.description": project.description,
    "org.opencontainers.image.licenses": project.license,
    "org.opencontainers.image.created": created,
  };
  const config = writeJson(folder, "config.v1", {
    created,
    architecture,
    os: "linux",
    config: {
      Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: ["/usr/sbin/ipvsadm"],
      Cmd: ["-Ln"],
      WorkingDir: "/",
      Labels: labels,
    },
    rootfs: {
      type: "layers",
      diff_ids: layers.map((layer) => sha256(gunzipSync(layer))),
    },
    history: layers.map(() => ({ created, created_by: "package:image" })),
  });
  const manifest = writeJson(folder, "manifest.v1", {
    schemaVersion: 2,
    mediaType: `${TYPES}.manifest.v1+json`,
    config,
    layers: layers.map((layer) =>
      writeBlob(folder, `${TYPES}.layer.v1.tar+gzip`, layer),
    ),
    annotations: labels,
  });
  return { ...manifest, platform: { architecture, os: "linux" } };
}

const [folder = "", version = "", ...images] = process.argv.slice(2);
mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
const manifests = images.map((image) => {
  const [architecture, files] = image.split("=");
  return writeManifest(folder, version, architecture, files.split(","));
});
const annotations = { "org.opencontainers.image.ref.name": version };
// With one architecture the tag names its manifest; with several, an index of them.
const tagged =
  manifests.length === 1
    ? manifests[0]
    : writeJson(folder, "index.v1", {
        schemaVersion: 2,
        mediaType: `${TYPES}.index.v1+json`,
        manifests,
      });
writeFileSync(
  join(folder, "index.json"),
  JSON.stringify({
    schemaVersion: 2,
    mediaType: `${TYPES}.index.v1+json`,
    manifests: [{ ...tagged, annotations }],
  }),
);
writeFileSync(
  join(folder, "oci-layout"),
  JSON.stringify({ imageLayoutVersion: "1.0.0" }),
);
