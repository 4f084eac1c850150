/** What ends a stream that is not Kafka's: named for the person who mixed up ports. */
export interface StrayPeer {
  readonly peer: string
}

/**
 * Cuts the bytes of a connection into frames (int32 size, then that many bytes).
 *
 * - A frame that lies whole in one chunk is a slice of it; one that spans chunks is copied once, when complete.
 *   So memory grows with what has arrived, never with what a length promises.
 * - The first four bytes tell a stranger apart: a TLS alert or handshake (RFC 8446, content types 21 and 22,
 *   version 3.x) and `HTTP`, both of which would read as a huge size.
 */
export class FrameReader {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Calls `onFrame` for each whole frame, without its size. Returns what the peer is when it is not Kafka. */
  read(chunk: Buffer, onFrame: (frame: Buffer) => void): StrayPeer | undefined {
    let bytes = chunk
    if (this.#bytes > 0) {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      const size = this.#pendingSize()
      if (typeof size === 'object') return size
      if (size === undefined || this.#bytes < size + 4) return undefined
      bytes = Buffer.concat(this.#chunks, this.#bytes)
      this.#chunks = []
      this.#bytes = 0
    }
    let position = 0
    while (bytes.length - position >= 4) {
      const size = bytes.readInt32BE(position)
      if (size < 0 || size > this.#maxBytes) return nameStranger(bytes.subarray(position))
      const end = position + 4 + size
      if (end > bytes.length) break
      onFrame(bytes.subarray(position + 4, end))
      position = end
    }
    if (position < bytes.length) {
      this.#chunks.push(bytes.subarray(position))
      this.#bytes = bytes.length - position
    }
    return undefined
  }

  /** The size of the frame that is being collected, once its four bytes are there. */
  #pendingSize(): number | StrayPeer | undefined {
    const first = this.#chunks[0]
    if (first === undefined || this.#bytes < 4) return undefined
    if (first.length < 4) {
      this.#chunks = [Buffer.concat(this.#chunks, this.#bytes)]
      return this.#pendingSize()
    }
    const size = first.readInt32BE(0)
    return size < 0 || size > this.#maxBytes ? nameStranger(first) : size
  }
}

function nameStranger(bytes: Buffer): StrayPeer {
  const type = bytes[0]
  if (bytes[1] === 0x03 && type === 0x15) return { peer: 'a TLS alert: this is a TLS port' }
  if (bytes[1] === 0x03 && type === 0x16) return { peer: 'a TLS handshake: this is a TLS port' }
  if (bytes.toString('latin1', 0, 4) === 'HTTP') return { peer: 'HTTP: this is a web server' }
  return { peer: `a frame of ${bytes.readInt32BE(0)} bytes (${bytes.toString('hex', 0, 8)})` }
}
