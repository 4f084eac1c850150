import { systemClock } from '../../kit/index.ts'
import type { Cluster } from '../cluster.ts'
import { topicsNamed } from '../cluster-facts.ts'
import { defineCommand } from '../command.ts'
import { toEnvelope } from '../envelope.ts'
import { exitCodes } from '../exit-code.ts'
import { messageFormat } from '../format-message.ts'
import { parseNumbers } from '../parse-numbers.ts'
import { parsePattern } from '../parse-pattern.ts'
import { parseEnd, parsePosition, startOf } from '../parse-position.ts'
import { defaultMaxLength, tailLine } from '../render/tail-line.ts'

/** Messages in one write; more would only hold up the first of them. */
const takenAtOnce = 500

export const tail = defineCommand({
  arguments: { topics: { about: 'the topics', isList: true } },
  options: {
    from: {
      type: 'text',
      default: 'end',
      about: 'start, end, an offset, -N for the last N of each partition, or a time',
    },
    to: { type: 'text', about: 'stop at end (as it is now), before an offset, or before a time' },
    exit: { type: 'flag', short: 'e', about: 'short for --to end' },
    limit: { type: 'number', short: 'n', about: 'stop after so many messages' },
    partition: { type: 'list', short: 'p', about: 'only these partitions, as 0,3-5' },
    key: { type: 'text', short: 'k', about: 'only messages with this key' },
    grep: { type: 'text', about: 'only values that match this regular expression' },
    maxLength: {
      type: 'number',
      default: defaultMaxLength,
      about: 'bytes of the value shown; 0 shows all',
    },
    format: {
      type: 'text',
      short: 'f',
      about:
        "kcat's letters instead of a line: %t %p %o %k %s %T %h %h{name}, sizes %K %S, and \\n \\t",
    },
    isolation: {
      type: 'text',
      choices: ['read-committed', 'read-uncommitted'],
      default: 'read-committed',
      about: 'whether messages of open and aborted transactions are shown',
    },
  },
  examples: [
    'millrace tail router',
    'millrace tail orders --from -10 --exit',
    'millrace tail orders --from "2h ago" --exit -o ndjson',
    `millrace tail orders --from start --exit --format '%k: %s\\n'`,
  ],

  async run(input, { print, cluster, signal }) {
    const nowMs = systemClock.now()
    const from = startOf(parsePosition(input.from, nowMs))
    const to = input.exit === true ? 'end' : parseEnd(input.to, nowMs)
    const chosen = parseNumbers('--partition', input.partition)
    const pattern = input.grep === undefined ? undefined : parsePattern('--grep', input.grep)
    const format = input.format === undefined ? undefined : messageFormat(input.format)
    const opened = await cluster()
    const partitions = await partitionsOf(opened, input.topics, chosen)
    await using reader = opened.client.reader({
      partitions,
      from,
      to,
      isolation: input.isolation === 'read-committed' ? 'read_committed' : 'read_uncommitted',
      onError: (error) => print.fail(error),
    })
    const isWanted = ({ key, value }: { key: Buffer | null; value: Buffer | null }): boolean =>
      (input.key === undefined || key?.toString() === input.key) &&
      (pattern === undefined || (value !== null && pattern.test(value.toString())))
    const limit = input.limit ?? Infinity
    let shown = 0
    let scanned = 0

    try {
      while (shown < limit && (await reader.available(signal))) {
        const messages = reader.take(takenAtOnce)
        scanned += messages.length
        const wanted = messages.filter(isWanted).slice(0, limit - shown)
        shown += wanted.length
        if (wanted.length === 0) continue
        if (format) await print.raw(Buffer.concat(wanted.map(format)))
        else await print.rows(wanted, toEnvelope, (one) => tailLine(one, input.maxLength))
      }
    } catch (error) {
      if (error !== signal.reason) throw error
    }
    if (pattern || input.key !== undefined) print.talk(`${shown} shown of ${scanned} read`)
    // Ctrl-C is the normal end of a tail.
    return exitCodes.done
  },
})

async function partitionsOf(
  cluster: Cluster,
  names: readonly string[],
  chosen: ReadonlySet<number> | undefined,
): Promise<readonly { readonly topic: string; readonly partition: number }[]> {
  const topics = await topicsNamed(cluster, names)
  return topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partition }) => chosen?.has(partition) ?? true)
      .map(({ partition }) => ({ topic: name, partition })),
  )
}
