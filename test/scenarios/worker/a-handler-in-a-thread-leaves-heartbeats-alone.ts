/**
 * A handler that computes on the worker's own thread stops heartbeats and every other partition with it. In a thread of
 * its own it does not: the group hears of the member all the while, and others' messages are handled.
 */
import assert from 'node:assert/strict'
import { defineConsumer } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { numbers, spin, words } from '../../harness/programs/prime.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { numbers: {}, words: {} } }, async (scene) => {
  const beats = new Map<string, number>()
  const unsubscribe = events.heartbeat.subscribe(({ groupId }) =>
    beats.set(groupId, (beats.get(groupId) ?? 0) + 1),
  )
  const during = async (kind: 'own' | 'thread'): Promise<{ beats: number; words: number }> => {
    let isRunning = false
    let seen = 0
    const found: unknown[] = []
    const group = scene.group(kind)
    const { start } = scenarioApp(
      scene,
      {
        consumers: [
          kind === 'own'
            ? defineConsumer({
                topic: numbers,
                group: kind,
                each: ({ value }) => void found.push(spin(value)),
              })
            : defineConsumer({
                topic: numbers,
                group: kind,
                runIn: 'thread',
                threads: 1,
                handler: new URL('../../harness/programs/prime.ts', import.meta.url),
                middleware: [
                  async (_job, next) => {
                    await next()
                    found.push(true)
                  },
                ],
              }),
          defineConsumer({
            topic: words,
            group: `words-${kind}`,
            each: () => void (isRunning && seen++),
          }),
        ],
      },
      { heartbeat: '50ms' },
    )
    await using worker = await start()
    assert.equal(worker.state, 'running')
    if (kind === 'thread') {
      // Its module is loaded with the first call.
      await scene.send('numbers', [{ value: '1' }])
      await scene.until('the thread is there', () => found.length === 2)
      found.length = 0
    }
    const stop = events.jobStarted.subscribe(({ groupId }) => {
      if (groupId === group) isRunning = true
    })
    const end = events.jobFinished.subscribe(({ groupId }) => {
      if (groupId === group) isRunning = false
    })
    const before = beats.get(group) ?? 0
    let after = before
    const count = events.jobFinished.subscribe(({ groupId }) => {
      if (groupId === group) after = beats.get(group) ?? 0
    })
    await scene.send('numbers', [{ value: '1000' }])
    await scene.send('words', [{ value: '"a"' }, { value: '"b"' }])
    await scene.until('it is computed', () => found.length === 1)
    stop()
    end()
    count()
    return { beats: after - before, words: seen }
  }
  const naive = await during('own')
  const ours = await during('thread')
  unsubscribe()
  scene.watch('heartbeats and words meanwhile', () => ({ naive, ours }))
  assert.equal(naive.words, 0, 'nothing else was handled')
  assert.equal(ours.words, 2, 'others go on')
  assert.ok(ours.beats >= 4, `${ours.beats} heartbeats`)
  assert.ok(naive.beats <= 2, `${naive.beats} heartbeats on the worker's own thread`)
})
