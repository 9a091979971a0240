/** Compresses bytes with gzip. The same bytes give the same result. */
export function gzip(bytes: Uint8Array): Buffer {
  return process.getBuiltinModule("node:zlib").gzipSync(bytes, { level: 9 });
}

/**
 * Decompresses gzip.
 *
 * @param mostBytes of the result: a small input can become very large
 * @returns undefined if it is not gzip, or would be larger
 */
export function gunzip(
  bytes: Uint8Array,
  mostBytes: number,
): Buffer | undefined {
  try {
    return process
      .getBuiltinModule("node:zlib")
      .gunzipSync(bytes, { maxOutputLength: mostBytes });
  } catch {
    return undefined;
  }
}

/** The SHA-256 of bytes, as 64 hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(bytes)
    .digest("hex");
}
