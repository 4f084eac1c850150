import { connect as connectTcp, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { BrokerAddress, Dial } from '../../packages/millrace/src/client/index.ts'
import { apiByKey } from '../../packages/millrace/src/protocol/index.ts'

/** What a client asks of the brokers, seen from its own side of the sockets: hand `dial` to `openClient`. */
export interface RequestWatch {
  readonly dial: Dial
  /** How many requests of an API (`Produce`) were sent. */
  readonly sent: (api: string) => number
  /** How many of them have no answer yet. */
  readonly unanswered: (api: string) => number
  /** From now on no answer reaches the client, until `release`. */
  readonly hold: () => void
  readonly release: () => void
  /** Breaks every connection that has answers held back, and loses them. */
  readonly cut: () => void
  /** From now on a connection breaks when it would answer a request of this API; undefined ends that. */
  readonly breakOn: (api: string | undefined) => void
}

interface Line {
  readonly stream: Duplex
  readonly socket: Socket
  readonly held: Buffer[]
}

export function watchRequests(): RequestWatch {
  const sent: string[] = []
  const waiting = new Map<string, string>()
  const lines = new Set<Line>()
  let connections = 0
  let isHeld = false
  let broken: string | undefined

  const open = (address: BrokerAddress): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const id = connections++
      const asked = onFrames((frame) => {
        const api = apiByKey.get(frame.readInt16BE(0))?.name ?? 'unknown'
        sent.push(api)
        waiting.set(`${id}/${frame.readInt32BE(4)}`, api)
      })
      const answered = onFrames((frame) => {
        waiting.delete(`${id}/${frame.readInt32BE(0)}`)
      })
      const socket = connectTcp({ host: address.host, port: address.port, noDelay: true })
      const give = (chunk: Buffer): void => {
        answered(chunk)
        if (!stream.push(chunk)) socket.pause()
      }
      const stream = new Duplex({
        write(chunk: Buffer, _encoding, done) {
          asked(chunk)
          socket.write(chunk, done)
        },
        final: (done) => void socket.end(done),
        destroy(error, done) {
          socket.destroy()
          lines.delete(line)
          done(error)
        },
        read: () => void socket.resume(),
      })
      const line: Line = { stream, socket, held: [] }
      lines.add(line)
      socket.once('error', reject)
      socket.on('error', (error) => stream.destroy(error))
      socket.on('close', () => stream.destroy())
      socket.on('data', (chunk: Buffer) => {
        const isAsked = Array.from(waiting).some(
          ([request, api]) => api === broken && request.startsWith(`${id}/`),
        )
        if (isAsked) stream.destroy(new Error('cut by the test'))
        else if (isHeld) line.held.push(chunk)
        else give(chunk)
      })
      socket.once('connect', () => resolve(stream))
      releases.add(() => line.held.splice(0).forEach(give))
    })
  const releases = new Set<() => void>()

  return {
    dial: open,
    sent: (api) => sent.filter((one) => one === api).length,
    unanswered: (api) => Array.from(waiting.values()).filter((one) => one === api).length,
    hold() {
      isHeld = true
    },
    release() {
      isHeld = false
      for (const release of releases) release()
    },
    cut() {
      isHeld = false
      for (const { stream, held } of lines) {
        if (held.splice(0).length > 0) stream.destroy(new Error('cut by the test'))
      }
    },
    breakOn(api) {
      broken = api
    },
  }
}

/** Calls back with each whole frame, without its size, of a stream that comes in pieces. */
function onFrames(take: (frame: Buffer) => void): (chunk: Buffer) => void {
  let unread: Buffer = Buffer.alloc(0)
  return (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
    while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
      const end = 4 + unread.readInt32BE(0)
      take(unread.subarray(4, end))
      unread = unread.subarray(end)
    }
  }
}
