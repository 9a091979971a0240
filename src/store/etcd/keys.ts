/** The bytes of a key. */
export function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(key);
}

/** The text of a key. */
export function textOf(key: Uint8Array): string {
  return new TextDecoder().decode(key);
}

/** The first key after all keys that begin with these bytes: the end of a range. */
export function afterPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> {
  const end = Uint8Array.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.slice(0, i + 1);
    }
  }
  return Uint8Array.of(0); // all keys
}
