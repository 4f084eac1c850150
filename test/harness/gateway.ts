import { connect, type Socket } from 'node:net'
import { openClient, type Client } from '../../packages/millrace/src/client/index.ts'
import {
  startGateway,
  type Gateway,
  type StartGatewayOptions,
} from '../../packages/millrace/src/gateway/index.ts'
import { openEngine, type Engine } from './engine.ts'
import { until } from './until.ts'

/** A gateway in front of the engine under test, and a client of ours to look behind it. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly broker: Engine
  readonly client: Client
  /** Opens a raw connection; closed with the gateway. */
  dial(): Promise<RawConnection>
  createTopic(name: string, partitions?: number): Promise<void>
}

export async function startTestGateway(
  options: Partial<StartGatewayOptions> = {},
): Promise<TestGateway> {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await openEngine())
  const client = stack.use(openClient({ brokers: [broker.address], clientId: 'test' }))
  const created: string[] = []
  if (broker.name === 'kafka') {
    if (!isCleared) await clear(client)
    isCleared = true
    // The next gateway of this file begins with nothing, as it does on a broker of its own.
    stack.defer(async () => {
      await client.admin.deleteTopics(created)
      const groups = await client.admin.listGroups()
      // Those with members are of a gateway that still runs.
      await client.admin.deleteGroups(groups.map(({ groupId }) => groupId))
    })
  }
  const gateway = stack.use(await startGateway({ brokers: [broker.address], port: 0, ...options }))
  const connections = new Set<RawConnection>()
  stack.defer(() => {
    for (const one of connections) one.close()
  })
  const owned = stack.move()
  return {
    gateway,
    broker,
    client,
    async dial() {
      const connection = await dial(gateway.port)
      connections.add(connection)
      return connection
    },
    async createTopic(name, partitions = 1) {
      const [made] = await client.admin.createTopics([{ name, partitions }])
      if (made?.error) throw made.error
      created.push(name)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Once a file. */
let isCleared = false

/** Tests name topics and groups in their bytes; an Apache Kafka still has those of the file before. */
async function clear({ admin }: Client): Promise<void> {
  const own = async (): Promise<string[]> =>
    (await admin.describeTopics()).filter((one) => !one.isInternal).map(({ name }) => name)
  await until('every member has left', async () => {
    const groups = await admin.listGroups()
    const results = await admin.deleteGroups(groups.map(({ groupId }) => groupId))
    return results.every(({ error }) => error === undefined)
  })
  await admin.deleteTopics(await own())
  await until('no topic is left', async () => (await own()).length === 0)
}

/** One connection that speaks bytes. Replies are the exact text that came (latin1), with CR LF as it is. */
export class RawConnection {
  readonly socket: Socket
  #bytes = Buffer.alloc(0)
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
    socket.on('end', () => {
      this.#isEnded = true
      this.#wake?.()
    })
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
  }

  /** Sends words as an array of bulks and gives the reply. */
  command(...words: readonly (string | Buffer | null)[]): Promise<string> {
    this.write(encode(words))
    return this.reply()
  }

  /** Sends bytes as they are and gives the first reply. */
  ask(text: string | Buffer): Promise<string> {
    this.write(text)
    return this.reply()
  }

  /** The next whole reply. @throws when none comes within the time, or the connection ends before */
  async reply(timeoutMs = 10_000): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const end = replyEnd(this.#bytes, 0)
      if (end !== undefined) {
        const text = this.#bytes.toString('latin1', 0, end)
        this.#bytes = this.#bytes.subarray(end)
        return text
      }
      if (this.#isEnded)
        throw new Error(
          `the connection ended after ${JSON.stringify(this.#bytes.toString('latin1'))}`,
        )
      await this.#change(deadline - performance.now())
    }
  }

  /** All that still comes until the gateway closes. */
  async rest(timeoutMs = 10_000): Promise<string> {
    const deadline = performance.now() + timeoutMs
    while (!this.#isEnded) await this.#change(deadline - performance.now())
    const text = this.#bytes.toString('latin1')
    this.#bytes = Buffer.alloc(0)
    return text
  }

  /** Ends our side and keeps reading. */
  end(): void {
    this.socket.end()
  }

  close(): void {
    this.socket.destroy()
  }

  async #change(leftMs: number): Promise<void> {
    if (leftMs <= 0)
      throw new Error(`nothing came; so far ${JSON.stringify(this.#bytes.toString('latin1'))}`)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
    })
  }
}

export async function dial(port: number, host = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port, host, allowHalfOpen: true })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return new RawConnection(socket)
}

/** Words as an array of bulks; null as a null bulk. */
export function encode(words: readonly (string | Buffer | null)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    if (word === null) {
      parts.push(Buffer.from('$-1\r\n'))
      continue
    }
    const bytes = Buffer.from(word)
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}

/** A bulk as it stands in a reply. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}

/** Where the reply that begins at `at` ends; undefined: it is not whole. Takes RESP2 and RESP3. */
export function replyEnd(bytes: Buffer, at: number): number | undefined {
  const line = bytes.indexOf('\r\n', at)
  if (line < 0) return undefined
  const type = String.fromCharCode(bytes[at] ?? 0)
  const count = Number(bytes.toString('latin1', at + 1, line))
  const after = line + 2
  switch (type) {
    case '+':
    case '-':
    case ':':
    case '_':
    case ',':
    case '#':
      return after
    case '$':
    case '=':
    case '!':
      if (count < 0) return after
      return bytes.length >= after + count + 2 ? after + count + 2 : undefined
    case '*':
    case '>':
    case '~':
    case '%': {
      let end: number | undefined = after
      const items = type === '%' ? count * 2 : count
      for (let item = 0; item < items && end !== undefined; item++) end = replyEnd(bytes, end)
      return end
    }
    default:
      throw new Error(`no reply of RESP begins with ${JSON.stringify(type)}`)
  }
}
