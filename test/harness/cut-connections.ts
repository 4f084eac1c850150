import { Duplex } from 'node:stream'
import { connect as connectTcp } from 'node:net'
import type { Dial } from '../../packages/millrace/src/client/index.ts'

export interface Cutter {
  readonly dial: Dial
  /** Connections broken so far. */
  readonly cuts: number
  /** No more cuts from now on. */
  stop(): void
}

/**
 * Breaks a client's connections at random moments: when `chance` says so, an answer that the broker has sent is
 * swallowed and the socket destroyed, which leaves the client not knowing whether its request was done.
 *
 * @param chance - asked once for each piece that comes from a broker
 */
export function cutConnections(chance: () => boolean): Cutter {
  let cuts = 0
  let isOn = true
  return {
    get cuts() {
      return cuts
    },
    stop() {
      isOn = false
    },
    dial: (address) =>
      new Promise((resolve, reject) => {
        const socket = connectTcp({ host: address.host, port: address.port, noDelay: true })
        socket.once('error', reject)
        socket.once('connect', () => {
          socket.removeListener('error', reject)
          const stream = new Duplex({
            write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
            final: (done) => void socket.end(done),
            destroy(error, done) {
              socket.destroy()
              done(error)
            },
            read: () => void socket.resume(),
          })
          socket.on('error', (error) => stream.destroy(error))
          socket.on('close', () => stream.destroy())
          socket.on('data', (chunk: Buffer) => {
            if (isOn && chance()) {
              cuts++
              stream.destroy(new Error('cut by the test'))
            } else if (!stream.push(chunk)) socket.pause()
          })
          socket.on('end', () => stream.push(null))
          resolve(stream)
        })
      }),
  }
}
