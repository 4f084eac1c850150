/** A copy of its own, so that it can be handed over without what lies beside it: buffers share memory with others. */
export function copyBytes(bytes: Uint8Array | null, handedOver: ArrayBuffer[]): Uint8Array | null {
  if (bytes === null) return null
  const copy = new Uint8Array(bytes)
  handedOver.push(copy.buffer)
  return copy
}

export function asBuffer(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
