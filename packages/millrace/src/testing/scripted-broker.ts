/**
 * A broker that answers what a test scripts, on real sockets, and records what it was asked.
 *
 * - What is not scripted is answered sensibly: negotiation, metadata of the declared topics, itself
 *   as every coordinator, a group of one member, empty fetches.
 * - Answers leave a connection in the order of its requests, as Kafka's do. A script that returns a
 *   promise keeps back its own answer and those behind it on that connection only.
 * - `disconnect` closes the connection instead of answering, `silence` never answers.
 * - What cannot be decoded closes the connection and stands in `faults`.
 * - **Not done**: TLS, SASL, throttling of reads.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '../kit/index.ts'
import {
  apiByKey,
  apis,
  decodeRequest,
  encodeResponse,
  readRequestHeader,
  type AnyApi,
  type RequestOf,
  type ResponseInput,
} from '../protocol/index.ts'
import { failure } from '../errors/index.ts'
import { defaultAnswers, type ScriptedWorld } from './scripted-answers.ts'

export type ApiName = keyof typeof apis
type ApiNamed<N extends ApiName> = (typeof apis)[N]

/** Returned by a script: close the connection instead of answering. */
export const disconnect: unique symbol = Symbol('disconnect')
/** Returned by a script: never answer this request, but go on with those behind it. */
export const silence: unique symbol = Symbol('silence')

/** Where and when a request arrived. */
export interface ScriptedCall {
  readonly api: ApiName
  readonly version: number
  readonly clientId: string | null
  /** The node that was asked, from 0. */
  readonly node: number
  /** Numbers the connections in the order in which they were opened, over all nodes. */
  readonly connection: number
  /** How often this API has been asked, this time included. */
  readonly count: number
}

export interface ScriptedRequest<N extends ApiName = ApiName> extends ScriptedCall {
  readonly body: RequestOf<ApiNamed<N>>
}

/** A body, `undefined` for the default answer, or one of the two symbols. */
export type ScriptedAnswer<N extends ApiName> =
  | ResponseInput<ApiNamed<N>>
  | undefined
  | typeof disconnect
  | typeof silence

export type Script = {
  readonly [N in ApiName]?: (
    request: RequestOf<ApiNamed<N>>,
    call: ScriptedCall,
  ) => ScriptedAnswer<N> | Promise<ScriptedAnswer<N>>
}

export interface ScriptedTopic {
  readonly partitions: number
  /** A uuid as 22 characters; by default one made from the name. */
  readonly id?: string
  /** The leader's node by partition; default 0. */
  readonly leader?: (partition: number) => number
  readonly leaderEpoch?: number
}

export interface ScriptedBrokerOptions {
  readonly topics?: Readonly<Record<string, ScriptedTopic>>
  /** What ApiVersions offers; by default all that the codec knows. `null` leaves an API out. */
  readonly versions?: { readonly [N in ApiName]?: readonly [number, number] | null }
  /** Offers only versions before the flexible ones. */
  readonly isOld?: boolean
  /** How many brokers; default 1. They share script and records. */
  readonly nodes?: number
  readonly on?: Script
}

export interface ScriptedBroker extends AsyncDisposable {
  /** `localhost:PORT` of each node. */
  readonly addresses: readonly string[]
  readonly address: string
  readonly requests: readonly ScriptedRequest[]
  readonly faults: readonly Error[]
  /** Open connections. */
  readonly connections: number
  /** Changes while it runs what is scripted, answered or declared from now on. */
  on(script: Script): void
  setTopic(name: string, topic: ScriptedTopic): void
  asked<N extends ApiName>(api: N): readonly ScriptedRequest<N>[]
  /** Resolves with the `count`th request of an API, past or future. @throws MR_TEST_TIMEOUT */
  received<N extends ApiName>(
    api: N,
    count?: number,
    timeoutMs?: number,
  ): Promise<ScriptedRequest<N>>
  /** Resolves when the condition holds; looked at after every request and every answer. @throws MR_TEST_TIMEOUT */
  until(what: string, condition: () => boolean, timeoutMs?: number): Promise<void>
  /** Closes every connection, of one node or of all. */
  dropConnections(node?: number): void
  close(): Promise<void>
}

const nameByKey = new Map<number, ApiName>(
  Object.entries(apis).map(([name, api]) => [api.key, name as ApiName]),
)

/**
 * Starts a scripted broker on free ports of 127.0.0.1.
 * @example
 * await using broker = await scriptedBroker({
 *   topics: { orders: { partitions: 1 } },
 *   on: { heartbeat: (_, { count }) => ({ errorCode: count === 1 ? 27 : 0 }) },
 * })
 */
