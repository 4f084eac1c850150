import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** What all clients connect through, so that connections can be cut. */
export interface Gate extends AsyncDisposable {
  readonly port: number
  /** Where connections go on to; a broker that is away refuses them. */
  target: number
  /** Destroys the connections that stand, or a random half of them. */
  cut(which: (index: number) => boolean): number
}

export async function openGate(): Promise<Gate> {
  const sockets = new Set<Socket>()
  const gate = { target: 0 }
  const server = createServer((inward) => {
    const outward = connect({ port: gate.target, host: '127.0.0.1' })
    sockets.add(inward)
    const end = (): void => {
      sockets.delete(inward)
      inward.destroy()
      outward.destroy()
    }
    for (const socket of [inward, outward]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    inward.pipe(outward)
    outward.pipe(inward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get target() {
      return gate.target
    },
    set target(port) {
      gate.target = port
    },
    cut(which) {
      const cut = [...sockets].filter((_, index) => which(index))
      for (const socket of cut) socket.destroy()
      return cut.length
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
