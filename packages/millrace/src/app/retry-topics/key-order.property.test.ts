import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { driveConsumer } from '../../testing/drive-consumer.ts'
import { defineConsumer, defineTopic } from '../index.ts'

interface Event {
  readonly key: string
  readonly sequence: number
  /** Attempts of it that fail. */
  readonly fails: number
}

const events = defineTopic<Event>('events')

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('deliver' as const),
        key: fc.constantFrom('a', 'b', 'c'),
        partition: fc.constantFrom(0, 1),
        fails: fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 9),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('advance' as const),
        ms: fc.constantFrom(10, 5000, 30_000, 31_000, 300_000),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'crash' as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('sends' as const),
        // The next one crashes the worker in the middle of its write, or so many fail.
        crashesAt: fc.option(fc.nat(4), { nil: undefined }),
        failing: fc.nat(3),
      }),
    },
  ),
  { minLength: 5, maxLength: 60 },
)

async function run(
  script: typeof steps extends fc.Arbitrary<infer S> ? S : never,
  concurrency: number,
): Promise<void> {
  const finished = new Set<string>()
  const failed = new Map<string, number>()
  const sequences = new Map<string, number>()
  const broken: string[] = []
  const name = ({ key, sequence }: Pick<Event, 'key' | 'sequence'>): string => `${key}${sequence}`
  const consumer = defineConsumer({
    topic: events,
    group: 'g',
    concurrency,
    retryTopics: { delays: ['30s', '5m'], order: 'key' },
    deadLetter: { storm: false },
    backoff: '1s',
    commit: { interval: '25s' },
    each({ value }) {
      const { key, sequence, fails } = value
      for (const letter of drive.deadLetters)
        finished.add(name(JSON.parse(String(letter.value)) as Event))
      for (let earlier = 0; earlier < sequence; earlier++)
        if (!finished.has(name({ key, sequence: earlier })))
          broken.push(`${name(value)} started before ${key}${earlier} was finished`)
      const count = (failed.get(name(value)) ?? 0) + 1
      failed.set(name(value), count)
      if (count <= fails) throw new Error(`attempt ${count}`)
      finished.add(name(value))
    },
  })
  await using drive = driveConsumer(consumer)
  for (const step of script) {
    switch (step.kind) {
      case 'deliver': {
        const { partition, fails } = step
        // A key lives in one partition, as the producer would have it.
        const key = `${step.key}-${partition}-`
        const sequence = sequences.get(key) ?? 0
        sequences.set(key, sequence + 1)
        await drive.deliver({ partition, key, value: { key, sequence, fails } })
        break
      }
      case 'advance':
        await drive.advance(step.ms)
        break
      case 'crash':
        drive.crash()
        await drive.settle()
        break
      case 'sends': {
        let sends = 0
        const { crashesAt, failing } = step
        drive.failSends(() => {
          sends++
          if (sends === crashesAt) drive.crash()
          return sends <= failing ? new Error('away') : undefined
        })
        break
      }
    }
    assert.deepEqual(broken, [])
  }
  drive.failSends(undefined)
  for (let round = 0; round < 10; round++) await drive.advance('30m')
  assert.deepEqual(broken, [])
  for (const letter of drive.deadLetters)
    finished.add(name(JSON.parse(String(letter.value)) as Event))
  const all = [...sequences].flatMap(([key, count]) =>
    Array.from({ length: count }, (_, sequence) => name({ key, sequence })),
  )
  const lost = all.filter((one) => !finished.has(one))
  assert.deepEqual(lost, [], 'everything was finished in the end')
}

describe("retry topics with order: 'key', over random failures and crashes", () => {
  for (const concurrency of [1, 4])
    it(`start no message before an earlier one of its key is finished, ${concurrency} at once`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, (script) => run(script, concurrency)),
        { numRuns: 25 },
      )
    })
})
