import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'

import type { OutgoingMessage, Producer } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { deferred, type Deferred } from '../../kit/index.ts'
import { topicNamed } from '../cluster-facts.ts'
import { defineCommand } from '../command.ts'
import { fromEnvelope } from '../envelope.ts'
import { exitCodes } from '../exit-code.ts'
import type { Printer } from '../printer.ts'
import { linesOf, wholeOf } from '../read-input.ts'

/** Somebody waits at a terminal: two minutes of silence, as a server's producer allows itself, help nobody. */
const deliveryMs = 15_000

/** Messages on their way at once; beyond it the input waits. */
const maxInFlight = 5000

type Outgoing = Omit<OutgoingMessage, 'topic' | 'partition'>

export const write = defineCommand({
  arguments: {
    topic: { about: 'the topic' },
    value: { about: 'the value; without it standard input is read', isRequired: false },
  },
  options: {
    key: { type: 'text', short: 'k', about: 'key of every message' },
    header: { type: 'list', short: 'H', about: 'a header as name=value; may be repeated' },
    partition: {
      type: 'number',
      short: 'p',
      about: 'a partition instead of the one the key chooses',
    },
    timestamp: { type: 'number', about: 'time of every message, in epoch milliseconds' },
    null: { type: 'flag', about: 'send a tombstone: a null value for the key' },
    whole: { type: 'flag', about: 'all of the input is one message' },
    input: {
      type: 'text',
      choices: ['lines', 'ndjson'],
      about: 'what the input holds; ndjson is what `millrace tail -o ndjson` prints',
    },
    file: { type: 'text', about: 'read this file instead of standard input' },
    acks: {
      type: 'text',
      choices: ['all', '1', '0'],
      default: 'all',
      about: 'who must have the message before it counts as sent',
    },
    compression: {
      type: 'text',
      choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      default: 'none',
      about: 'compression of the batches',
    },
    quiet: { type: 'flag', short: 'q', about: 'print nothing for what was sent' },
  },
  examples: [
    `millrace write orders '{"id":1}'`,
    `millrace write orders '{"id":1}' --key 1 --header source=shop`,
    'millrace write orders --key 1 --null',
    'millrace write orders --file events.ndjson --quiet',
    'millrace tail orders --from start --exit -o ndjson | millrace write copies --input ndjson',
  ],

  async run(input, { print, cluster, signal }) {
    const fixed = fixedParts(input)
    const opened = await cluster()
    // Named topics only: a typing mistake shall not become a topic where brokers create them by themselves.
    const topic = await topicNamed(opened, input.topic)
    const partition = knownPartition(input.partition, topic)
    const acks = input.acks === 'all' ? -1 : input.acks === '1' ? 1 : 0
    await using producer = opened.client.producer({
      acks,
      isIdempotent: acks === -1,
      compression: input.compression as Compression,
      lingerMs: 5,
      deliveryTimeoutMs: deliveryMs,
    })
    const sends = new Sends(producer, print, input.quiet === true)
    const target = { topic: topic.name, ...(partition === undefined ? {} : { partition }) }
    try {
      for await (const message of outgoing(input, fixed, signal)) {
        await sends.room()
        sends.send({ ...target, ...message })
      }
    } catch (error) {
      if (error !== signal.reason) throw error
    } finally {
      // What was taken from the input is sent, also when a later line is bad.
      await sends.done()
    }
    if (signal.aborted) return exitCodes.interrupted
    return sends.failed > 0 ? exitCodes.failed : exitCodes.done
  },
})

type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

interface WriteInput {
  readonly value: string | undefined
  readonly key: string | undefined
  readonly header: readonly string[] | undefined
  readonly timestamp: number | undefined
  readonly null: boolean | undefined
  readonly whole: boolean | undefined
  readonly input: string | undefined
  readonly file: string | undefined
}

