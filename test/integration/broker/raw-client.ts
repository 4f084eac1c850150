import { connect, type Socket } from 'node:net'
import {
  decodeResponse,
  encodeRequest,
  readCorrelationId,
  type AnyApi,
  type RequestInput,
  type ResponseOf,
} from '../../../packages/millrace/src/protocol/index.ts'

/** A socket and our codec, nothing else: it sends what a test says, and nothing is retried. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket
  /** Sends one request and gives its answer. Several may be under way. */
  ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>
  /** Sends a request that gets no answer. */
  tell<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): void
  write(bytes: Buffer | readonly Buffer[]): void
  /** The next frame that belongs to no `ask`, without its size. */
  frame(): Promise<Buffer>
  /** Correlation ids in the order of the answers. */
  readonly answered: readonly number[]
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>
}

const deadlineMs = 10_000

export function connectRaw(port: number, host = '127.0.0.1'): Promise<RawClient> {
  const socket = connect({ port, host })
  const waiting = new Map<number, (frame: Buffer | Error) => void>()
  const frames: Buffer[] = []
  const readers: ((frame: Buffer | Error) => void)[] = []
  const answered: number[] = []
  let unread: Buffer = Buffer.alloc(0)
  let correlation = 0

  const give = (frame: Buffer): void => {
    const id = readCorrelationId(frame)
    answered.push(id)
    const taker = waiting.get(id)
    waiting.delete(id)
    if (taker) taker(frame)
    else if (readers.length > 0) readers.shift()?.(frame)
    else frames.push(frame)
  }
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
    while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
      const end = 4 + unread.readInt32BE(0)
      give(unread.subarray(4, end))
      unread = unread.subarray(end)
    }
  })
  socket.on('error', () => socket.destroy())
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      const error = new Error('the broker closed the connection')
      for (const taker of waiting.values()) taker(error)
      for (const reader of readers) reader(error)
      waiting.clear()
      resolve()
    })
  })
  const within = <T>(what: string, start: (take: (value: T | Error) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no ${what} in ${deadlineMs} ms`)),
        deadlineMs,
      )
      start((value) => {
        clearTimeout(timer)
        if (value instanceof Error) reject(value)
        else resolve(value)
      })
    })

  const client: RawClient = {
    socket,
    answered,
    closed,
    async ask(api, version, body) {
      const correlationId = ++correlation
      const frame = await within<Buffer>(`answer to ${api.name} ${version}`, (take) => {
        waiting.set(correlationId, take)
        client.write(encodeRequest(api, version, { correlationId, clientId: 'raw' }, body))
      })
      return decodeResponse(api, version, frame)
    },
    tell(api, version, body) {
      const correlationId = ++correlation
      client.write(encodeRequest(api, version, { correlationId, clientId: 'raw' }, body))
    },
    write(bytes) {
      socket.write(Buffer.isBuffer(bytes) ? bytes : Buffer.concat(bytes))
    },
    async frame() {
      const ready = frames.shift()
      return ready ?? within<Buffer>('frame', (take) => readers.push(take))
    },
    async [Symbol.asyncDispose]() {
      socket.destroy()
      await closed
    },
  }
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(client))
    socket.once('error', reject)
  })
}
