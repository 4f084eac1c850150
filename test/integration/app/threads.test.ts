import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConsumer,
  defineResponder,
  isFailure,
  startWorker,
  type ConsumerDefinition,
} from '../../../packages/millrace/src/index.ts'
import { driveConsumer } from '../../../packages/millrace/src/testing/index.ts'
import { until } from '../../harness/until.ts'
import { Unpayable } from './threads/work.ts'
import { events, results, tasks, type Task } from './threads/topics.ts'

const work = new URL('./threads/work.ts', import.meta.url)
type More = Partial<Parameters<typeof defineConsumer<typeof tasks>>[0]>

const inThreads = (more: object = {}): ConsumerDefinition =>
  defineConsumer({
    topic: tasks,
    runIn: 'thread',
    handler: work,
    threads: 2,
    ...(more as More),
  } as never)

const task = (kind: Task['kind'], more: Omit<Task, 'kind'> = {}): { readonly value: Task } => ({
  value: { kind, ...more },
})

describe('a handler in threads', () => {
  it('leaves the worker’s own thread free while it computes', async () => {
    await using drive = driveConsumer(inThreads())
    let turns = 0
    let isSpinning = true
    const count = (): void => {
      turns++
      if (isSpinning) setTimeout(count, 5)
    }
    const delivering = drive.deliver(task('spin', { ms: 400 }))
    setTimeout(count, 5)
    await delivering
    isSpinning = false
    assert.deepEqual(drive.marked, [0])
    assert.ok(turns > 20, `${turns} turns of the loop meanwhile`)
  })

  it('sends as the job’s own: awaited or not, and what fails to encode fails the attempt', async () => {
    await using drive = driveConsumer(inThreads({ deadLetter: true }))
    await drive.deliver({ ...task('send', { text: 'x' }), key: 'k' })
    assert.deepEqual(
      drive.sent.map(({ topic, key, value }) => [topic, key?.toString(), value?.toString()]),
      [
        ['results', 'k', drive.sent[0]?.value?.toString()],
        ['raw', undefined, 'as it is'],
      ],
    )
    assert.deepEqual(drive.sent[0]?.headers, [['of', 'x']])
    drive.failSends(() => new Error('the brokers are away'))
    await drive.deliver(task('send'))
    assert.match(String(drive.failures[0]?.error), /the brokers are away/)
    drive.failSends(undefined)
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0, 1])
    await drive.deliver(task('throw', { text: 'schema' }), task('throw', { text: 'forgotten' }))
    const schema = drive.failures.slice(1).map(({ error }) => error)
    assert.equal(schema.length, 2, 'a value that does not fit is not tried again')
    for (const error of schema)
      assert.ok(isFailure(error, 'MR_APP_SCHEMA_MISMATCH') && error.name === 'SchemaError')
    assert.equal(drive.deadLetters.length, 2)
  })

  it('returns outcomes, and throws errors that the consumer’s lists still know', async () => {
    const matched = inThreads({
      deadLetter: true,
      nonRetryable: [Unpayable],
      critical: ['E_OTHER'],
    })
    await using drive = driveConsumer(matched)
    await drive.deliver(task('retry'), task('skip', { text: 'old' }))
    assert.deepEqual(drive.marked, [])
    await drive.advance('5s')
    assert.deepEqual(drive.marked, [0, 1])
    await drive.deliver(task('throw', { text: 'class' }))
    const { error } = drive.failures.at(-1) as { readonly error: Error & { code?: unknown } }
    assert.ok(error instanceof Unpayable)
    assert.deepEqual([error.name, error.message, error.code], ['Error', 'no money', 'E_UNPAYABLE'])
    assert.match(error.stack ?? '', /work\.ts/)
    assert.equal(drive.deadLetters.length, 1, 'given up at once')

    await drive.deliver(task('throw', { text: 'plain' }))
    const plain = drive.failures.at(-1)?.error as Error
    assert.deepEqual([plain.name, plain.message], ['TypeError', 'a plain one'])
    assert.equal((plain.cause as Error).message, 'beneath')
  })

  it('fails the attempt when its thread dies, and goes on in another', async () => {
    await using drive = driveConsumer(inThreads())
    await drive.deliver(task('exit'))
    assert.ok(isFailure(drive.failures[0]?.error, 'MR_APP_THREAD_ENDED'))
    await drive.advance('1s')
    assert.deepEqual(drive.marked, [0])
    await drive.deliver(task('throw', { text: 'uncaught' }))
    const error = drive.failures[1]?.error
    assert.ok(isFailure(error, 'MR_APP_THREAD_ENDED') && /nobody catches it/.test(error.message))
    assert.deepEqual(drive.critical, [])
  })

  it('stops the worker when a thread runs out of memory', async () => {
    await using drive = driveConsumer(inThreads({ threadMemory: '48MiB', deadLetter: true }))
    await drive.deliver(task('eat'))
    assert.ok(isFailure(drive.critical[0], 'MR_APP_THREAD_MEMORY'))
    assert.deepEqual(drive.deadLetters, [])
    assert.deepEqual(drive.marked, [])
  })

  it('hears of its timeout, in a loop too; one that goes on ends with its thread', async () => {
    const names = { wait: 'TimeoutError', spin: 'AbortError', deaf: 'HandlerError' } as const
    for (const kind of ['wait', 'spin', 'deaf'] as const) {
      await using drive = driveConsumer(inThreads({ timeout: '10s', threads: 1 }))
      await drive.deliver(task('skip'))
      const delivering = drive.deliver(task(kind, { ms: 60_000 }))
      await until('it runs', () => drive.state().kind === 'running')
      await drive.clock.advanceAsync(10_000)
      await delivering
      assert.ok(isFailure(drive.failures[0]?.error, 'MR_APP_HANDLER_TIMEOUT'))
      const error = drive.failures[0]?.error as Error | undefined
      assert.equal((error?.cause as Error | undefined)?.name, names[kind])
    }
  })

  it('takes no turn of the worker’s own handlers, and never more calls than threads', async () => {
    let isBusy = true
    const seen: string[] = []
    const own = defineConsumer({
      topic: tasks,
      group: 'own',
      each: ({ partition, offset }) => void seen.push(`${partition}/${offset} ${isBusy}`),
    })
    const slots = 1
    await using beside = driveConsumer(own, { slots })
    await using drive = driveConsumer(inThreads({ threads: 1 }), { slots })
    const working = drive.deliver(
      { ...task('spin', { ms: 300 }), partition: 0 },
      { ...task('spin', { ms: 300 }), partition: 1 },
    )
    await beside.deliver(task('skip'), task('skip'))
    assert.deepEqual(seen, ['0/0 true', '0/1 true'])
    await working
    isBusy = false
    assert.deepEqual([drive.markedIn(0), drive.markedIn(1)], [[0], [0]])
  })

  it('hears of a stop, and is left with the partition when it does not', async () => {
    for (const kind of ['spin', 'deaf'] as const) {
      await using drive = driveConsumer(inThreads({ threads: 1 }))
      await drive.deliver(task('skip'))
      const delivering = drive.deliver(task(kind, { ms: 60_000 }))
      await until('it runs', () => drive.state().kind === 'running')
      const revoking = drive.revoke()
      if (kind === 'deaf') await drive.clock.advanceAsync(31_000)
      await revoking
      await delivering
      // The loop saw `stopping` and came to its end; the deaf one ended with its thread, and is no failure.
      assert.deepEqual(drive.marked, kind === 'spin' ? [0, 1] : [0])
      assert.deepEqual(drive.failures, [])
    }
  })

  it('takes batches, names the failed ones, and finds handlers by event', async () => {
    const logged: string[] = []
    const batch = defineConsumer({
      topic: tasks,
      runIn: 'thread',
      mode: 'batch',
      handler: new URL('./threads/sum.ts', import.meta.url),
    })
    {
      await using drive = driveConsumer(batch)
      await drive.deliver(task('skip'), task('throw', { text: 'bad' }), task('skip'))
      assert.deepEqual(drive.marked, [0, 2])
      assert.deepEqual(String(drive.failures[0]?.error), 'RangeError: bad')
    }
    const byEvent = defineConsumer({
      topic: events,
      runIn: 'thread',
      handler: new URL('./threads/by-event.ts', import.meta.url),
    })
    await using drive = driveConsumer(byEvent)
    await drive.deliver(
      { value: { type: 'added', amount: 7 } },
      { value: { type: 'cleared' } },
      { raw: { value: Buffer.from('{"type":"eaten"}') } },
    )
    assert.deepEqual(drive.marked, [0, 1])
    assert.ok(isFailure(drive.failures[0]?.error, 'MR_APP_SCHEMA_MISMATCH'))
    assert.deepEqual(logged, [])
  })

  it('responds through the consumer’s responder, and logs through its log', async () => {
    const responder = defineResponder({
      topics: { results },
      respond: (data: { readonly text: string }, to) => to('results', data),
    })
    await using drive = driveConsumer(inThreads({ responder }))
    await drive.deliver(task('respond', { text: 'done' }))
    assert.deepEqual(drive.marked, [0])
    assert.equal(String(drive.sent[0]?.value), '{"text":"done"}')
  })

  it('is refused at boot where its module is missing, and stops the worker where it is none', async () => {
    const config = (consumer: ConsumerDefinition): object => ({
      app: defineApp({ consumers: [consumer] }),
    })
    const faults = async (consumer: ConsumerDefinition): Promise<unknown> => {
      try {
        await startWorker(config(consumer), { signals: false, log: false, env: {} })
      } catch (error) {
        return (error as { context: { faults: unknown } }).context.faults
      }
      return undefined
    }
    const missing = new URL('./threads/missing.ts', import.meta.url)
    assert.deepEqual(await faults(inThreads({ handler: missing, threads: 0 })), [
      `consumers.tasks.handler: there is no module ${missing.pathname}; write new URL('./file.ts', import.meta.url)`,
      'consumers.tasks.threads: 0 is not a number of 1 or more',
    ])
    const both = { topic: tasks, runIn: 'thread', each() {} } as never
    assert.match(String(await faults(defineConsumer(both))), /exactly one of each, on, batch, use/)
    {
      const handler = new URL('./threads/no-handler.ts', import.meta.url)
      await using drive = driveConsumer(inThreads({ handler }))
      await drive.deliver(task('skip'))
      assert.ok(isFailure(drive.critical[0], 'MR_APP_THREAD_MODULE'))
    }
    await using drive = driveConsumer(inThreads({ mode: 'batch' }))
    await drive.deliver(task('skip'))
    assert.ok(isFailure(drive.critical[0], 'MR_APP_THREAD_MODULE'))
    assert.match(
      (drive.critical[0] as Error).message,
      /of the form each, and the consumer of batch/,
    )
  })
})