export async function scriptedBroker(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
  const topics = new Map(Object.entries(options.topics ?? {}))
  const requests: ScriptedRequest[] = []
  const faults: Error[] = []
  const counts = new Map<ApiName, number>()
  const watchers = new Set<() => void>()
  const sockets = new Map<Socket, number>()
  const closing = new AbortController()
  const addresses: string[] = []
  let script: Script = options.on ?? {}
  let opened = 0

  const look = (): void => {
    for (const watcher of watchers) watcher()
  }
  const world: ScriptedWorld = {
    topics,
    addresses,
    versions: offeredVersions(options),
    ends: new Map(),
    closed: closing.signal,
  }

  const answer = async (
    node: number,
    connection: number,
    frame: Buffer,
  ): Promise<Buffer[] | typeof disconnect | typeof silence> => {
    const header = readRequestHeader(frame)
    const api: AnyApi | undefined = apiByKey.get(header.apiKey)
    const name = nameByKey.get(header.apiKey)
    if (!api || !name) throw new Error(`a request of the unknown key ${header.apiKey}`)
    const { apiVersion: version, correlationId, clientId } = header
    const offered = world.versions[name]
    const isOffered = offered !== undefined && version >= offered[0] && version <= offered[1]
    if (!isOffered && name !== 'apiVersions')
      throw new Error(`${name} ${version} was asked but is not offered`)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    // A version that is not known is answered in the layout of v0, without decoding the body (KIP-511).
    if (!isOffered)
      return encodeResponse(apis.apiVersions, 0, correlationId, versionsAnswer(world, 35))

    const call: ScriptedCall = { api: name, version, clientId, node, connection, count }
    const body = decodeRequest(api, version, frame, header.bodyOffset)
    requests.push({ ...call, body } as ScriptedRequest)
    look()
    const given = await scriptedAnswer(script, name, body, call, world)
    if (given === disconnect || given === silence) return given
    if (name === 'produce' && (body as { readonly acks: number }).acks === 0) return silence
    return encodeResponse(api, version, correlationId, given as never)
  }

  const serve = (node: number, socket: Socket): void => {
    const connection = ++opened
    sockets.set(socket, node)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      look()
    })
    let unread = Buffer.alloc(0)
    let last = Promise.resolve()
    const send = async (frame: Buffer, before: Promise<void>): Promise<void> => {
      try {
        const bytes = await answer(node, connection, frame)
        await before
        if (bytes === silence) return
        if (bytes === disconnect) socket.destroy()
        else if (!socket.destroyed) for (const part of bytes) socket.write(part)
      } catch (error) {
        if (!closing.signal.aborted) faults.push(error as Error)
        socket.destroy()
      }
      look()
    }
    socket.on('data', (chunk) => {
      unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
      while (unread.length >= 4 && unread.length >= 4 + unread.readInt32BE(0)) {
        const end = 4 + unread.readInt32BE(0)
        last = send(unread.subarray(4, end), last)
        unread = unread.subarray(end)
      }
    })
  }

  const servers: Server[] = []
  for (let node = 0; node < (options.nodes ?? 1); node++) {
    const server = createServer((socket) => serve(node, socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const at = server.address()
    if (at === null || typeof at === 'string') throw new Error('no port was given')
    addresses.push(`127.0.0.1:${at.port}`)
    servers.push(server)
  }

  const until = (what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        timer.cancel()
        watchers.delete(watcher)
      }
      const watcher = (): void => {
        if (!condition()) return
        end()
        resolve()
      }
      const timer = systemClock.after(timeoutMs, () => {
        end()
        const seen = requests.slice(-12).map((request) => `${request.api}#${request.count}`)
        reject(
          failure('MR_TEST_TIMEOUT', {
            what,
            timeoutMs,
            seen: seen.join(' '),
            faults: faults.map(String).join('; '),
          }),
        )
      })
      watchers.add(watcher)
      watcher()
    })
  const asked = <N extends ApiName>(api: N): readonly ScriptedRequest<N>[] =>
    requests.filter((request): request is ScriptedRequest<N> => request.api === api)
  const close = async (): Promise<void> => {
    closing.abort()
    const ended = servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    )
    for (const socket of sockets.keys()) socket.destroy()
    await Promise.all(ended)
  }

  return {
    addresses,
    address: addresses[0] ?? '',
    requests,
    faults,
    get connections() {
      return sockets.size
    },
    on: (more) => void (script = { ...script, ...more }),
    setTopic: (name, topic) => void topics.set(name, topic),
    asked,
    async received(api, count = 1, timeoutMs = 5000) {
      await until(`${api} request ${count}`, () => asked(api).length >= count, timeoutMs)
      return asked(api)[count - 1]!
    },
    until,
    dropConnections(node) {
      for (const [socket, at] of sockets) if (node === undefined || at === node) socket.destroy()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

type LooseScript = Readonly<
  Record<
    string,
    ((request: unknown, call: ScriptedCall, world: ScriptedWorld) => unknown) | undefined
  >
>

async function scriptedAnswer(
  script: Script,
  name: ApiName,
  body: unknown,
  call: ScriptedCall,
  world: ScriptedWorld,
): Promise<unknown> {
  const given = await (script as LooseScript)[name]?.(body, call, world)
  if (given !== undefined) return given
  if (name === 'apiVersions') return versionsAnswer(world, 0)
  return (await (defaultAnswers as LooseScript)[name]?.(body, call, world)) ?? {}
}

function versionsAnswer(
  world: ScriptedWorld,
  errorCode: number,
): ResponseInput<typeof apis.apiVersions> {
  return {
    errorCode,
    apiKeys: Object.entries(world.versions).map(([name, [minVersion, maxVersion]]) => ({
      apiKey: apis[name as ApiName].key,
      minVersion,
      maxVersion,
    })),
  }
}

function offeredVersions(
  options: ScriptedBrokerOptions,
): Partial<Record<ApiName, readonly [number, number]>> {
  const offered: Partial<Record<ApiName, readonly [number, number]>> = {}
  for (const [key, api] of Object.entries(apis)) {
    const name = key as ApiName
    const declared = options.versions?.[name]
    if (declared === null) continue
    const [min, max] = api.versions
    const isCut = options.isOld === true && api.flexible !== null
    if (isCut && api.flexible <= min) continue
    offered[name] = declared ?? [min, isCut ? api.flexible - 1 : max]
  }
  return offered
}