/** A bounded window of sends, and what became of them. */
class Sends {
  failed = 0
  readonly #producer: Producer
  readonly #print: Printer
  readonly #isQuiet: boolean
  #inFlight = 0
  #waiting: Deferred<void> | undefined

  constructor(producer: Producer, print: Printer, isQuiet: boolean) {
    this.#producer = producer
    this.#print = print
    this.#isQuiet = isQuiet
  }

  async room(): Promise<void> {
    await this.#below(maxInFlight)
  }

  async done(): Promise<void> {
    await this.#below(1)
  }

  send(message: OutgoingMessage): void {
    this.#inFlight += 1
    void this.#finish(message)
  }

  async #finish(message: OutgoingMessage): Promise<void> {
    try {
      const { topic, partition, offset } = await this.#producer.send(message)
      if (!this.#isQuiet)
        await this.#print.row({ topic, partition, offset }, () => `${topic} ${partition} ${offset}`)
    } catch (error) {
      this.failed += 1
      this.#print.fail(error)
    }
    this.#inFlight -= 1
    this.#waiting?.resolve()
  }

  async #below(limit: number): Promise<void> {
    while (this.#inFlight >= limit) {
      this.#waiting = deferred()
      await this.#waiting.promise
    }
  }
}

/** What the options say of every message. @throws MR_CLI_USAGE */
function fixedParts({
  key,
  header = [],
  timestamp,
  null: isTombstone,
}: WriteInput): Omit<Outgoing, 'value'> {
  if (isTombstone === true && key === undefined)
    throw failure('MR_CLI_USAGE', {
      reason: 'a tombstone needs the key that it deletes: add --key',
    })
  return {
    key: key ?? null,
    headers: header.map(parseHeader),
    ...(timestamp === undefined ? {} : { timestamp }),
  }
}

function parseHeader(pair: string): readonly [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) throw failure('MR_CLI_USAGE', { reason: `--header ${pair} is not name=value` })
  return [pair.slice(0, at), pair.slice(at + 1)]
}

function knownPartition(
  partition: number | undefined,
  topic: { readonly name: string; readonly partitions: readonly unknown[] },
): number | undefined {
  const count = topic.partitions.length
  if (
    partition === undefined ||
    (Number.isInteger(partition) && partition >= 0 && partition < count)
  )
    return partition
  throw failure('MR_CLI_USAGE', {
    reason: `--partition ${partition}: ${topic.name} has partitions 0 to ${count - 1}`,
  })
}

async function* outgoing(
  input: WriteInput,
  fixed: Omit<Outgoing, 'value'>,
  signal: AbortSignal,
): AsyncGenerator<Outgoing> {
  if (input.null === true) yield { ...fixed, value: null }
  else if (input.value !== undefined) yield { ...fixed, value: input.value }
  else yield* readMessages(input, fixed, signal)
}

async function openFile(path: string): Promise<Readable> {
  const file = createReadStream(path)
  try {
    await once(file, 'open')
    return file
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure('MR_CLI_FILE', { path, reason }, { cause: error })
  }
}

async function* readMessages(
  input: WriteInput,
  fixed: Omit<Outgoing, 'value'>,
  signal: AbortSignal,
): AsyncGenerator<Outgoing> {
  const source = input.file === undefined ? process.stdin : await openFile(input.file)
  // Ctrl-C must end a wait for somebody who types.
  signal.addEventListener(
    'abort',
    () => {
      // Whether somebody reads it at that moment or not.
      source.on('error', () => undefined)
      source.destroy(signal.reason as Error)
    },
    { once: true },
  )
  const isNdjson =
    (input.input ?? (input.file?.endsWith('.ndjson') === true ? 'ndjson' : 'lines')) === 'ndjson'
  if (input.whole === true) {
    yield { ...fixed, value: await wholeOf(source) }
    return
  }
  for await (const line of linesOf(source)) {
    if (!isNdjson) yield { ...fixed, value: line }
    else if (line.length > 0) yield { ...fromEnvelope(line.toString('utf8')) }
  }
}
