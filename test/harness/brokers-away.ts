import { connect as connectTcp, type Socket } from 'node:net'
import type { Dial } from '../../packages/millrace/src/client/index.ts'

export interface BrokersAway {
  /** For `openProducer` or `openClient`. */
  readonly dial: Dial
  /** Every connection breaks, and no new one comes about. */
  readonly goAway: () => void
  readonly comeBack: () => void
}

/** Takes the brokers away from one client, as an outage of the network does; whichever engine it is, it goes on. */
export function brokersAway(): BrokersAway {
  const open = new Set<Socket>()
  let isAway = false
  return {
    dial: ({ host, port }) =>
      new Promise((resolve, reject) => {
        if (isAway) {
          reject(new Error('the brokers are away'))
          return
        }
        const socket = connectTcp({ host, port, noDelay: true })
        open.add(socket)
        socket.once('close', () => open.delete(socket))
        socket.once('error', reject)
        socket.once('connect', () => {
          socket.removeListener('error', reject)
          resolve(socket)
        })
      }),
    goAway() {
      isAway = true
      for (const socket of open) socket.destroy()
    },
    comeBack() {
      isAway = false
    },
  }
}
