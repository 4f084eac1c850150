/** The streams part on the embedded broker, without a listener: sessions are objects, replies plain values. */
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'
import {
  openClient,
  type Client,
  type SendResult,
} from '../../../packages/millrace/src/client/index.ts'
import type { GatewayPart } from '../../../packages/millrace/src/gateway/command.ts'
import type { GatewayCore } from '../../../packages/millrace/src/gateway/gateway-core.ts'
import type { ProducePart } from '../../../packages/millrace/src/gateway/produce/index.ts'
import {
  Later,
  MapReply,
  nothing,
  nullArray,
  ReplyError,
  Simple,
  type Reply,
} from '../../../packages/millrace/src/gateway/reply.ts'
import type { Right, User } from '../../../packages/millrace/src/gateway/server/users.ts'
import type { Session } from '../../../packages/millrace/src/gateway/session.ts'
import {
  gatewaySettings,
  type GatewayOptions,
} from '../../../packages/millrace/src/gateway/settings.ts'
import { openStreamsPart } from '../../../packages/millrace/src/gateway/streams/index.ts'
import { systemClock, type Clock } from '../../../packages/millrace/src/kit/index.ts'
import { createTopics } from '../../harness/topics.ts'

export interface Streams extends AsyncDisposable {
  readonly client: Client
  readonly part: GatewayPart
  readonly address: string
  createTopics(topics: Readonly<Record<string, number>>): Promise<void>
  connect(options?: SessionOptions): TestSession
  /** Begins to drain. */
  drain(): Promise<void>
}

export interface SessionOptions {
  readonly protocol?: 2 | 3
  readonly may?: (right: Right, on: { readonly topic?: string; readonly group?: string }) => boolean
}

export interface TestSession extends Session {
  readonly pushed: unknown[]
  /** Runs a command; rejects with a ReplyError's text. */
  run(name: string, ...args: (string | Buffer | number)[]): Promise<unknown>
  close(): Promise<void>
}

let sessions = 0

export interface StreamsOptions extends GatewayOptions {
  readonly clock?: Clock
  /** Another gateway on the broker of the first. */
  readonly beside?: Streams
}

export async function openStreams(options: StreamsOptions = {}): Promise<Streams> {
  const { clock = systemClock, beside, ...rest } = options
  const broker = beside ? undefined : await startBroker({ memory: true, host: '127.0.0.1' })
  const address = beside?.address ?? broker!.address
  const clients: Client[] = []
  const open = (clientId: string): Client => {
    const client = openClient({ brokers: [address], clientId })
    clients.push(client)
    return client
  }
  const client = open('gateway')
  let isDraining = false
  const core: GatewayCore = {
    settings: gatewaySettings(rest),
    clock,
    client,
    openClient: open,
    get isDraining() {
      return isDraining
    },
    sessions: new Map(),
  }
  const producer = client.producer()
  const produce: ProducePart = {
    commands: {},
    async send(_session, message): Promise<SendResult> {
      if (client.metadata.peek(message.topic) === undefined) {
        const [found] = await client.admin.describeTopics([message.topic])
        if (found?.error) throw new ReplyError('PROD Local: Unknown topic')
      }
      return producer.send(message)
    },
    failures: () => [],
    recordFailure: () => undefined,
  }
  const part = openStreamsPart(core, produce)

  const connect = ({ protocol = 2, may = () => true }: SessionOptions = {}): TestSession => {
    const id = ++sessions
    const closing = new AbortController()
    const pushed: unknown[] = []
    const user: User = { name: 'tester', isKnown: true, may: (right, on = {}) => may(right, on) }
    const session: TestSession = {
      id,
      address: `127.0.0.1:${id}`,
      name: undefined,
      who: `127.0.0.1:${id}`,
      protocol,
      user,
      lastCommandAtMs: 0,
      isDurable: false,
      wantsMeta: false,
      wantsNotify: false,
      signal: closing.signal,
      pushed,
      send: (reply) => void pushed.push(plain(reply)),
      push: (items) => void pushed.push(plain(items)),
      async run(name, ...args) {
        const handler = part.extensions![name]!
        const bytes = args.map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg))))
        const reply = await handler({ name, spelled: Buffer.from(name), args: bytes }, session)
        return plain(reply instanceof Later ? await reply.reply : reply)
      },
      async close() {
        closing.abort()
        await part.closed!(session)
      },
    }
    return session
  }

  return {
    client,
    part,
    address,
    connect,
    createTopics: (topics) =>
      createTopics(
        client,
        Object.fromEntries(
          Object.entries(topics).map(([name, partitions]) => [name, { partitions }]),
        ),
      ),
    async drain() {
      isDraining = true
      await part.drain!()
    },
    async [Symbol.asyncDispose]() {
      await part.stop!(clock.monotonicMs() + 5000)
      await Promise.all(clients.map((one) => one.close()))
      await broker?.[Symbol.asyncDispose]()
    },
  }
}

/** Texts for bytes, objects for maps, null for both nulls. */
export function plain(reply: Reply): unknown {
  if (Buffer.isBuffer(reply)) return reply.toString()
  if (reply instanceof Simple) return reply.text
  if (reply instanceof ReplyError) return reply
  if (reply instanceof MapReply)
    return Object.fromEntries(reply.entries.map(([key, value]) => [plain(key), plain(value)]))
  if (reply === nullArray) return null
  if (reply === nothing) return undefined
  if (Array.isArray(reply)) return (reply as readonly Reply[]).map(plain)
  return reply
}
